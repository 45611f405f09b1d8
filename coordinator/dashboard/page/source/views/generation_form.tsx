/** The values that a part's code asks for, as a form: the same part in another size costs nothing. */

import { useState, type FormEvent, type ReactNode } from "react";
import { useLocation } from "wouter";
import { ask, onceKey } from "../api/ask";
import type { FieldDocument, GenerationDocument } from "../api/shapes";
import { useSession } from "../session";
import { plain } from "../words";

type Value = string | number | boolean;

/** What a field says now: what was set for this part, else what its code has. */
function now(field: FieldDocument, given: GenerationDocument["parameters"]): Value {
  const set = given[field.name];
  if (typeof set === "string" || typeof set === "number" || typeof set === "boolean") return set;
  return Array.isArray(field.default) ? `[${field.default.join(", ")}]` : field.default;
}

/** The values of a form that are other than they were; a choice is said as the value that it stands for. */
function changed(form: HTMLFormElement, generation: GenerationDocument): Record<string, Value> {
  const said = new FormData(form);
  const found: Record<string, Value> = {};
  for (const field of generation.form) {
    const text = String(said.get(field.name) ?? "").trim();
    const value = field.choices.length ? field.choices[Number(text)]?.value ?? text
      : field.type === "boolean" ? said.get(field.name) !== null
      : field.type === "integer" || field.type === "number" ? Number(text) : text;
    if (value !== now(field, generation.parameters)) found[field.name] = value;
  }
  return found;
}

export function Parameters({ generation }: { generation: GenerationDocument }): ReactNode {
  const { may } = useSession();
  const [, go] = useLocation();
  const [busy, setBusy] = useState(false);
  const [words, setWords] = useState("");
  const [key] = useState(onceKey);
  const groups = [...new Set(generation.form.map(({ group }) => group))];

  async function make(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const parameters = changed(event.currentTarget, generation);
    if (!Object.keys(parameters).length) {
      setWords("Nothing is other than it was.");
      return;
    }
    setBusy(true);
    setWords("");
    try {
      const next = await ask<GenerationDocument>("POST", `/generations/${encodeURIComponent(generation.id)}/again`, {
        body: { parameters }, headers: { "Idempotency-Key": `${key} ${JSON.stringify(parameters)}`.replace(/[^ -~]/g, "_").slice(0, 250) },
      });
      go(`/generate/${encodeURIComponent(next.id)}`);
    } catch (error) {
      setWords(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className="parameters" aria-label="Its measures" onSubmit={(event) => void make(event)}>
      <h2>Its measures</h2>
      {groups.map((group) => (
        <fieldset key={group}>
          {group && <legend>{group}</legend>}
          {generation.form.filter((each) => each.group === group).map((field) => <Field key={field.name} field={field} value={now(field, generation.parameters)} />)}
        </fieldset>
      ))}
      <p role="alert" className="bad">{words}</p>
      {may("jobs:submit") && <p className="deeds"><button className="main" disabled={busy}>{busy ? "Asking …" : "Make it so"}</button> <span className="faint">A further version; it costs nothing.</span></p>}
    </form>
  );
}

function Field({ field, value }: { field: FieldDocument; value: Value }): ReactNode {
  const name = field.words || plain(field.name);
  if (field.choices.length) {
    return (
      <label>{name}
        <select name={field.name} defaultValue={field.choices.findIndex((each) => each.value === value)}>
          {field.choices.map((each, number) => <option key={String(each.value)} value={number}>{each.label}</option>)}
        </select>
      </label>
    );
  }
  if (field.type === "boolean") {
    return <label className="check"><input type="checkbox" name={field.name} defaultChecked={value === true} /> {name}</label>;
  }
  const number = field.type === "integer" || field.type === "number";
  return (
    <label>{name}
      <input name={field.name} type={number ? "number" : "text"} defaultValue={String(value)} required
        {...(number ? { min: field.minimum ?? undefined, max: field.maximum ?? undefined, step: field.step ?? (field.type === "integer" ? 1 : "any") } : {})}
        {...(field.characters_max ? { maxLength: field.characters_max } : {})} />
    </label>
  );
}
