/** The queue: what waits and why, what prints, what is planned when and where, what is done. */

import { lazy, Suspense, useEffect, useMemo, useState, type ReactNode } from "react";
import { byTurn } from "../attention";
import type { JobState } from "../api/shapes";
import { useCounts, useJobs } from "../live/store";
import { useDrawn } from "../parts/drawn";
import "../styles/queue.css";
import { Done } from "./done";
import { Waiting } from "./waiting";
import { Line } from "./line";

const Timeline = lazy(async () => ({ default: (await import("./timeline")).Timeline }));

const TABS = { queue: "Queue", timeline: "Timeline", done: "Done" } as const;
type Tab = keyof typeof TABS;
/** So many that print stand before what waits, where more of them print. */
const SOME = 8;
const RUNNING: ReadonlySet<JobState> = new Set(["leased", "printing", "cancelling", "lost"]);

/** What is shown is said in the address, so that it can be sent to somebody, and come back to. */
function tabNow(): Tab {
  const said = location.hash.slice(1);
  return said in TABS ? (said as Tab) : "queue";
}

export function Queue(): ReactNode {
  const [tab, setTab] = useState(tabNow);
  useEffect(() => {
    const follow = (): void => setTab(tabNow());
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }, []);
  const show = (next: Tab): void => {
    history.replaceState(null, "", next === "queue" ? location.pathname : `#${next}`);
    setTab(next);
  };
  return (
    <>
      <div className="queue-head">
        <h1>Queue</h1>
        <div className="tabs" role="group" aria-label="Show">
          {(Object.keys(TABS) as Tab[]).map((each) => (
            <button key={each} type="button" aria-pressed={tab === each} onClick={() => show(each)}>{TABS[each]}</button>
          ))}
        </div>
      </div>
      {tab === "queue" && <Open />}
      {tab === "timeline" && <Suspense fallback={<p role="status">One moment …</p>}><Timeline /></Suspense>}
      {tab === "done" && <Done />}
    </>
  );
}

function Open(): ReactNode {
  const jobs = useJobs();
  const counts = useCounts().jobs;
  const [running, waiting] = useMemo(() => [
    jobs.filter(({ state }) => RUNNING.has(state)),
    jobs.filter(({ state }) => !RUNNING.has(state)).sort(byTurn),
  ], [jobs]);
  const [all, showAll] = useState(false);
  const some = all || running.length <= SOME + 2 ? running.length : SOME;
  const drawn = useDrawn(some, "running");
  const untold = (counts.ready ?? 0) + (counts.received ?? 0) + (counts.preparing ?? 0) - waiting.length;
  return (
    <>
      <section aria-label="Printing">
        <h2>Printing <span className="faint">{running.length}</span></h2>
        {running.length
          ? <ol className="jobs">{running.slice(0, drawn).map(({ id }) => <Line key={id} id={id} />)}</ol>
          : <p className="faint">Nothing is being printed.</p>}
        {some < running.length && <p><button type="button" onClick={() => showAll(true)}>Show all {running.length} that print</button></p>}
      </section>
      <Waiting jobs={waiting} />
      {untold > 0 && <p className="faint">{untold} more wait behind these.</p>}
    </>
  );
}
