/** What shall be made, by whom, and what that costs at most: told before anything is paid. */

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState, type FormEvent, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { ask, onceKey } from "../api/ask";
import type { GenerationDocument, OptionDocument, ProviderDocument, QuoteDocument } from "../api/shapes";
import { say } from "../parts/notes";
import { count } from "../words";
import { OwnCode } from "./wish_code";
import { MeshOf, type Chosen } from "./wish_mesh";
import { Pictures, type Brought } from "./wish_pictures";
import "../styles/asking.css";

const QUIET_MS = 600;
// A person may ask for thirty things at once before they have to wait.
const BATCH_MAX = 25;

type Wish = Record<string, unknown>;
type Kind = ProviderDocument["kinds"][number];

/** What is no field of the form itself. */
interface Held {
  pictures: readonly Brought[];
  mesh: Chosen | null;
}

/** What a form says, as the API takes it; `null` while there is nothing to be asked for. */
function wishOf(form: HTMLFormElement, provider: ProviderDocument, { pictures, mesh }: Held): Wish | null {
  const said = new FormData(form);
  const text = (field: string): string => String(said.get(field) ?? "").trim();
  const [prompt, url, code] = [text("prompt"), text("url"), text("code")];
  if (!prompt && !url && !code && !pictures.length && !mesh) return null;
  return {
    provider: provider.name,
    kind: kindOf({ prompt, url, code }, { pictures, mesh }),
    prompt,
    ...(mesh ? { model_id: mesh.model_id, mesh_sha256: mesh.sha256, name: mesh.name } : {}),
    ...(url ? { url } : {}),
    ...(code ? { code } : {}),
    ...(text("name") ? { name: text("name") } : {}),
    ...(pictures.length ? { pictures: pictures.map(({ sha256 }) => sha256) } : {}),
    ...(text("size_mm") ? { size_mm: Number(text("size_mm")) } : {}),
    ...(text("cost_max") ? { cost_max: Number(text("cost_max")) } : {}),
    options: optionsOf(provider.options, text),
    ...(said.get("reuse") ? { reuse: true } : {}),
    ...(said.get("print") ? { print: { copies: Number(text("copies") || 1), material: text("material") } } : {}),
  };
}

/** What is asked for, as far as it is said: what is brought along counts before what is typed. */
function kindOf({ prompt, url, code }: { prompt: string; url: string; code: string }, { pictures, mesh }: Held): Kind {
  if (mesh) return "mesh";
  if (pictures.length) return pictures.length === 1 ? "image" : "multiview";
  return url ? "link" : code && !prompt ? "code" : "text";
}

/** One wish for each picture, named after it. */
function batchOf(form: HTMLFormElement, provider: ProviderDocument, pictures: readonly Brought[]): Wish[] {
  const named = String(new FormData(form).get("name") ?? "").trim();
  return pictures.map((each, number) => ({
    ...wishOf(form, provider, { pictures: [each], mesh: null }),
    name: named ? `${named} ${number + 1}` : each.name.replace(/\.[^.]*$/, ""),
  }));
}

function optionsOf(known: readonly OptionDocument[], text: (field: string) => string): Record<string, string | number | boolean> {
  const given: Record<string, string | number | boolean> = {};
  for (const { name, type } of known) {
    const said = text(`option-${name}`);
    if (said) given[name] = type === "boolean" ? said === "true" : type === "string" ? said : Number(said);
  }
  return given;
}

export function WishForm({ providers }: { providers: ProviderDocument[] }): ReactNode {
  const form = useRef<HTMLFormElement>(null);
  const [name, setName] = useState(providers[0]!.name);
  const [pictures, setPictures] = useState<readonly Brought[]>([]);
  const [mesh, setMesh] = useState<Chosen | null>(null);
  const [wish, setWish] = useState<Wish | null>(null);
  const [busy, setBusy] = useState(false);
  const [words, setWords] = useState("");
  const [printing, setPrinting] = useState(false);
  const [apart, setApart] = useState(false);
  const batch = useRef(onceKey());
  // The key belongs to one wish: pressed again after an answer that got lost, it is the same one.
  const [key, setKey] = useState(onceKey);
  const [, go] = useLocation();
  const queries = useQueryClient();
  const provider = providers.find((each) => each.name === name) ?? providers[0]!;
  const worked = mesh && provider.kinds.includes("mesh") ? mesh : null;
  // Who has something worked on describes nothing new.
  const takes = (kind: Kind): boolean => provider.kinds.includes(kind) && !worked;
  const held = useMemo<Held>(() => ({ pictures: worked ? [] : apart ? pictures.slice(0, 1) : pictures, mesh: worked }), [pictures, apart, worked]);
  const kind = kindOf({ prompt: "", url: "", code: "", ...wish }, held);

  const look = useCallback(() => {
    setKey(onceKey());
    setWish(form.current && form.current.checkValidity() ? wishOf(form.current, provider, held) : null);
  }, [provider, held]);
  useEffect(look, [look]);

  /** Ask for a part of each picture; what was asked for leaves the form, so that pressing again goes on with the rest. */
  async function makeEach(): Promise<void> {
    let asked = 0;
    setBusy(true);
    setWords("");
    try {
      for (const body of batchOf(form.current!, provider, pictures)) {
        // Asked again after an answer that got lost, it is the same wish, whatever left the form since.
        const its = `${batch.current} ${pictures[asked]!.sha256.slice(0, 32)} ${JSON.stringify(body)}`;
        await ask<GenerationDocument>("POST", "/generations", { body, headers: { "Idempotency-Key": its.replace(/[^ -~]/g, "_").slice(0, 250) } });
        asked += 1;
      }
      batch.current = onceKey();
      say(`${count(asked, "part")} asked for: see below.`);
    } catch (error) {
      setWords(`${count(asked, "part")} asked for; then: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      setBusy(false);
      setPictures(pictures.slice(asked));
      await queries.invalidateQueries({ queryKey: ["generations"] });
    }
  }

  async function make(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    if (apart && pictures.length > 1 && !worked) {
      await makeEach();
      return;
    }
    const body = wishOf(form.current!, provider, held);
    if (!body) {
      setWords("Say what it shall be.");
      return;
    }
    setBusy(true);
    setWords("");
    try {
      const made = await ask<GenerationDocument>("POST", "/generations", { body, headers: { "Idempotency-Key": key } });
      await queries.invalidateQueries({ queryKey: ["generations"] });
      go(`/generate/${encodeURIComponent(made.id)}`);
    } catch (error) {
      setWords(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form ref={form} className="wish" aria-label="What shall be made" onSubmit={(event) => void make(event)} onChange={look}>
      <label>By
        <select value={name} onChange={(event) => setName(event.target.value)}>
          {providers.map((each) => <option key={each.name} value={each.name}>{each.title.startsWith(each.name) ? each.title : `${each.name}: ${each.title}`}</option>)}
        </select>
      </label>
      {provider.trouble && <p className="care">{provider.trouble}</p>}
      {takes("text") && (
        <label>What shall it be?
          <textarea name="prompt" rows={3} maxLength={provider.prompt_chars_max || undefined} placeholder="a hook for a 25 mm rail" />
        </label>
      )}
      {(takes("image") || takes("multiview")) && (
        <Pictures most={apart ? BATCH_MAX : takes("multiview") ? Math.max(1, provider.pictures_max) : 1} apart={apart} pictures={pictures} change={setPictures} />
      )}
      {takes("image") && (
        <label className="check"><input type="checkbox" checked={apart} onChange={(event) => setApart(event.target.checked)} /> A part of each picture, up to {BATCH_MAX} at once</label>
      )}
      {takes("link") && <label>Link <input name="url" type="url" placeholder="https://www.thingiverse.com/thing:763622" /></label>}
      {takes("code") && <OwnCode key={provider.name} language={provider.language} alone={provider.kinds.length === 1} changed={look} />}
      {provider.kinds.includes("mesh") && <MeshOf mesh={worked} choose={setMesh} />}
      <div className="fields">
        {provider.needs_size && !worked && <label>Longest side, mm <input name="size_mm" type="number" min={0.1} step="any" required /></label>}
        <label>Name <input name="name" maxLength={200} placeholder="its first words" /></label>
        <label>May cost at most <input name="cost_max" type="number" min={0} step="any" placeholder="as the farm allows" /></label>
        {provider.options.filter(({ kinds }) => !kinds.length || kinds.includes(kind)).map((each) => <Choice key={each.name} option={each} />)}
      </div>
      <label className="check"><input name="print" type="checkbox" onChange={(event) => setPrinting(event.target.checked)} /> Print it when it is there</label>
      {printing && (
        <div className="fields">
          <label>Copies <input name="copies" type="number" min={1} max={1000} defaultValue={1} /></label>
          <label>Material <input name="material" placeholder="what is loaded" /></label>
        </div>
      )}
      {wish && <Quote wish={wish} times={apart && !worked ? Math.max(1, pictures.length) : 1} />}
      <p role="alert" className="bad">{words}</p>
      <p><button className="main" disabled={busy}>{busy ? "Asking …" : "Generate"}</button></p>
    </form>
  );
}

/** What a wish costs at most, what is left to be spent, and whether the same was made before. */
function Quote({ wish, times }: { wish: Wish; times: number }): ReactNode {
  const [quote, setQuote] = useState<QuoteDocument | null>(null);
  const [words, setWords] = useState("");
  const asked = JSON.stringify({ ...wish, reuse: false });
  useEffect(() => {
    const given = new AbortController();
    const timer = window.setTimeout(() => {
      ask<QuoteDocument>("POST", "/generations/estimate", { body: JSON.parse(asked), signal: given.signal }).then(
        (found) => {
          setQuote(found);
          setWords("");
        },
        (error: unknown) => {
          if (given.signal.aborted) return;
          setQuote(null);
          setWords(error instanceof Error ? error.message : String(error));
        },
      );
    }, QUIET_MS);
    return () => {
      window.clearTimeout(timer);
      given.abort();
    };
  }, [asked]);
  return (
    <div className="foretold" role="status" aria-label="What it costs">
      {words ? <p className="care">{words}</p> : !quote ? <p className="faint">Asking what it costs …</p> : (
        <>
          <p className="takes"><strong>{quote.amount === null ? "costs nothing" : `costs ${quote.exact ? "" : "at most "}${quote.amount} ${quote.unit}`}{times > 1 && quote.amount !== null && ` each, ${times} times`}</strong></p>
          {quote.limits.map((each) => <p key={each.words} className="faint">{each.spent} of {each.most} {quote.unit} {each.words}</p>)}
          {quote.objection && <p className="care">{quote.objection}</p>}
          {quote.like && times === 1 && (
            <p className="check">The same was asked for before: <Link href={`/generate/${encodeURIComponent(quote.like)}`}>look at it</Link>{" "}
              <label><input name="reuse" type="checkbox" /> take that, for nothing</label></p>
          )}
        </>
      )}
    </div>
  );
}

function Choice({ option }: { option: OptionDocument }): ReactNode {
  const name = `option-${option.name}`;
  const words = option.name.replaceAll("_", " ");
  if (option.choices.length || option.type === "boolean") {
    const choices = option.choices.length ? option.choices : ["true", "false"];
    return (
      <label title={option.words}>{words}
        <select name={name} defaultValue="">
          <option value="">usual</option>
          {choices.map((each) => <option key={each} value={each}>{option.type === "boolean" ? (each === "true" ? "yes" : "no") : each}</option>)}
        </select>
      </label>
    );
  }
  const number = option.type === "integer" || option.type === "number";
  return (
    <label title={option.words}>{words}
      <input name={name} type={number ? "number" : "text"} step="any" placeholder="usual" />
    </label>
  );
}
