/** One job: what it is, how far it is, what its plates look like, what became of each run. */

import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { get } from "../api/ask";
import type { JobDocument, ProvenanceDocument, RunDocument, WaitDocument } from "../api/shapes";
import { againJob, approveJob, cancelJob, pauseJob, resumeJob } from "../deeds";
import { nameOf, useJob } from "../live/store";
import { Deed } from "../parts/deed";
import { PlateShown } from "../parts/plate";
import { Reasons } from "../parts/reasons";
import { Since } from "../parts/since";
import { Bar, State } from "../parts/state";
import { useSession } from "../session";
import { whyInWords } from "../why";
import { actor, duration, grams, JOB, moment, percent, plain } from "../words";
import { Change } from "./job_change";
import { Life } from "./job_life";
import { Runs } from "./job_runs";
import "../styles/job.css";

const ENDED = new Set(["finished", "failed", "cancelled"]);
const FEW = 8;
const PRINTS = new Set<RunDocument["state"]>(["printing", "paused"]);

export function Job({ id }: { id: string }): ReactNode {
  const version = useJob(id)?.version ?? 0;
  const { data: job, error } = useQuery({
    queryKey: ["job", id, version],
    queryFn: ({ signal }) => get<JobDocument>(`/jobs/${encodeURIComponent(id)}`, signal),
    placeholderData: (before) => before,
    refetchInterval: ({ state }) => (state.data && ENDED.has(state.data.state) ? false : 5000),
  });
  if (error && !job) return <p className="alone bad">{error.message}</p>;
  if (!job) return <p className="alone" role="status">One moment …</p>;
  const said = job.held && !ENDED.has(job.state) ? { words: "paused", tone: "care" as const } : JOB[job.state];
  return (
    <article>
      <h1>{job.name} <State {...said} /></h1>
      {job.reason && <p className={said.tone}>{job.reason}</p>}
      <Deeds job={job} />
      {job.warnings.map((warning) => <p key={warning} className="care">{warning}</p>)}
      <Copies job={job} />
      {job.preparing_ratio !== null && <p className="how"><Bar ratio={job.preparing_ratio} label="slicing" /> slicing, {percent(job.preparing_ratio)}</p>}
      <Life job={job} />
      {job.waits.length > 0 && job.copies_finished + job.copies_live < job.copies && !ENDED.has(job.state) && <Waits job={job.id} waits={job.waits} />}
      <section aria-label="Plates">
        <h2>Plates</h2>
        <div className="plates">
          {job.plates.map((plate) => (
            <PlateShown key={plate.sha256} plate={plate} run={job.runs.findLast((run) => run.plate_sha256 === plate.sha256 && PRINTS.has(run.state)) ?? null} />
          ))}
          {job.unmade.map((each) => <p key={each.printer_class}>{each.printer_class}: {each.reason || each.stage || plain(each.state)}</p>)}
          {!job.plates.length && !job.unmade.length && <p className="faint">None yet: it is sliced when a printer could take it.</p>}
        </div>
      </section>
      <Runs job={job} />
      <Facts job={job} />
    </article>
  );
}

/** In a sentence, and printer by printer: at once where these are few. */
function Waits({ job, waits }: { job: string; waits: readonly WaitDocument[] }): ReactNode {
  const printers = new Set(waits.flatMap(({ printer_id }) => printer_id ?? []));
  const [open, setOpen] = useState(printers.size <= FEW);
  return (
    <section aria-label="Why it waits">
      <h2>Why it waits</h2>
      <p>{whyInWords(waits, nameOf)}</p>
      {printers.size > 0 && (
        <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary>Printer by printer</summary>
          {open && <Reasons job={job} />}
        </details>
      )}
    </section>
  );
}

function Deeds({ job }: { job: JobDocument }): ReactNode {
  const { may, caller } = useSession();
  const [, go] = useLocation();
  const { id, name } = job;
  const mine = may("jobs:manage") || (may("jobs:submit") && job.owner === caller.owner);
  const open = !ENDED.has(job.state);
  return (
    <div className="deeds">
      {!job.approved && open && may("jobs:manage") && <Deed kind="main" does={() => approveJob(id)}>Approve</Deed>}
      {mine && open && (
        <>
          {job.held ? <Deed kind="main" does={() => resumeJob(id)}>Go on</Deed> : <Deed does={() => pauseJob(id)}>Pause</Deed>}
          <Change job={job} />
          <Deed kind="danger" does={() => cancelJob(id, name)} sure={`Cancel ${name}? What prints of it is stopped.`}>Cancel</Deed>
        </>
      )}
      {may("jobs:submit") && (
        <Deed kind={open ? "" : "main"} does={() => againJob(id, name).then((made) => go(`/jobs/${encodeURIComponent(made.id)}`))}>Print again</Deed>
      )}
    </div>
  );
}

function Copies({ job }: { job: JobDocument }): ReactNode {
  return (
    <p className="how">
      <Bar ratio={job.copies_finished / job.copies} label="copies that are done" />
      <span className="copies"><strong>{job.copies_finished}/{job.copies}</strong> {job.copies === 1 ? "copy" : "copies"} done{job.copies_live ? `, ${job.copies_live} at printers` : ""}</span>
    </p>
  );
}

function Facts({ job }: { job: JobDocument }): ReactNode {
  const { data } = useQuery({
    queryKey: ["job", job.id, "provenance"],
    queryFn: ({ signal }) => get<ProvenanceDocument>(`/jobs/${encodeURIComponent(job.id)}/provenance`, signal),
    staleTime: Infinity,
  });
  const wanted = [job.printer_id ?? "", job.printer_class, job.printer_group, ...job.printer_tags.map((tag) => `#${tag}`)].filter(Boolean);
  const settings = Object.entries(job.settings);
  return (
    <section aria-label="What was asked for">
      <h2>What was asked for</h2>
      <dl className="facts">
        <dt>On</dt><dd>{wanted.join(", ") || "any printer that fits"}</dd>
        <dt>Material</dt><dd>{job.material || "what is loaded"}</dd>
        {job.quality && <><dt>Quality</dt><dd>{job.quality}</dd></>}
        {settings.length > 0 && <><dt>Settings</dt><dd>{settings.map(([name, value]) => `${plain(name)} ${value}`).join(", ")}</dd></>}
        <dt>Priority</dt><dd>{job.priority}</dd>
        {job.due_at && <><dt>Due</dt><dd className={job.late ? "late" : undefined}>{moment(job.due_at)}{job.late && <>, late{!ENDED.has(job.state) && <> by <Since at={job.due_at} /></>}</>}</dd></>}
        {job.estimate && <><dt>All of it takes</dt><dd>{[duration(job.estimate.seconds), grams(job.filament_g), job.cost !== null && `costs ${job.cost.toFixed(2)}`].filter(Boolean).join(", ")}</dd></>}
        <dt>From</dt><dd>{actor(job.owner) || "unknown"}, {moment(job.created_at)}</dd>
        {job.model_id && <><dt>Model</dt><dd><Link href={`/models/${encodeURIComponent(job.model_id)}`}>version {job.model_version} in the library</Link></dd></>}
        {data && Object.entries(data.facts).map(([name, value]) => <Fact key={name} name={plain(name)} value={value} />)}
        <dt>Id</dt><dd><code>{job.id}</code></dd>
      </dl>
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string }): ReactNode {
  return <><dt>{name[0]?.toUpperCase()}{name.slice(1)}</dt><dd>{value}</dd></>;
}
