/** Jobs that have ended, the newest first; what is wanted again is ordered again. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { get } from "../api/ask";
import type { JobDocument, JobState, PageOfJobDocument } from "../api/shapes";
import { againJob, each } from "../deeds";
import { useCounts } from "../live/store";
import { Deed } from "../parts/deed";
import { Picture, pictureOf } from "../parts/picture";
import { State } from "../parts/state";
import { useSession } from "../session";
import { count, JOB, moment } from "../words";

const ENDED: readonly JobState[] = ["finished", "failed", "cancelled"];
const PAGE = 50;

export function Done(): ReactNode {
  const [cursors, setCursors] = useState<string[]>([""]);
  const [state, setState] = useState<JobState | "">("");
  const [text, setText] = useState("");
  const [chosen, choose] = useState<ReadonlySet<string>>(new Set());
  const { may } = useSession();
  const cursor = cursors.at(-1)!;
  const states = (state ? [state] : ENDED).map((one) => `state=${one}`).join("&");
  // One more that has ended is a reason to look anew.
  const counts = useCounts().jobs;
  const ended = ENDED.reduce((sum, one) => sum + (counts[one] ?? 0), 0);
  const { data, error } = useQuery({
    queryKey: ["jobs", "ended", cursor, ended, state, text],
    queryFn: ({ signal }) => get<PageOfJobDocument>(
      `/jobs?order=newest&limit=${PAGE}&${states}&text=${encodeURIComponent(text)}&cursor=${encodeURIComponent(cursor)}`, signal),
    placeholderData: keepPreviousData,
  });
  const narrow = (): void => setCursors([""]);
  const toggle = (id: string): void => choose((before) => {
    const after = new Set(before);
    if (!after.delete(id)) after.add(id);
    return after;
  });
  const those = data?.items.filter(({ id }) => chosen.has(id)) ?? [];
  return (
    <section aria-label="Done">
      <h2>Done {data?.total != null && <span className="faint">{data.total}</span>}</h2>
      <div className="bar-of-tools">
        <div className="chips" role="group" aria-label="Only jobs that are">
          {ENDED.map((one) => (
            <button key={one} type="button" className={`chip ${JOB[one].tone}`} aria-pressed={state === one}
              onClick={() => { setState(state === one ? "" : one); narrow(); }}>{JOB[one].words} <b>{counts[one] ?? 0}</b></button>
          ))}
        </div>
        <label className="search"><span className="hidden">Search jobs that are done</span>
          <input type="search" placeholder="Search" value={text} onChange={(event) => { setText(event.target.value); narrow(); }} /></label>
      </div>
      {error && <p className="bad">{error.message}</p>}
      <ol className="jobs done">
        {data?.items.map((job) => (
          <li key={job.id} className={`job ${JOB[job.state].tone}`}>
            <div className="head">
              {may("jobs:submit") && <input type="checkbox" checked={chosen.has(job.id)} aria-label={`Select ${job.name}`} onChange={() => toggle(job.id)} />}
              <Thumbnail job={job} />
              <Link href={`/jobs/${encodeURIComponent(job.id)}`} className="name">{job.name}</Link>
              <State {...JOB[job.state]} />
              <span className="copies">{count(job.copies_finished, "copy", "copies")}</span>
              <span className="faint">{moment(job.updated_at)}</span>
              {may("jobs:submit") && <span className="deeds"><Deed label={`Print ${job.name} again`} does={() => againJob(job.id, job.name)}>Print again</Deed></span>}
            </div>
            {job.reason && <p>{job.reason}</p>}
          </li>
        ))}
      </ol>
      {!data && !error && <p className="faint" role="status">One moment …</p>}
      {data && !data.items.length && <p className="faint">No job is like that.</p>}
      <p className="pages">
        {cursors.length > 1 && <button type="button" onClick={() => setCursors(cursors.slice(0, -1))}>Newer</button>}
        {data?.next && <button type="button" onClick={() => setCursors([...cursors, data.next!])}>Older</button>}
      </p>
      {those.length > 0 && (
        <div className="bulk" role="region" aria-label="Selected jobs">
          <strong>{count(those.length, "job")}</strong>
          <Deed kind="main" does={() => each(those, (job) => againJob(job.id, job.name)).then(() => choose(new Set()))}>Print again</Deed>
          <button type="button" onClick={() => choose(new Set())}>Select none</button>
        </div>
      )}
    </section>
  );
}

function Thumbnail({ job }: { job: JobDocument }): ReactNode {
  const plate = job.plates[0];
  const url = plate ? pictureOf(plate.pictures, "model", 64) ?? pictureOf(plate.pictures, "plate", 64) : null;
  return url ? <span className="thumb"><Picture url={url} alt="" /></span> : null;
}
