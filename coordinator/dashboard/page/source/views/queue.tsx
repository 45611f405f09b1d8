/** The queue: what waits and why, what prints, what is done. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { get } from "../api/ask";
import type { JobDocument, JobGlanceDocument, JobState, PageOfJobDocument, WaitDocument } from "../api/shapes";
import { approveJob, cancelJob, pauseJob, resumeJob } from "../deeds";
import { useCounts, useJob, useJobs } from "../live/store";
import { Deed } from "../parts/deed";
import { Since } from "../parts/since";
import { Bar, State } from "../parts/state";
import { useSession } from "../session";
import { count, JOB, moment, percent } from "../words";

const RUNNING: ReadonlySet<JobState> = new Set(["leased", "printing", "cancelling", "lost"]);
const ENDED: readonly JobState[] = ["finished", "failed", "cancelled"];
const PAGE = 50;

export function Queue(): ReactNode {
  const jobs = useJobs();
  const running = jobs.filter(({ state }) => RUNNING.has(state));
  const waiting = jobs.filter(({ state }) => !RUNNING.has(state)).sort(byTurn);
  return (
    <>
      <h1>Queue</h1>
      <Part title="Printing" jobs={running} none="Nothing is being printed." />
      <Part title="Waiting" jobs={waiting} none="Nothing waits. Drop a model or G-code anywhere on this page." explained />
      <Done />
    </>
  );
}

/** As the farm takes them: those that somebody put before others first, then in order of arrival. */
function byTurn(a: JobGlanceDocument, b: JobGlanceDocument): number {
  return b.priority - a.priority || a.created_at.localeCompare(b.created_at);
}

interface PartShown {
  title: string;
  jobs: JobGlanceDocument[];
  none: string;
  explained?: boolean;
}

function Part({ title, jobs, none, explained = false }: PartShown): ReactNode {
  return (
    <section aria-label={title}>
      <h2>{title} <span className="faint">{jobs.length}</span></h2>
      {jobs.length ? (
        <ol className="jobs">{jobs.map(({ id }) => <Line key={id} id={id} explained={explained} />)}</ol>
      ) : <p className="faint">{none}</p>}
    </section>
  );
}

function Line({ id, explained }: { id: string; explained: boolean }): ReactNode {
  const job = useJob(id);
  const { may, caller } = useSession();
  if (!job) return null;
  const said = job.held ? { words: "paused", tone: "care" as const } : JOB[job.state];
  const mine = may("jobs:manage") || (may("jobs:submit") && (job as Partial<JobDocument>).owner === caller.owner);
  return (
    <li className={`job ${said.tone}`}>
      <div className="head">
        <Link href={`/jobs/${encodeURIComponent(id)}`} className="name">{job.name}</Link>
        <State {...said} />
        <span className="copies" aria-label={`${job.copies_finished} of ${job.copies} copies are done`}>{job.copies_finished}/{job.copies}</span>
        <span className="faint">{[job.material, job.printer_class].filter(Boolean).join(" · ")}</span>
        <span className="faint">for <Since at={job.created_at} /></span>
        {mine && (
          <span className="deeds">
            {job.held
              ? <Deed does={() => resumeJob(id)} label={`Go on with ${job.name}`}>Go on</Deed>
              : <Deed does={() => pauseJob(id)} label={`Pause ${job.name}`}>Pause</Deed>}
            <Deed kind="danger" label={`Cancel ${job.name}`} does={() => cancelJob(id, job.name)}
              sure={`Cancel ${job.name}? What prints of it is stopped.`}>Cancel</Deed>
          </span>
        )}
      </div>
      {job.preparing_ratio !== null && <p className="how"><Bar ratio={job.preparing_ratio} label={`slicing ${job.name}`} /> slicing, {percent(job.preparing_ratio)}</p>}
      {job.reason && <p>{job.reason}</p>}
      {explained && <Why id={id} name={job.name} />}
    </li>
  );
}

/** Why a job waits, printer by printer, once somebody wants to know. */
function Why({ id, name }: { id: string; name: string }): ReactNode {
  const [open, setOpen] = useState(false);
  const { may } = useSession();
  const { data, error } = useQuery({
    queryKey: ["why", id],
    queryFn: ({ signal }) => get<{ items: WaitDocument[] }>(`/jobs/${encodeURIComponent(id)}/why`, signal),
    enabled: open,
    refetchInterval: 5000,
  });
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Why does it wait?</summary>
      {error && <p className="bad">{error.message}</p>}
      <ul className="why">
        {data?.items.map((wait) => (
          <li key={`${wait.printer_id}${wait.code}`}>
            {wait.printer_id && <Link href={`/printers/${encodeURIComponent(wait.printer_id)}`}>{wait.printer_id}</Link>}
            {wait.printer_id ? `: ${wait.words}` : wait.words}
            {wait.code === "not_approved" && may("jobs:manage") && <Deed does={() => approveJob(id)} label={`Approve ${name}`}>Approve</Deed>}
          </li>
        ))}
        {data && !data.items.length && <li>It starts any moment.</li>}
      </ul>
    </details>
  );
}

function Done(): ReactNode {
  const [cursors, setCursors] = useState<string[]>([""]);
  const cursor = cursors.at(-1)!;
  const states = ENDED.map((state) => `state=${state}`).join("&");
  // One more that has ended is a reason to look anew.
  const counts = useCounts().jobs;
  const ended = ENDED.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
  const { data } = useQuery({
    queryKey: ["jobs", "ended", cursor, ended],
    queryFn: ({ signal }) => get<PageOfJobDocument>(`/jobs?order=newest&limit=${PAGE}&${states}&cursor=${encodeURIComponent(cursor)}`, signal),
    placeholderData: keepPreviousData,
  });
  return (
    <section aria-label="Done">
      <h2>Done {data?.total != null && <span className="faint">{data.total}</span>}</h2>
      <ol className="jobs done">
        {data?.items.map((job) => (
          <li key={job.id} className={`job ${JOB[job.state].tone}`}>
            <div className="head">
              <Link href={`/jobs/${encodeURIComponent(job.id)}`} className="name">{job.name}</Link>
              <State {...JOB[job.state]} />
              <span className="copies">{count(job.copies_finished, "copy", "copies")}</span>
              <span className="faint">{moment(job.updated_at)}</span>
            </div>
            {job.reason && <p>{job.reason}</p>}
          </li>
        ))}
      </ol>
      <p className="pages">
        {cursors.length > 1 && <button type="button" onClick={() => setCursors(cursors.slice(0, -1))}>Newer</button>}
        {data?.next && <button type="button" onClick={() => setCursors([...cursors, data.next!])}>Older</button>}
      </p>
    </section>
  );
}
