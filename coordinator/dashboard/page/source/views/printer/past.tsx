/** What a printer printed, and what happened to it. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { Link } from "wouter";
import { get, picture } from "../../api/ask";
import type { EventsPage, ItemsOfPrinterRunDocument, PrinterRunDocument, RunState } from "../../api/shapes";
import { Since } from "../../parts/since";
import { State } from "../../parts/state";
import { actor, duration, moment, plain, type Tone } from "../../words";

const LINES = 40;
const TONES: Partial<Record<RunState, Tone>> = {
  printing: "work", paused: "care", finished: "good", failed: "bad", lost: "bad", stopped: "care",
};

export function Runs({ id, busy }: { id: string; busy: boolean }): ReactNode {
  const { data } = useQuery({
    queryKey: ["runs", id, busy],
    queryFn: ({ signal }) => get<ItemsOfPrinterRunDocument>(`/printers/${encodeURIComponent(id)}/runs?limit=10`, signal),
    refetchInterval: 30_000,
  });
  return (
    <section aria-label="Last runs" className="block">
      <h2>Last runs</h2>
      {data && !data.items.length && <p className="faint">Nothing was printed here yet.</p>}
      <ul className="past">{data?.items.map((run) => <Run key={run.id} run={run} />)}</ul>
    </section>
  );
}

function Run({ run }: { run: PrinterRunDocument }): ReactNode {
  const [shown, setShown] = useState(false);
  const took_s = run.started_at && run.ended_at ? (Date.parse(run.ended_at) - Date.parse(run.started_at)) / 1000 : null;
  return (
    <li>
      <State words={plain(run.state)} tone={TONES[run.state] ?? "quiet"} />
      <Link href={`/jobs/${encodeURIComponent(run.job_id)}`}>{run.job.name}</Link>
      <span className="faint">{moment(run.started_at ?? run.leased_at)}{took_s !== null && ` · ${duration(took_s)}`}</span>
      {run.reason && <span className="reason">{run.reason}</span>}
      {run.seen && <button type="button" aria-expanded={shown} aria-label={`How ${run.job.name} looked in the end`} onClick={() => setShown(!shown)}>{shown ? "Hide" : "How it looked"}</button>}
      {shown && <End run={run} />}
    </li>
  );
}

function End({ run }: { run: PrinterRunDocument }): ReactNode {
  const [source, setSource] = useState("");
  useEffect(() => {
    const gone = new AbortController();
    let mine = "";
    picture(`/runs/${encodeURIComponent(run.id)}/picture`, "", gone.signal).then((seen) => {
      mine = seen?.source ?? "";
      setSource(mine);
    }, () => undefined);
    return () => {
      gone.abort();
      if (mine) URL.revokeObjectURL(mine);
    };
  }, [run.id]);
  return source ? <img src={source} alt={`the bed when ${run.job.name} ended`} /> : null;
}

export function History({ id }: { id: string }): ReactNode {
  const { data } = useQuery({
    queryKey: ["events", "printer", id],
    queryFn: ({ signal }) => get<EventsPage>(`/events?printer=${encodeURIComponent(id)}&last=${LINES}`, signal),
    refetchInterval: 10_000,
  });
  return (
    <section aria-label="History" className="block">
      <h2>History</h2>
      <ol className="events">
        {data?.items.toReversed().map((line) => (
          <li key={line.number}>
            <span className="faint" title={moment(line.at)}><Since at={line.at} /> ago</span>{" "}
            <strong>{line.name}</strong> {line.subject !== "printer" && line.subject_id} <span className="faint">{actor(line.actor)}</span>
            {line.cause && <span> {line.cause}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}
