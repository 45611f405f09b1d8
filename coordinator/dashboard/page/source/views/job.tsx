/** One job: what it is, how far it is, what became of each run. */

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { get } from "../api/ask";
import type { JobDocument, PlateDocument, RunDocument } from "../api/shapes";
import { approveJob, cancelJob, pauseJob, resumeJob, settleRun } from "../deeds";
import { useJob } from "../live/store";
import { Deed } from "../parts/deed";
import { Picture, pictureOf } from "../parts/picture";
import { Bar, State } from "../parts/state";
import { useSession } from "../session";
import { actor, duration, grams, JOB, moment, percent, plain } from "../words";

const ENDED = new Set(["finished", "failed", "cancelled"]);

export function Job({ id }: { id: string }): ReactNode {
  const version = useJob(id)?.version ?? 0;
  const { may, caller } = useSession();
  const { data: job, error } = useQuery({
    queryKey: ["job", id, version],
    queryFn: ({ signal }) => get<JobDocument>(`/jobs/${encodeURIComponent(id)}`, signal),
    placeholderData: (before) => before,
    refetchInterval: 5000,
  });
  if (error && !job) return <p className="alone bad">{error.message}</p>;
  if (!job) return <p className="alone" role="status">One moment …</p>;
  const said = job.held ? { words: "paused", tone: "care" as const } : JOB[job.state];
  const mine = may("jobs:manage") || (may("jobs:submit") && job.owner === caller.owner);
  return (
    <article>
      <h1>{job.name} <State {...said} /></h1>
      {job.reason && <p>{job.reason}</p>}
      <p className="deeds">
        {mine && !ENDED.has(job.state) && (
          <>
            {job.held ? <Deed does={() => resumeJob(id)}>Go on</Deed> : <Deed does={() => pauseJob(id)}>Pause</Deed>}
            <Deed kind="danger" does={() => cancelJob(id, job.name)} sure={`Cancel ${job.name}? What prints of it is stopped.`}>Cancel</Deed>
          </>
        )}
        {!job.approved && may("jobs:manage") && <Deed kind="main" does={() => approveJob(id)}>Approve</Deed>}
      </p>
      {job.preparing_ratio !== null && <p className="how"><Bar ratio={job.preparing_ratio} label="slicing" /> slicing, {percent(job.preparing_ratio)}</p>}
      <dl className="facts">
        <dt>Copies</dt><dd>{job.copies_finished} of {job.copies} done{job.copies_live ? `, ${job.copies_live} printing` : ""}</dd>
        <dt>For</dt><dd>{job.printer_id ?? (job.printer_class || "any printer that fits")}</dd>
        <dt>Material</dt><dd>{job.material || "what is loaded"}</dd>
        {job.quality && <><dt>Quality</dt><dd>{job.quality}</dd></>}
        {job.estimate && <><dt>All of it takes</dt><dd>{duration(job.estimate.seconds)}{job.filament_g !== null && `, ${grams(job.filament_g)}`}</dd></>}
        <dt>From</dt><dd>{actor(job.owner) || "unknown"}, {moment(job.created_at)}</dd>
        <dt>Id</dt><dd><code>{job.id}</code></dd>
      </dl>
      {job.waits.length > 0 && (
        <section aria-label="Why it waits">
          <h2>Why it waits</h2>
          <ul className="why">{job.waits.map((wait) => <li key={`${wait.printer_id}${wait.code}`}>{wait.printer_id && `${wait.printer_id}: `}{wait.words}</li>)}</ul>
        </section>
      )}
      <section aria-label="Plates">
        <h2>Plates</h2>
        <div className="plates">
          {job.plates.map((plate) => <Plate key={plate.sha256} plate={plate} />)}
          {job.unmade.map((each) => <p key={each.printer_class}>{each.printer_class}: {each.reason || each.stage || plain(each.state)}</p>)}
          {!job.plates.length && !job.unmade.length && <p className="faint">None yet: it is sliced when a printer could take it.</p>}
        </div>
      </section>
      <section aria-label="Runs">
        <h2>Runs</h2>
        <ol className="runs">{job.runs.map((run) => <Run key={run.id} run={run} />)}</ol>
        {!job.runs.length && <p className="faint">It was not printed yet.</p>}
      </section>
    </article>
  );
}

function Plate({ plate }: { plate: PlateDocument }): ReactNode {
  const url = pictureOf(plate.pictures, "plate", 300);
  return (
    <figure>
      {url && <Picture url={url} alt={`the plate for ${plate.printer_class}`} />}
      <figcaption>
        <strong>{plate.printer_class || "any printer"}</strong>{" "}
        {[plate.material, plate.estimate && duration(plate.estimate.seconds), grams(plate.filament_g),
          plate.layer_count && `${plate.layer_count} layers`, plate.engine].filter(Boolean).join(" · ")}
        {plate.remarks.map((remark) => <span key={remark} className="remark">{remark}</span>)}
      </figcaption>
    </figure>
  );
}

function Run({ run }: { run: RunDocument }): ReactNode {
  const { may } = useSession();
  return (
    <li>
      <Link href={`/printers/${encodeURIComponent(run.printer_id)}`}>{run.printer_id}</Link> <strong>{plain(run.state)}</strong>{" "}
      <span className="faint">
        {run.started_at ? `began ${moment(run.started_at)}` : `given ${moment(run.leased_at)}`}
        {run.ended_at && `, ended ${moment(run.ended_at)}`}{run.line > 0 && `, line ${run.line}`}
      </span>
      {run.reason && <p>{run.reason}</p>}
      {run.state === "lost" && may("printers:operate") && (
        <p className="deeds">
          Look at the printer. What became of it?
          <Deed kind="main" does={() => settleRun(run.id, "finished")}>It was printed</Deed>
          <Deed does={() => settleRun(run.id, "failed")}>It went wrong</Deed>
          <Deed does={() => settleRun(run.id, "reprint")}>Print it again</Deed>
        </p>
      )}
    </li>
  );
}
