/** What became of each attempt to print a job, and what a person says of those that are lost. */

import type { ReactNode } from "react";
import { Link } from "wouter";
import type { JobDocument, RunDocument } from "../api/shapes";
import { settleRun } from "../deeds";
import { usePrinter } from "../live/store";
import { Deed } from "../parts/deed";
import { Bar, State } from "../parts/state";
import { useSession } from "../session";
import { count, duration, moment, percent, plain, type Tone } from "../words";
import "../styles/asking.css";

const TONES: Partial<Record<RunDocument["state"], Tone>> = {
  leased: "work", permitted: "work", printing: "work", paused: "care", finished: "good", failed: "bad", lost: "bad",
};
const SAID: Partial<Record<RunDocument["state"], string>> = {
  leased: "getting ready", permitted: "about to start", revoked: "given back", discarded: "does not count",
};

/** What a person may have seen, and what follows from it. */
const OUTCOMES = [
  { outcome: "finished", words: "It was printed", then: "The part is there and good: it counts, and nothing is printed again." },
  { outcome: "failed", words: "It went wrong", then: "It began and came to nothing: one of its tries is used up." },
  { outcome: "reprint", words: "Print it again", then: "It never began, or shall not count: it is printed once more." },
] as const;

export function Runs({ job }: { job: JobDocument }): ReactNode {
  return (
    <section aria-label="Runs">
      <h2>Runs <span className="faint">{job.runs.length}</span></h2>
      <ol className="jobs">{job.runs.toReversed().map((run) => <Run key={run.id} run={run} job={job} />)}</ol>
      {!job.runs.length && <p className="faint">It was not printed yet.</p>}
    </section>
  );
}

function Run({ run, job }: { run: RunDocument; job: JobDocument }): ReactNode {
  const printer = usePrinter(run.printer_id);
  const live = !run.ended_at && printer?.live?.run_id === run.id ? printer.live : null;
  const tone = TONES[run.state] ?? "quiet";
  return (
    <li className={`job ${tone}`}>
      <div className="head">
        <Link href={`/printers/${encodeURIComponent(run.printer_id)}`} className="name">{printer?.name ?? run.printer_id}</Link>
        <State words={SAID[run.state] ?? plain(run.state)} tone={tone} />
        {run.copies > 1 && <span className="copies">{count(run.copies, "copy", "copies")}</span>}
        <span className="faint">
          {run.started_at ? `began ${moment(run.started_at)}` : `given ${moment(run.leased_at)}`}
          {run.ended_at && `, ended ${moment(run.ended_at)}`}
        </span>
      </div>
      {live && (
        <p className="how"><Bar ratio={live.progress_ratio} label={`this run on ${printer?.name}`} />
          <span>{[percent(live.progress_ratio), live.layer_count > 0 && `layer ${live.layer} of ${live.layer_count}`,
            live.remaining_s !== null && `${duration(live.remaining_s)} left`].filter(Boolean).join(" · ")}</span>
        </p>
      )}
      {run.ended_at && <Took run={run} job={job} />}
      {run.reason && <p>{run.reason}</p>}
      {run.state === "lost" && <Settle run={run} printer={printer?.name ?? run.printer_id} />}
    </li>
  );
}

/** What was foretold, against what it took. */
function Took({ run, job }: { run: RunDocument; job: JobDocument }): ReactNode {
  const took_s = typeof run.facts.duration_s === "number" ? run.facts.duration_s
    : run.started_at && run.ended_at ? (Date.parse(run.ended_at) - Date.parse(run.started_at)) / 1000 : null;
  const foretold_s = job.plates.find(({ sha256 }) => sha256 === run.plate_sha256)?.estimate?.seconds ?? null;
  if (took_s === null) return null;
  const finished = run.state === "finished";
  return (
    <p className="faint">
      {finished ? "Took" : "Ended after"} {duration(took_s)}
      {foretold_s !== null && `, foretold ${duration(foretold_s)}`}
      {finished && foretold_s ? `: ${percentMore(took_s / foretold_s - 1)}` : ""}
      {!finished && run.layer > 0 && `, at layer ${run.layer}, line ${run.line}`}
    </p>
  );
}

function percentMore(ratio: number): string {
  const whole = Math.round(ratio * 100);
  return whole === 0 ? "just that" : `${Math.abs(whole)} % ${whole > 0 ? "more" : "less"}`;
}

function Settle({ run, printer }: { run: RunDocument; printer: string }): ReactNode {
  const { may } = useSession();
  if (!may("printers:operate")) return <p className="care">Somebody who runs the printers has to say what became of it.</p>;
  return (
    <div className="settle" role="group" aria-label={`What became of it on ${printer}?`}>
      <p>Nobody knows whether this was printed. <strong>Look at {printer}</strong>, then say what became of it:</p>
      <ul>
        {OUTCOMES.map(({ outcome, words, then }) => (
          <li key={outcome}>
            <Deed kind={outcome === "finished" ? "main" : ""} does={() => settleRun(run.id, outcome)}>{words}</Deed>
            <span>{then}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
