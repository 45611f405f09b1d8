/** From a wish to a part: words, pictures or a link go to a provider; what comes of it is shown as it goes on. */

import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { ask, get } from "../api/ask";
import { useProviders } from "../api/providers";
import type {
  GenerationDocument, NewSheetDocument, OptionDocument, PageOfGenerationDocument, ProviderDocument,
} from "../api/shapes";
import { Bar, State } from "../parts/state";
import { useSession } from "../session";
import { actor, GENERATION, moment } from "../words";

const PAGE = 40;
const LOOK_MS = 2000;

export function Generate(): ReactNode {
  const { may } = useSession();
  const providers = useProviders();
  const made = useQuery({
    queryKey: ["generations"],
    queryFn: ({ signal }) => get<PageOfGenerationDocument>(`/generations?limit=${PAGE}`, signal),
    refetchInterval: LOOK_MS,
    placeholderData: keepPreviousData,
  });
  const error = providers.error ?? made.error;
  return (
    <>
      <h1>Generate</h1>
      {error && <p className="bad">{error.message}</p>}
      {may("jobs:submit") && providers.data && (
        providers.data.items.length
          ? <WishForm providers={providers.data.items} />
          : <p>No provider is named in the settings yet: see <code>configs/</code> and the manual, under providers.</p>
      )}
      <section aria-label="What was generated">
        <h2>What was generated</h2>
        <ul className="cards">{made.data?.items.map((each) => <Made key={each.id} generation={each} />)}</ul>
        {made.data && !made.data.items.length && <p className="faint">Nothing yet.</p>}
      </section>
    </>
  );
}

function Made({ generation }: { generation: GenerationDocument }): ReactNode {
  const said = GENERATION[generation.state];
  return (
    <li className={`card ${said.tone}`}>
      <div className="head">
        <h3><Link href={`/generate/${encodeURIComponent(generation.id)}`}>{generation.name}</Link></h3>
        <State {...said} />
      </div>
      {generation.progress !== null && <Bar ratio={generation.progress} label={`progress of ${generation.name}`} />}
      <p className="faint">{[generation.stage || generation.waits, generation.provider, actor(generation.owner)].filter(Boolean).join(" · ")}</p>
      {generation.trouble && <p className={generation.state === "failed" ? "bad" : "care"}>{generation.trouble.message}</p>}
      <p className="faint">{moment(generation.created_at)}</p>
    </li>
  );
}

function WishForm({ providers }: { providers: ProviderDocument[] }): ReactNode {
  const [name, setName] = useState(providers[0]!.name);
  const [busy, setBusy] = useState(false);
  const [words, setWords] = useState("");
  const [, go] = useLocation();
  const queries = useQueryClient();
  const provider = providers.find((each) => each.name === name) ?? providers[0]!;
  const takes = (kind: ProviderDocument["kinds"][number]): boolean => provider.kinds.includes(kind);

  async function wish(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const said = new FormData(event.currentTarget);
    const text = (field: string): string => String(said.get(field) ?? "").trim();
    setBusy(true);
    setWords("");
    try {
      const pictures = await bring(said.getAll("pictures"));
      const generation = await ask<GenerationDocument>("POST", "/generations", {
        body: {
          provider: provider.name,
          prompt: text("prompt"),
          ...(text("url") ? { url: text("url") } : {}),
          ...(text("code") ? { code: text("code") } : {}),
          ...(text("name") ? { name: text("name") } : {}),
          ...(pictures.length ? { pictures } : {}),
          ...(text("size_mm") ? { size_mm: Number(text("size_mm")) } : {}),
          ...(text("cost_max") ? { cost_max: Number(text("cost_max")) } : {}),
          options: options(provider.options, text),
          ...(said.get("print") ? { print: { copies: 1, material: text("material") } } : {}),
        },
      });
      await queries.invalidateQueries({ queryKey: ["generations"] });
      go(`/generate/${encodeURIComponent(generation.id)}`);
    } catch (error) {
      setWords(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className="wish" onSubmit={(event) => void wish(event)}>
      <label>By
        <select value={name} onChange={(event) => setName(event.target.value)}>
          {providers.map((each) => <option key={each.name} value={each.name}>{each.name}: {each.title}</option>)}
        </select>
      </label>
      {provider.trouble && <p className="care">{provider.trouble}</p>}
      {takes("text") && (
        <label>What shall it be?
          <textarea name="prompt" rows={3} maxLength={provider.prompt_chars_max || undefined} placeholder="a hook for a 25 mm rail" />
        </label>
      )}
      {(takes("image") || takes("multiview")) && (
        <label>Pictures <input name="pictures" type="file" accept="image/jpeg,image/png" multiple={provider.pictures_max > 1} /></label>
      )}
      {takes("link") && <label>Link <input name="url" type="url" placeholder="https://www.thingiverse.com/thing:763622" /></label>}
      {takes("code") && (
        <details>
          <summary>With code of your own</summary>
          <label>Code <textarea name="code" rows={8} className="code" spellCheck={false} /></label>
        </details>
      )}
      <div className="fields">
        {provider.needs_size && <label>Longest side, mm <input name="size_mm" type="number" min={0.1} step="any" required /></label>}
        <label>Name <input name="name" maxLength={200} placeholder="its first words" /></label>
        <label>May cost at most <input name="cost_max" type="number" min={0} step="any" placeholder="as the farm allows" /></label>
        {provider.options.map((each) => <Choice key={each.name} option={each} />)}
      </div>
      <label className="check"><input name="print" type="checkbox" /> Print it when it is there{" "}
        <input name="material" placeholder="material: what is loaded" aria-label="Material to print it with" />
      </label>
      <p role="alert" className="bad">{words}</p>
      <p><button className="main" disabled={busy}>{busy ? "Asking …" : "Generate"}</button></p>
    </form>
  );
}

function Choice({ option }: { option: OptionDocument }): ReactNode {
  const name = `option-${option.name}`;
  if (option.choices.length || option.type === "boolean") {
    const choices = option.choices.length ? option.choices : ["true", "false"];
    return (
      <label title={option.words}>{option.name.replaceAll("_", " ")}
        <select name={name} defaultValue="">
          <option value="">usual</option>
          {choices.map((each) => <option key={each} value={each}>{each}</option>)}
        </select>
      </label>
    );
  }
  const number = option.type === "integer" || option.type === "number";
  return (
    <label title={option.words}>{option.name.replaceAll("_", " ")}
      <input name={name} type={number ? "number" : "text"} step="any" placeholder="usual" />
    </label>
  );
}

function options(known: OptionDocument[], text: (field: string) => string): Record<string, string | number | boolean> {
  const given: Record<string, string | number | boolean> = {};
  for (const { name, type } of known) {
    const said = text(`option-${name}`);
    if (said) given[name] = type === "boolean" ? said === "true" : type === "string" ? said : Number(said);
  }
  return given;
}

/** Bring pictures to the farm; return what they are called there. */
async function bring(files: FormDataEntryValue[]): Promise<string[]> {
  const found: string[] = [];
  for (const file of files) {
    if (!(file instanceof File) || !file.size) continue;
    const form = new FormData();
    form.set("file", file);
    found.push((await ask<NewSheetDocument>("POST", "/generation-pictures", { form })).sha256);
  }
  return found;
}
