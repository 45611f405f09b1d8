/** A job's life as a line of steps, each with when it was and how long it took; behind it all that happened. */

import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { get } from "../api/ask";
import type { EventDocument, JobDocument } from "../api/shapes";
import { Since } from "../parts/since";
import { useSession } from "../session";
import { actor, clock, duration, moment, plain } from "../words";

/** The first lines tell when each step was; a job of a thousand copies has many more. */
const FIRST = 200;
const LAST = 100;

export interface Step {
  words: string;
  /** When it was; null while it was not yet. */
  at: string | null;
}

/** The steps of a job, as far as they are known. Pure. */
export function stepsOf(job: JobDocument, events: readonly EventDocument[]): Step[] {
  const first = (name: string): string | null => events.find((each) => each.name === name)?.at ?? null;
  const earliest = (times: (string | null)[]): string | null => times.filter((each) => each !== null).sort()[0] ?? null;
  const sliced: Step[] = job.model_sha256 ? [{ words: "sliced", at: first("plate.made") }] : [];
  const ended = ["finished", "failed", "cancelled"].includes(job.state);
  return [
    { words: "received", at: job.created_at },
    ...sliced,
    { words: "given to a printer", at: earliest(job.runs.map(({ leased_at }) => leased_at)) },
    { words: "sent", at: first("run.permitted") },
    { words: "printing", at: earliest(job.runs.map(({ started_at }) => started_at)) },
    { words: ended ? job.state : "done", at: ended ? job.updated_at : null },
  ];
}

export function Life({ job }: { job: JobDocument }): ReactNode {
  const { may } = useSession();
  const { data } = useQuery({
    queryKey: ["job", job.id, "life", job.version, job.plates.length],
    queryFn: ({ signal }) => get<{ items: EventDocument[] }>(`/events?job=${encodeURIComponent(job.id)}&limit=${FIRST}`, signal),
    placeholderData: (before) => before,
    enabled: may("history:read"),
  });
  const steps = stepsOf(job, data?.items ?? []);
  const now = steps.findLastIndex(({ at }) => at !== null);
  const ended = now === steps.length - 1;
  return (
    <section aria-label="Its life">
      <ol className="life">
        {steps.map(({ words, at }, index) => {
          const next = steps.slice(index + 1).find((each) => each.at)?.at ?? null;
          return (
            <li key={words} className={at ? index === now && !ended ? "work" : "good" : "quiet"} aria-current={index === now ? "step" : undefined}>
              <strong>{words}</strong>
              {at ? <time dateTime={at} title={moment(at)}>{clock(new Date(at))}</time> : <span className="faint">{index < now ? "not told" : "not yet"}</span>}
              {at && next && <span className="faint">{duration((Date.parse(next) - Date.parse(at)) / 1000)}</span>}
              {at && index === now && !ended && <span className="faint">for <Since at={at} /></span>}
            </li>
          );
        })}
      </ol>
      {may("history:read") && <Told job={job} />}
    </section>
  );
}

/** What history says of it, the newest first. */
function Told({ job }: { job: JobDocument }): ReactNode {
  const [open, setOpen] = useState(false);
  const { data, error } = useQuery({
    queryKey: ["job", job.id, "told", job.version],
    queryFn: ({ signal }) => get<{ items: EventDocument[] }>(`/events?job=${encodeURIComponent(job.id)}&last=${LAST}&limit=${LAST}`, signal),
    placeholderData: (before) => before,
    enabled: open,
  });
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>All that happened</summary>
      {error && <p className="bad">{error.message}</p>}
      <ol className="events">
        {data?.items.toReversed().map((each) => (
          <li key={each.number}>
            <time dateTime={each.at}>{moment(each.at)}</time>{" "}
            <strong>{plain(each.name.replace(".", " "))}</strong>{" "}
            <span className="faint">{[String(each.facts?.printer_id ?? ""), each.cause, `by ${actor(each.actor)}`].filter(Boolean).join(" · ")}</span>
          </li>
        ))}
      </ol>
      {data?.items.length === LAST && <p className="faint">Only the newest {LAST} are shown; <code>farmhand events --job {job.id}</code> tells all.</p>}
    </details>
  );
}
