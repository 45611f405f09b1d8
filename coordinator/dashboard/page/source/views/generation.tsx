/** One wish: how far it is, what came of it, what it cost, and what is said next. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState, type FormEvent, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { ask, bytes, get, post } from "../api/ask";
import { useProviders } from "../api/providers";
import type { GenerationDocument, VersionDocument } from "../api/shapes";
import { Deed } from "../parts/deed";
import { Bar, State } from "../parts/state";
import { useSession } from "../session";
import { SHOWN } from "../viewer/formats";
import { actor, GENERATION, moment, percent } from "../words";

const Viewer = lazy(() => import("../viewer/viewer"));
const LOOK_MS = 1500;
const ENDED = new Set(["done", "failed", "cancelled"]);

export function Generation({ id }: { id: string }): ReactNode {
  const path = `/generations/${encodeURIComponent(id)}`;
  const { data: generation, error } = useQuery({
    queryKey: ["generation", id],
    queryFn: ({ signal }) => get<GenerationDocument>(path, signal),
    refetchInterval: ({ state }) => (state.data && ENDED.has(state.data.state) ? false : LOOK_MS),
  });
  if (error && !generation) return <p className="alone bad">{error.message}</p>;
  if (!generation) return <p className="alone" role="status">One moment …</p>;
  const said = GENERATION[generation.state];
  return (
    <article>
      <h1>{generation.name} <State {...said} /></h1>
      {generation.prompt && <p>“{generation.prompt}”</p>}
      {generation.waits && <p className="care">{generation.waits}</p>}
      {generation.trouble && <p className={generation.state === "failed" ? "bad" : "care"}>{generation.trouble.message}</p>}
      {!ENDED.has(generation.state) && (
        <p className="how">
          {generation.progress !== null && <Bar ratio={generation.progress} label="progress" />}
          <span>{[generation.progress !== null && percent(generation.progress), generation.stage,
            generation.queue_position !== null && `${generation.queue_position} before it`].filter(Boolean).join(" · ")}</span>
        </p>
      )}
      <Deeds generation={generation} path={path} />
      {generation.said && <blockquote>{generation.said}</blockquote>}
      {generation.made.map((made) => <Made key={made.version} made={made} generation={generation} />)}
      {generation.remarks.map((remark) => <p key={remark} className="faint">{remark}</p>)}
      <dl className="facts">
        <dt>By</dt><dd>{generation.provider} ({generation.service})</dd>
        {generation.size_mm !== null && <><dt>Longest side</dt><dd>{generation.size_mm} mm</dd></>}
        {generation.costs.length > 0 && <><dt>Cost</dt><dd>{generation.costs.map((cost) => (
          <span key={cost.submit} className="remark">{cost.charged !== null ? `${cost.charged} ${cost.unit}` : `${cost.reserved} ${cost.unit} at most`}</span>
        ))}</dd></>}
        {generation.job_id && <><dt>Printed as</dt><dd><Link href={`/jobs/${encodeURIComponent(generation.job_id)}`}>{generation.job_id}</Link></dd></>}
        <dt>From</dt><dd>{actor(generation.owner)}, {moment(generation.created_at)}</dd>
        {generation.continues && <><dt>Goes on from</dt><dd><Link href={`/generate/${encodeURIComponent(generation.continues)}`}>what was before</Link></dd></>}
      </dl>
    </article>
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
  return (
    <div className="deeds">
      {state === "awaiting_approval" && may("jobs:manage") && (
        <>
          <Deed kind="main" does={() => act("approve")}>Approve</Deed>
          <Deed does={() => act("reject", { reason: "" })}>Reject</Deed>
        </>
      )}
      {state === "unsure" && may("jobs:manage") && <Settle act={act} />}
      {!ENDED.has(state) && may("jobs:submit") && <Deed kind="danger" does={() => act("cancel")}>Cancel</Deed>}
    </div>
  );
}

/** A paid call whose answer was lost: only a person who looked at the provider's own page knows. */
function Settle({ act }: { act: (verb: string, body: unknown) => Promise<void> }): ReactNode {
  const [task, setTask] = useState("");
  return (
    <>
      <span>Look at the provider's page: was the task made there?</span>
      <label>Its id <input value={task} onChange={(event) => setTask(event.target.value)} /></label>
      <Deed kind="main" does={() => act("settle", { outcome: "happened", task_id: task.trim() })}>It was made</Deed>
      <Deed does={() => act("settle", { outcome: "never" })} sure="Ask the provider again? That costs again if the first call did reach it.">It was not: ask again</Deed>
      <Deed does={() => act("settle", { outcome: "give_up" })}>Give up</Deed>
    </>
  );
}

function Made({ made, generation }: { made: GenerationDocument["made"][number]; generation: GenerationDocument }): ReactNode {
  const { data: version } = useQuery({
    queryKey: ["version", made.model_id, made.version],
    queryFn: ({ signal }) => get<VersionDocument>(made.url, signal),
    staleTime: Infinity,
  });
  if (!version) return null;
  const suffix = version.file_name.split(".").at(-1)?.toLowerCase() ?? "";
  return (
    <section aria-label="What came of it">
      {SHOWN.has(suffix) && <Suspense fallback={<p role="status">Loading …</p>}><Viewer url={version.url} suffix={suffix} name={generation.name} /></Suspense>}
      <p className="deeds">
        <Link className="button" href={`/models/${encodeURIComponent(made.model_id)}`}>Version {made.version} in the library</Link>
      </p>
      {version.source && <Code source={version.source} generation={generation} model={made.model_id} />}
      <Talk generation={generation} />
    </section>
  );
}

/** What is said next changes what stands: a further version of the same model. */
function Talk({ generation }: { generation: GenerationDocument }): ReactNode {
  const { may } = useSession();
  const [, go] = useLocation();
  const providers = useProviders();
  const [words, setWords] = useState("");
  const converses = providers.data?.items.find(({ name }) => name === generation.provider)?.converses;
  if (!converses || generation.state !== "done" || !may("jobs:submit")) return null;
  async function say(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const prompt = String(new FormData(event.currentTarget).get("prompt")).trim();
    try {
      const next = await ask<GenerationDocument>("POST", `/generations/${encodeURIComponent(generation.id)}/messages`, { body: { prompt } });
      go(`/generate/${encodeURIComponent(next.id)}`);
    } catch (error) {
      setWords(error instanceof Error ? error.message : String(error));
    }
  }
  return (
    <form className="talk" onSubmit={(event) => void say(event)}>
      <label><span className="hidden">What shall be changed?</span>
        <input name="prompt" required placeholder="make the walls 2 mm" /></label>
      <button className="main">Change it</button>
      <p role="alert" className="bad">{words}</p>
    </form>
  );
}

interface CodeShown {
  source: NonNullable<VersionDocument["source"]>;
  generation: GenerationDocument;
  model: string;
}

/** The code that a part was made of; changed by hand, it is rendered as a further version, and no model is asked. */
function Code({ source, generation, model }: CodeShown): ReactNode {
  const { may } = useSession();
  const [, go] = useLocation();
  const [code, setCode] = useState("");
  const [words, setWords] = useState("");
  useEffect(() => {
    const given = new AbortController();
    bytes(source.url, given.signal).then((found) => setCode(new TextDecoder().decode(found)), () => undefined);
    return () => given.abort();
  }, [source.url]);
  async function render(): Promise<void> {
    setWords("");
    try {
      const next = await ask<GenerationDocument>("POST", "/generations", {
        body: { provider: generation.provider, kind: "code", code, model_id: model, name: generation.name },
      });
      go(`/generate/${encodeURIComponent(next.id)}`);
    } catch (error) {
      setWords(error instanceof Error ? error.message : String(error));
    }
  }
  return (
    <details>
      <summary>Its code ({source.language})</summary>
      <textarea className="code" rows={18} spellCheck={false} aria-label="Code" value={code} onChange={(event) => setCode(event.target.value)} />
      <p role="alert" className="bad">{words}</p>
      {may("jobs:submit") && <p className="deeds"><Deed does={render}>Render what stands here</Deed></p>}
    </details>
  );
}
