/** From a wish to a part: words, pictures or a link go to a provider; what was made before is shown with its pictures. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { get } from "../api/ask";
import { useProviders } from "../api/providers";
import type { GenerationDocument, GenerationState, PageOfGenerationDocument } from "../api/shapes";
import { useGenerations } from "../live/store";
import { Picture, pictureOf } from "../parts/picture";
import { Bar, State } from "../parts/state";
import { useSession } from "../session";
import { actor, GENERATION, moment } from "../words";
import { HowToName } from "./providers_named";
import { WishForm } from "./wish_form";
import "../styles/generate.css";

const PAGE = 24;
const LOOK_MS = 2000;
const IDLE_MS = 30_000;
const ENDED: ReadonlySet<GenerationState> = new Set(["done", "failed", "cancelled"]);
const SHOWN: readonly GenerationState[] = ["done", "running", "awaiting_approval", "unsure", "failed", "cancelled"];

export function Generate(): ReactNode {
  const { may } = useSession();
  const providers = useProviders();
  return (
    <>
      <h1>Generate</h1>
      {providers.error && <p className="bad">{providers.error.message}</p>}
      {may("jobs:submit") && providers.data && providers.data.items.length > 0 && <WishForm providers={providers.data.items} />}
      {providers.data && (may("farm:admin") || !providers.data.items.length) && <HowToName none={!providers.data.items.length} />}
      <Gallery names={providers.data?.items.map(({ name }) => name) ?? []} />
    </>
  );
}

function Gallery({ names }: { names: readonly string[] }): ReactNode {
  const { may } = useSession();
  const [text, setText] = useState("");
  const [mine, setMine] = useState(false);
  const [state, setState] = useState("");
  const [provider, setProvider] = useState("");
  const [pages, setPages] = useState(1);
  // Whatever moves is a reason to look anew.
  const moved = useGenerations().map(({ id, state: now, updated_at }) => `${id}${now}${updated_at}`).join();
  const wanted = new URLSearchParams({ limit: String(PAGE * pages) });
  for (const [name, value] of Object.entries({ text: text.trim(), state, provider, mine: mine ? "true" : "" })) {
    if (value) wanted.set(name, value);
  }
  const { data, error } = useQuery({
    queryKey: ["generations", wanted.toString(), moved],
    queryFn: ({ signal }) => get<PageOfGenerationDocument>(`/generations?${wanted}`, signal),
    refetchInterval: ({ state: { data: found } }) => (found?.items.some((each) => !ENDED.has(each.state)) ? LOOK_MS : IDLE_MS),
    placeholderData: keepPreviousData,
  });
  const narrowed = Boolean(text || mine || state || provider);
  return (
    <section aria-label="What was generated">
      <h2>What was generated</h2>
      <div className="bar-of-tools">
        <label className="search"><span className="hidden">Search what was generated</span>
          <input type="search" placeholder="Search" value={text} onChange={(event) => setText(event.target.value)} /></label>
        <label className="choice">State{" "}
          <select value={state} onChange={(event) => setState(event.target.value)}>
            <option value="">any</option>
            {SHOWN.map((each) => <option key={each} value={each}>{GENERATION[each].words}</option>)}
          </select>
        </label>
        {names.length > 1 && (
          <label className="choice">By{" "}
            <select value={provider} onChange={(event) => setProvider(event.target.value)}>
              <option value="">all</option>
              {names.map((each) => <option key={each}>{each}</option>)}
            </select>
          </label>
        )}
        {may("jobs:manage") && <label className="choice"><input type="checkbox" checked={mine} onChange={(event) => setMine(event.target.checked)} /> Only mine</label>}
      </div>
      {error && <p className="bad">{error.message}</p>}
      <ul className="cards">{data?.items.map((each) => <Made key={each.id} generation={each} />)}</ul>
      {data && !data.items.length && <p className="faint">{narrowed ? "Nothing is like that." : "Nothing yet: say above what you need."}</p>}
      {data?.next && <p><button type="button" onClick={() => setPages(pages + 1)}>Show more</button></p>}
    </section>
  );
}

function Made({ generation }: { generation: GenerationDocument }): ReactNode {
  const said = GENERATION[generation.state];
  const first = generation.made[0];
  const url = (first && pictureOf(first.pictures, "model", 200)) ?? generation.pictures[0]?.url ?? null;
  return (
    <li className={`card ${said.tone}`}>
      <div className="head">
        <h3><Link href={`/generate/${encodeURIComponent(generation.id)}`}>{generation.name}</Link></h3>
        <State {...said} />
      </div>
      {url && <div className="part"><Picture url={url} alt={first ? `a picture of ${generation.name}` : `what ${generation.name} shall be like`} /></div>}
      {generation.progress !== null && !ENDED.has(generation.state) && <Bar ratio={generation.progress} label={`progress of ${generation.name}`} />}
      <p className="faint">{[generation.stage || generation.waits, generation.made.length > 1 && `${generation.made.length} parts`,
        generation.provider, actor(generation.owner)].filter(Boolean).join(" · ")}</p>
      {generation.trouble && generation.state !== "done" && <p className={generation.state === "failed" ? "bad" : "care"}>{generation.trouble.message}</p>}
      <p className="faint">{moment(generation.created_at)}</p>
    </li>
  );
}
