/** One wish: how far it is, what came of it, what it cost, and what is said next. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { get, post } from "../api/ask";
import type { GenerationDocument } from "../api/shapes";
import { useGenerations } from "../live/store";
import { Deed } from "../parts/deed";
import { soon } from "../parts/notes";
import { Picture } from "../parts/picture";
import { Since } from "../parts/since";
import { Bar, State } from "../parts/state";
import { useSession } from "../session";
import { actor, count, GENERATION, moment, percent, plain } from "../words";
import { MadeParts } from "./generation_made";
import { Talk } from "./generation_talk";
import "../styles/generate.css";
import "../styles/asking.css";

const LOOK_MS = 1500;
const ENDED = new Set(["done", "failed", "cancelled"]);

export function Generation({ id }: { id: string }): ReactNode {
  const path = `/generations/${encodeURIComponent(id)}`;
  const moved = useGenerations().find((each) => each.id === id)?.updated_at ?? "";
  const { data: generation, error } = useQuery({
    queryKey: ["generation", id, moved],
    queryFn: ({ signal }) => get<GenerationDocument>(path, signal),
    refetchInterval: ({ state }) => (state.data && ENDED.has(state.data.state) ? false : LOOK_MS),
    placeholderData: (before) => (before?.id === id ? before : undefined),
  });
  if (error && !generation) return <p className="alone bad">{error.message}</p>;
  if (!generation) return <p className="alone" role="status">One moment …</p>;
  return (
    <article>
      <h1>{generation.name} <State {...GENERATION[generation.state]} /></h1>
      {generation.waits && <p className="care">{generation.waits}</p>}
      {generation.trouble && generation.state !== "done" && (
        <p className={generation.state === "failed" ? "bad" : "care"}>{generation.trouble.message}</p>
      )}
      {!ENDED.has(generation.state) && <HowFar generation={generation} />}
      <Deeds generation={generation} path={path} />
      {generation.pictures.length > 0 && (
        <ul className="sheets" aria-label="Pictures that it was asked for with">
          {generation.pictures.map((each) => <li key={each.sha256}><Picture url={each.url} alt="what it shall be like" /></li>)}
        </ul>
      )}
      {generation.made.length > 0 && <MadeParts generation={generation} />}
      <Talk generation={generation} />
      <Facts generation={generation} />
    </article>
  );
}

function HowFar({ generation }: { generation: GenerationDocument }): ReactNode {
  return (
    <p className="how">
      {generation.progress !== null && <Bar ratio={generation.progress} label="progress" />}
      <span>{[generation.progress !== null && percent(generation.progress), generation.stage,
        generation.queue_position !== null && `${count(generation.queue_position, "request")} before it`].filter(Boolean).join(" · ")}{" "}
        <span className="faint">for <Since at={generation.created_at} /></span></span>
    </p>
  );
}

function Facts({ generation }: { generation: GenerationDocument }): ReactNode {
  const settings = Object.entries({ ...generation.options, ...generation.parameters });
  const report = Object.entries(generation.report).filter(([, value]) => typeof value !== "object");
  return (
    <section aria-label="What is known of it">
      <h2>What is known of it</h2>
      {generation.remarks.map((remark) => <p key={remark} className="faint">{remark}</p>)}
      <dl className="facts">
        <dt>By</dt><dd>{generation.provider} ({generation.service})</dd>
        {generation.url && <><dt>Link</dt><dd>{generation.url}</dd></>}
        {generation.size_mm !== null && <><dt>Longest side</dt><dd>{generation.size_mm} mm</dd></>}
        {settings.length > 0 && <><dt>With</dt><dd>{settings.map(([name, value]) => `${plain(name)} ${String(value)}`).join(", ")}</dd></>}
        {report.map(([name, value]) => [<dt key={name}>{plain(name)}</dt>, <dd key={`${name} is`}>{String(value)}</dd>])}
        <dt>Cost</dt><dd>{generation.costs.length ? generation.costs.map((cost) => (
          <span key={cost.submit} className="remark">{cost.charged !== null ? `${cost.charged} ${cost.unit}` : `${cost.reserved} ${cost.unit} at most: nobody knows yet`}</span>
        )) : "nothing"}</dd>
        {generation.job_ids.length > 0 && <><dt>Printed as</dt><dd>{generation.job_ids.map((job) => (
          <span key={job} className="remark"><Link href={`/jobs/${encodeURIComponent(job)}`}>{job}</Link></span>
        ))}</dd></>}
        <dt>From</dt><dd>{actor(generation.owner)}, {moment(generation.created_at)}</dd>
        {generation.task_id && <><dt>Its id there</dt><dd><code>{generation.task_id}</code></dd></>}
      </dl>
    </section>
  );
}

function Deeds({ generation, path }: { generation: GenerationDocument; path: string }): ReactNode {
  const { may } = useSession();
  const queries = useQueryClient();
  const act = async (verb: string, body?: unknown): Promise<void> => {
    await post<GenerationDocument>(`${path}/${verb}`, body);
    await queries.invalidateQueries({ queryKey: ["generation", generation.id] });
  };
  const { state } = generation;
  if (ENDED.has(state)) return null;
  return (
    <>
      {state === "awaiting_approval" && may("jobs:manage") && <Judge act={act} />}
      {state === "unsure" && (may("jobs:manage") ? <Settle act={act} /> : <p className="care">An operator has to find out what became of it.</p>)}
      {may("jobs:submit") && (
        <div className="deeds"><Deed kind="danger" sure="Have it end? What was charged by now stays charged." does={() => act("cancel")}>Cancel</Deed></div>
      )}
    </>
  );
}

interface Acting {
  act: (verb: string, body?: unknown) => Promise<void>;
}

function Judge({ act }: Acting): ReactNode {
  const [reason, setReason] = useState("");
  return (
    <div className="now">
      <p>Look at it below: shall it be kept, and printed where that was asked for?</p>
      <div className="deeds">
        <Deed kind="main" does={() => soon("Approved: it is kept, and printed where that was asked for.", () => act("approve"))}>Approve</Deed>
        <label>Why not <input value={reason} onChange={(event) => setReason(event.target.value)} placeholder="told to who asked" /></label>
        <Deed does={() => soon("Rejected.", () => act("reject", { reason: reason.trim() }))}>Reject</Deed>
      </div>
    </div>
  );
}

/** A paid call whose answer was lost: only a person who looked at the provider's own page knows. */
function Settle({ act }: Acting): ReactNode {
  const [task, setTask] = useState("");
  return (
    <div className="settle" role="group" aria-label="What became of the paid call?">
      <p>The answer to a paid call was lost. <strong>Look at the provider's own page</strong>: was the task made there?</p>
      <ul>
        <li>
          <Deed kind="main" does={() => soon("Settled: it was made there.", () => act("settle", { outcome: "happened", task_id: task.trim() }))}>It was made</Deed>
          <label>Its id there <input value={task} onChange={(event) => setTask(event.target.value)} /></label>
        </li>
        <li>
          <Deed does={() => act("settle", { outcome: "never" })} sure="Ask the provider again? That costs again if the first call did reach it.">It was not</Deed>
          <span>It is asked for again, and costs again.</span>
        </li>
        <li><Deed does={() => soon("Given up.", () => act("settle", { outcome: "give_up" }))}>Give up</Deed><span>Nothing is asked for any more; what was reserved counts as spent.</span></li>
      </ul>
    </div>
  );
}
