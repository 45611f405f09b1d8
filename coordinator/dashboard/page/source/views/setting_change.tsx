/** A setting changed while the coordinator runs: a field that fits it, what it was, and the way back. */

import { useQueryClient } from "@tanstack/react-query";
import { useState, type ReactElement, type ReactNode } from "react";
import { ask } from "../api/ask";
import { SETTINGS_KEY } from "../api/settings";
import type { ChangeDocument, SettingDocument } from "../api/shapes";
import { Deed } from "../parts/deed";
import { Dialog } from "../parts/dialog";
import { Field, Form, type Typed } from "../parts/form";
import { say } from "../parts/notes";

type Value = boolean | number | string | Record<string, number>;
const path = (name: string): string => `/settings/${encodeURIComponent(name)}`;

export function SettingChange({ setting, change }: { setting: SettingDocument; change: ChangeDocument }): ReactNode {
  const [open, setOpen] = useState(false);
  const queries = useQueryClient();
  const { name, origin, changed_by } = setting;
  const again = (): Promise<void> => queries.invalidateQueries({ queryKey: [SETTINGS_KEY] });
  const was = setting.value as Value;
  const put = (value: Value): Promise<unknown> => ask("PUT", path(name), { body: { value } }).then(again);
  const reset = (): Promise<unknown> => ask("DELETE", path(name)).then(again);
  async function send(typed: Typed): Promise<void> {
    const value = valueOf(typed, change);
    await put(value);
    setOpen(false);
    say(`${name} is ${inWords(value)}${change.needs_restart ? ", once the coordinator is started again" : ""}.`, () => (changed_by ? put(was) : reset()));
  }
  async function takeBack(): Promise<void> {
    await reset();
    say(`${name} is as the coordinator was started.`, () => put(was));
  }
  if (change.pinned) return <span className="faint">set by {change.pinned}</span>;
  return (
    <>
      <span className="deeds">
        <button type="button" aria-label={`Change ${name}`} onClick={() => setOpen(true)}>Change</button>
        {changed_by && <Deed label={`Reset ${name}`} does={takeBack}>Reset</Deed>}
      </span>
      {open && (
        <Dialog title={`Change ${name}`} close={() => setOpen(false)}>
          <Form does={send} send="Change it" cancel={() => setOpen(false)}>
            <p>{setting.words}</p>
            <Field name="value" label={name} hint={hintOf(change)}>{fieldOf(was, change)}</Field>
            <p className="faint">{change.needs_restart ? "It is heeded once the coordinator is started again." : "It is heeded at once."} {origin !== "page" && origin !== "default" && `It goes before ${origin}.`}</p>
          </Form>
        </Dialog>
      )}
    </>
  );
}

function fieldOf(value: Value, { kind, minimum, maximum }: ChangeDocument): ReactElement<Record<string, unknown>> {
  if (kind === "yes_no") return <select defaultValue={String(value)}><option value="true">yes</option><option value="false">no</option></select>;
  if (kind === "whole" || kind === "number") {
    return <input type="number" required step={kind === "whole" ? 1 : "any"} defaultValue={Number(value)} {...(minimum !== null ? { min: minimum } : {})} {...(maximum !== null ? { max: maximum } : {})} />;
  }
  return <input defaultValue={inWords(value)} autoCapitalize="none" spellCheck={false} />;
}

function hintOf({ kind, minimum, maximum, above }: ChangeDocument): string {
  if (kind === "amounts") return "by unit: USD 10, credits 200; empty for no bound";
  const least = minimum === null ? "" : `${above ? "more than" : "at least"} ${minimum}`;
  return [least, maximum === null ? "" : `at most ${maximum}`].filter(Boolean).join(", ");
}

function valueOf(typed: Typed, { kind }: ChangeDocument): Value {
  const text = typed.text("value");
  if (kind === "yes_no") return text === "true";
  if (kind === "whole" || kind === "number") return Number(text);
  if (kind !== "amounts") return text;
  const pairs = text.split(",").map((each) => each.trim()).filter(Boolean).map((each) => each.split(/\s+/));
  if (pairs.some((pair) => pair.length !== 2 || Number.isNaN(Number(pair[1])))) throw new Error("Write a unit and a number: USD 10, credits 200");
  return Object.fromEntries(pairs.map(([unit, amount]) => [unit, Number(amount)]));
}

function inWords(value: Value): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "object" ? Object.entries(value).map(([unit, amount]) => `${unit} ${amount}`).join(", ") : String(value);
}
