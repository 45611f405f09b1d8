/** The frame around all views: where one can go, whether what is seen is live, what was just done. */

import { lazy, Suspense, type ReactNode } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import { useCounts, useJobs, useLink, usePrinters } from "./live/store";
import { Notes } from "./parts/notes";
import { Since } from "./parts/since";
import { useSession } from "./session";
import { tasks } from "./attention";
import { Farm } from "./views/farm";
import { ToDo } from "./views/todo";
import { DropAnywhere } from "./views/dropping";
import { useTitle } from "./parts/title";

const Queue = lazy(() => import("./views/queue").then((module) => ({ default: module.Queue })));
const Printer = lazy(() => import("./views/printer").then((module) => ({ default: module.Printer })));
const Job = lazy(() => import("./views/job").then((module) => ({ default: module.Job })));
const Models = lazy(() => import("./views/models").then((module) => ({ default: module.Models })));
const Model = lazy(() => import("./views/model").then((module) => ({ default: module.Model })));
const Generate = lazy(() => import("./views/generate").then((module) => ({ default: module.Generate })));
const Generation = lazy(() => import("./views/generation").then((module) => ({ default: module.Generation })));
const Machine = lazy(() => import("./views/machine").then((module) => ({ default: module.Machine })));
const Wall = lazy(() => import("./views/wall").then((module) => ({ default: module.Wall })));

export function App(): ReactNode {
  const [path] = useLocation();
  const due = tasks(usePrinters(), useJobs()).length;
  useTitle(due);
  // A screen on the wall and a phone at the machine show one thing, and nothing around it.
  const bare = path === "/wall" || path.startsWith("/p/");
  return (
    <Suspense fallback={<p className="alone" role="status">One moment …</p>}>
      {bare ? <Bare /> : <Framed due={due} />}
    </Suspense>
  );
}

function Bare(): ReactNode {
  return (
    <>
      <NotLive />
      <Switch>
        <Route path="/wall"><Wall /></Route>
        <Route path="/p/:id">{({ id }) => <Machine id={id} />}</Route>
      </Switch>
      <Notes />
    </>
  );
}

function Framed({ due }: { due: number }): ReactNode {
  const { may, caller, leave } = useSession();
  const counts = useCounts();
  const waiting = (counts.jobs.ready ?? 0) + (counts.jobs.received ?? 0) + (counts.jobs.preparing ?? 0);
  return (
    <DropAnywhere>
      <header className="top">
        <Link href="/" className="brand">Farmhand</Link>
        <nav aria-label="Views">
          <Place to="/">Farm</Place>
          <Place to="/todo" count={due}>To do</Place>
          {may("farm:read") && <Place to="/queue" count={waiting}>Queue</Place>}
          {may("farm:read") && <Place to="/models">Models</Place>}
          {may("jobs:submit") && <Place to="/generate">Generate</Place>}
        </nav>
        <div className="who">
          <span className="faint">{caller.actor.replace(/^user:/, "")}</span>
          <button type="button" onClick={() => leave()}>Log out</button>
        </div>
      </header>
      <NotLive />
      <main>
        <Switch>
          <Route path="/"><Farm /></Route>
          <Route path="/todo"><ToDo /></Route>
          <Route path="/queue"><Queue /></Route>
          <Route path="/models"><Models /></Route>
          <Route path="/models/:id">{({ id }) => <Model id={id} />}</Route>
          <Route path="/generate"><Generate /></Route>
          <Route path="/generate/:id">{({ id }) => <Generation id={id} />}</Route>
          <Route path="/printers/:id">{({ id }) => <Printer id={id} />}</Route>
          <Route path="/jobs/:id">{({ id }) => <Job id={id} />}</Route>
          <Route><p className="alone">There is no such page. <Link href="/">Back to the farm</Link></p></Route>
        </Switch>
      </main>
      <Notes />
    </DropAnywhere>
  );
}

function Place({ to, count = 0, children }: { to: string; count?: number; children: string }): ReactNode {
  const [path] = useLocation();
  return (
    <Link href={to} aria-current={path === to ? "page" : undefined}>
      {children}{count > 0 && <span className="count" aria-label={`: ${count}`}>{count}</span>}
    </Link>
  );
}

/** Says that what is seen is old, while it is: the page never pretends. */
function NotLive(): ReactNode {
  const link = useLink();
  if (link.state !== "lost") return null;
  return (
    <p className="lost" role="alert">
      Not live for <Since at={link.since} />: {link.reason}. What you see is from then.
    </p>
  );
}
