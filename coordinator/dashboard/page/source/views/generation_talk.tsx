/** What was said about a part so far, and what is said next: a further version of the same model. */

import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { ask, get, onceKey } from "../api/ask";
import { useProviders } from "../api/providers";
import type { GenerationDocument, PageOfGenerationDocument } from "../api/shapes";
import { useSession } from "../session";
import { plain } from "../words";

const TURNS = 50;

/** How a turn was asked for. */
function asked(turn: GenerationDocument): string {
  if (turn.prompt) return `“${turn.prompt}”`;
  const values = Object.entries(turn.parameters).map(([name, value]) => `${plain(name)} ${String(value)}`).join(", ");
  if (values) return `with ${values}`;
  return turn.url || (turn.code ? "code written by hand" : "a picture");
}

export function Talk({ generation }: { generation: GenerationDocument }): ReactNode {
  const model = generation.made[0]?.model_id ?? "";
  const { data } = useQuery({
    queryKey: ["generations", "of", model, generation.id],
    queryFn: ({ signal }) => get<PageOfGenerationDocument>(`/generations?model_id=${encodeURIComponent(model)}&limit=${TURNS}`, signal),
    enabled: Boolean(model),
  });
  const turns = data?.items.length ? data.items.toReversed() : [generation];
  return (
    <section aria-label="What was asked for">
      <h2>What was asked for</h2>
      <ol className="talked">
        {turns.map((turn) => (
          <li key={turn.id} aria-current={turn.id === generation.id ? "true" : undefined}>
            <span>{turn.id === generation.id ? <strong>{asked(turn)}</strong> : <Link href={`/generate/${encodeURIComponent(turn.id)}`}>{asked(turn)}</Link>}
              {turn.made[0] && <span className="faint"> → version {turn.made[0].version}</span>}</span>
            {turn.said && <blockquote>{turn.said}</blockquote>}
          </li>
        ))}
      </ol>
      <Next generation={generation} />
    </section>
  );
}

function Next({ generation }: { generation: GenerationDocument }): ReactNode {
  const { may } = useSession();
  const [, go] = useLocation();
  const providers = useProviders();
  const [busy, setBusy] = useState(false);
  const [words, setWords] = useState("");
  const converses = providers.data?.items.find(({ name }) => name === generation.provider)?.converses;
  if (!converses || generation.state !== "done" || !may("jobs:submit")) return null;
  async function say(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const prompt = String(new FormData(event.currentTarget).get("prompt")).trim();
    setBusy(true);
    setWords("");
    try {
      const next = await ask<GenerationDocument>("POST", `/generations/${encodeURIComponent(generation.id)}/messages`, {
        body: { prompt }, headers: { "Idempotency-Key": onceKey() },
      });
      go(`/generate/${encodeURIComponent(next.id)}`);
    } catch (error) {
      setWords(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }
  return (
    <form className="talk" onSubmit={(event) => void say(event)}>
      <label><span className="hidden">What shall be changed?</span>
        <input name="prompt" required placeholder="make the walls 2 mm" /></label>
      <button className="main" disabled={busy}>{busy ? "Asking …" : "Change it"}</button>
      <p role="alert" className="bad">{words}</p>
    </form>
  );
}
