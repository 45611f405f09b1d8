/** The frame around all views: where one can go, whether what is seen is live, what was just done. */

import { Suspense, useEffect, useRef, type ReactNode } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import { sentence } from "./attention";
import { useCounts, useLink } from "./live/store";
import { Guarded } from "./parts/guarded";
import { Live } from "./parts/live";
import { useNewest } from "./parts/newer";
import { Notes } from "./parts/notes";
import { Since } from "./parts/since";
import { useTasks } from "./parts/tasks";
import { useSession } from "./session";
import { PLACES, Wall, type Place } from "./places";
import { DropAnywhere } from "./views/dropping";
import { useTitle } from "./parts/title";

export function App(): ReactNode {
  const { may } = useSession();
  const [path] = useLocation();
  const kiosk = !may("farm:read");
  useNewest(path, kiosk || path === "/wall");
  // A screen's credential shows the wall, whatever the address says.
  if (kiosk) return <Guarded at={path}><Suspense fallback={null}><Title /><Live><Wall /></Live></Suspense></Guarded>;
  return (
    <Guarded at={path}><Suspense fallback={<p className="alone" role="status">One moment …</p>}>
      <Title />
      <Switch>
        {PLACES.filter(({ bare }) => bare).map((place) => (
          <Route key={place.path} path={place.path}>{(given) => <><NotLive />{place.show((given as { id?: string }).id ?? "")}<Notes /></>}</Route>
        ))}
        <Route><Framed path={path} /></Route>
      </Switch>
    </Suspense></Guarded>
  );
}

// What changes often is told to who shows it: the frame, and the view in it, are not drawn anew for a number.
function Title(): ReactNode {
  useTitle(useTasks().length);
  return null;
}

function Framed({ path }: { path: string }): ReactNode {
  const { may, caller, leave } = useSession();
  const open = (at: "top" | "more"): Place[] =>
    PLACES.filter(({ link }) => link?.at === at && (!link.needs || may(link.needs)));
  return (
    <DropAnywhere>
      <header className="top">
        <Link href="/" className="brand">Farmhand</Link>
        <nav aria-label="Views">
          {open("top").map((place) => <Way key={place.path} place={place} />)}
          <More places={open("more")} />
        </nav>
        <div className="who">
          <span className="faint">{caller.actor.replace(/^user:/, "")}</span>
          <button type="button" onClick={() => leave()}>Log out</button>
        </div>
      </header>
      <NotLive />
      <main>
        <Guarded at={path}><Switch>
          {PLACES.filter(({ bare }) => !bare).map((place) => (
            <Route key={place.path} path={place.path}>{(given) => place.show((given as { id?: string }).id ?? "")}</Route>
          ))}
          <Route><p className="alone">There is no such page. <Link href="/">Back to the farm</Link></p></Route>
        </Switch></Guarded>
      </main>
      <Notes />
    </DropAnywhere>
  );
}

function Way({ place }: { place: Place }): ReactNode {
  const [path] = useLocation();
  return (
    <Link href={place.path} aria-current={path === place.path ? "page" : undefined}>
      {place.link?.words}{place.path === "/todo" && <Due />}{place.path === "/queue" && <Waiting />}
    </Link>
  );
}

function Due(): ReactNode {
  return <Count of={useTasks().length} />;
}

function Waiting(): ReactNode {
  const { jobs } = useCounts();
  return <Count of={(jobs.ready ?? 0) + (jobs.received ?? 0) + (jobs.preparing ?? 0)} />;
}

const Count = ({ of }: { of: number }): ReactNode => of > 0 && <span className="count" aria-label={`: ${of}`}>{of}</span>;

/** What is looked at now and then. */
function More({ places }: { places: readonly Place[] }): ReactNode {
  const menu = useRef<HTMLDetailsElement>(null);
  const [path] = useLocation();
  useEffect(() => {
    if (menu.current) menu.current.open = false;
  }, [path]);
  if (!places.length) return null;
  const close = (): void => {
    if (menu.current) menu.current.open = false;
  };
  return (
    <details className="more" ref={menu} onKeyDown={({ key }) => key === "Escape" && close()}>
      <summary>More</summary>
      <div>{places.map((place) => <Way key={place.path} place={place} />)}</div>
    </details>
  );
}

/** Says that what is seen is old, while it is: the page never pretends. */
function NotLive(): ReactNode {
  const link = useLink();
  if (link.state !== "lost") return null;
  return (
    <p className="lost" role="alert">
      Not live for <Since at={link.since} />. {sentence(link.reason)} What you see is from then.
    </p>
  );
}
