/** One job of the queue: what it is, how far it is, why it waits, what can be done. */

import { useQuery } from "@tanstack/react-query";
import { memo, useState, type ReactNode } from "react";
import { Link } from "wouter";
import { get } from "../api/ask";
import type { JobDocument, JobGlanceDocument } from "../api/shapes";
import { approveJob, cancelJob, pauseJob, resumeJob } from "../deeds";
import { nameOf, useJob } from "../live/store";
import { Deed } from "../parts/deed";
import { Reasons } from "../parts/reasons";
import { Since, useNow } from "../parts/since";
import { Bar, State } from "../parts/state";
import { useInSight } from "../parts/visible";
import { useSession } from "../session";
import { whyInWords } from "../why";
import { clock, duration, JOB, percent } from "../words";
import { Where } from "./where";

const WHY_MS = 30_000;

interface Shown {
  id: string;
  /** What stands before its name: its place, what takes hold of it. */
  before?: ReactNode;
  mark?: string;
}

export const Line = memo(function Line({ id, before, mark = "" }: Shown): ReactNode {
  const job = useJob(id);
  const [at, inSight, seen] = useInSight();
  if (!job) return null;
  const waits = job.state === "ready" || job.state === "received" || job.state === "preparing";
  const said = job.held ? { words: "paused", tone: "care" as const }
    : !job.approved && waits ? { words: "to approve", tone: "care" as const } : JOB[job.state];
  return (
    <li ref={at} className={`job ${said.tone} ${mark}`} data-job={id}>
      <div className="head">
        {before}
        <Link href={`/jobs/${encodeURIComponent(id)}`} className="name">{job.name}</Link>
        <State {...said} />
        <Copies job={job} />
        <span className="faint">{[job.material, job.printer_class, job.printer_id && nameOf(job.printer_id)].filter(Boolean).join(" · ")}</span>
        <Due job={job} inSight={inSight} />
        <Does job={job} waits={waits} />
      </div>
      {job.preparing_ratio !== null && <p className="how"><Bar ratio={job.preparing_ratio} label={`slicing ${job.name}`} /> slicing, {percent(job.preparing_ratio)}</p>}
      {job.copies_live > 0 && seen && <Where job={id} inSight={inSight} />}
      {waits ? seen && <Why job={job} inSight={inSight} /> : job.reason && <p>{job.reason}</p>}
    </li>
  );
});

function Copies({ job }: { job: JobGlanceDocument }): ReactNode {
  const words = `${job.copies_finished} of ${job.copies} copies are done${job.copies_live ? `, ${job.copies_live} on printers` : ""}`;
  return (
    <span className="copies" title={words}>
      <span aria-hidden="true">{job.copies_finished}/{job.copies}</span><span className="hidden">{words}</span>
      {job.copies > 1 && <span className="copies-bar" aria-hidden="true">
        <span style={{ width: percentOf(job.copies_finished, job.copies) }} /><span style={{ width: percentOf(job.copies_live, job.copies) }} />
      </span>}
    </span>
  );
}

const percentOf = (some: number, all: number): string => `${Math.min(100, (some / all) * 100)}%`;

/** What nobody sees does not count the seconds. */
function Due({ job, inSight }: { job: JobGlanceDocument; inSight: boolean }): ReactNode {
  const now = useNow(60);
  if (!job.due_at) return <span className="faint">for {inSight ? <Since at={job.created_at} /> : duration((now - Date.parse(job.created_at)) / 1000)}</span>;
  const late = Date.parse(job.due_at) < now;
  return <span className={late ? "late" : "faint"}>{late ? "▲ late: it was due " : "due "}{clock(new Date(job.due_at), new Date(now))}</span>;
}

function Does({ job, waits }: { job: JobGlanceDocument; waits: boolean }): ReactNode {
  const { may, caller } = useSession();
  const mine = may("jobs:manage") || (may("jobs:submit") && job.owner === (caller.owner || caller.actor));
  if (!mine) return null;
  return (
    <span className="deeds">
      {waits && !job.approved && may("jobs:manage") && <Deed kind="main" does={() => approveJob(job.id)} label={`Approve ${job.name}`}>Approve</Deed>}
      {job.held
        ? <Deed does={() => resumeJob(job.id)} label={`Go on with ${job.name}`}>Go on</Deed>
        : job.state !== "lost" && job.state !== "cancelling" && <Deed does={() => pauseJob(job.id)} label={`Pause ${job.name}`}>Pause</Deed>}
      <Deed kind="danger" label={`Cancel ${job.name}`} does={() => cancelJob(job.id, job.name)}
        {...(waits ? {} : { sure: `Cancel ${job.name}? What prints of it is stopped.` })}>Cancel</Deed>
    </span>
  );
}

/** Why a job waits, in a sentence; printer by printer, once somebody wants to know. */
function Why({ job, inSight }: { job: JobGlanceDocument; inSight: boolean }): ReactNode {
  const [open, setOpen] = useState(false);
  const path = `/jobs/${encodeURIComponent(job.id)}`;
  const whole = useQuery({
    queryKey: ["job", job.id, job.version], queryFn: ({ signal }) => get<JobDocument>(path, signal),
    refetchInterval: WHY_MS, enabled: inSight, placeholderData: (before) => before,
  });
  const estimate = whole.data?.estimate;
  const words = whole.data ? whyInWords(whole.data.waits, nameOf) || "It starts any moment." : job.reason;
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary><span className="hidden">Why does it wait? </span>{words || "…"}{estimate && <span className="faint"> Takes {duration(estimate.seconds)}.</span>}</summary>
      {open && inSight && <Reasons job={job.id} />}
    </details>
  );
}
