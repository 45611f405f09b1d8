/** What has to be said of an order before it is one: how many, of what, on which printers, by when; and what it takes. */

import { useCallback, useEffect, useMemo, useRef, useState, type FormEvent, type ReactNode } from "react";
import { useLocation } from "wouter";
import { ask, onceKey, Problem } from "../api/ask";
import type { JobDocument } from "../api/shapes";
import { usePrinters } from "../live/store";
import { complain, say } from "../parts/notes";
import { count, plain } from "../words";
import { Foretold, useForetold } from "./foretold";
import "../styles/ordering.css";

interface Ordered {
  title: string;
  /** Files that were brought, each a job of its own. */
  files?: readonly File[];
  /** Or a model that the farm has. */
  model?: { id: string; number: number; name: string };
  /** A printer's id, where it shall be that one. */
  printer?: string;
  close: () => void;
}

const QUALITIES = ["draft", "fine"];
const COPIES_MAX = 1000;
/** A list of five hundred names is no help; who wants just one drops the file on it. */
const NAMED_MAX = 60;

/** The form of an order with nothing said of it yet: one for each thing. */
function begun(files: readonly File[] | undefined, model: Ordered["model"]): FormData[] {
  if (model) {
    const form = new FormData();
    form.set("name", model.name);
    form.set("model_id", model.id);
    form.set("version", String(model.number));
    return [form];
  }
  return (files ?? []).map((file) => {
    const form = new FormData();
    form.set("name", file.name.replace(/\.[^.]+$/, ""));
    form.set("file", file);
    return form;
  });
}

/** Put what was said of an order into its form. */
function filled(form: FormData, sheet: HTMLFormElement): FormData {
  const made = new FormData();
  for (const [name, value] of form) made.set(name, value);
  for (const [name, value] of new FormData(sheet)) {
    if (value === "") continue;
    if (name === "on") {
      const [kind, its] = [String(value).slice(0, 1), String(value).slice(2)];
      made.set(kind === "p" ? "printer_id" : "printer_class", its);
    } else made.set(name, name === "due_at" ? new Date(String(value)).toISOString() : value);
  }
  return made;
}

export function OrderSheet({ title, files, model, printer = "", close }: Ordered): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const sheet = useRef<HTMLFormElement>(null);
  const [busy, setBusy] = useState(false);
  const [words, setWords] = useState("");
  const [, go] = useLocation();
  // eslint-disable-next-line react-hooks/exhaustive-deps -- a sheet is opened for just these
  const forms = useMemo(() => begun(files, model), []);
  // One key for each thing as long as the sheet is open: however often it is pressed, it is one order.
  const keys = useMemo(() => forms.map(onceKey), [forms]);
  const [asked, setAsked] = useState<FormData | null>(null);
  const outlook = useForetold(asked);

  const look = useCallback(() => {
    const { current } = sheet;
    setAsked(current && forms.length === 1 && current.checkValidity() ? filled(forms[0]!, current) : null);
  }, [forms]);
  useEffect(() => {
    dialog.current?.showModal();
    look();
  }, [look]);

  async function order(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setWords("");
    const taken: JobDocument[] = [];
    try {
      for (const [number, form] of forms.entries()) {
        taken.push(await ask<JobDocument>("POST", "/jobs", {
          form: filled(form, sheet.current!), headers: { "Idempotency-Key": keys[number]! },
        }));
      }
      say(taken.length === 1 ? `${taken[0]!.name} is in the queue.` : `${taken.length} jobs are in the queue.`);
      close();
      if (taken.length === 1) go(`/jobs/${encodeURIComponent(taken[0]!.id)}`);
    } catch (error) {
      setWords(error instanceof Problem && error.code === "idempotency_key_reused"
        ? "It was ordered already, as it was said before: look at the queue."
        : error instanceof Error ? error.message : String(error));
      if (taken.length) complain(`${count(taken.length, "file")} of ${forms.length} ${taken.length === 1 ? "was" : "were"} taken; pressed again, the rest follows.`);
    } finally {
      setBusy(false);
    }
  }

  return (
    <dialog ref={dialog} onClose={close} className="order" aria-labelledby="order-title">
      <form ref={sheet} onSubmit={(event) => void order(event)} onChange={look}>
        <h2 id="order-title">Print {title}</h2>
        <label>Copies <input name="copies" type="number" min={1} max={COPIES_MAX} defaultValue={1} required /></label>
        <label>On one bed <input name="copies_per_plate" type="number" min={1} max={COPIES_MAX} defaultValue={1} required /></label>
        <Material />
        <label>Quality
          <select name="quality" defaultValue="">
            <option value="">standard</option>
            {QUALITIES.map((each) => <option key={each} value={each}>{plain(each)}</option>)}
          </select>
        </label>
        <Where printer={printer} />
        <label>Due <input name="due_at" type="datetime-local" /></label>
        {outlook && <Foretold outlook={outlook} />}
        <p role="alert" className="bad">{words}</p>
        <p className="deeds">
          <button className="main" disabled={busy}>{busy ? "Sending …" : "Print"}</button>
          <button type="button" onClick={() => dialog.current?.close()}>Leave it</button>
        </p>
      </form>
    </dialog>
  );
}

function Material(): ReactNode {
  const materials = [...new Set(usePrinters().map((each) => each.material).filter(Boolean))].sort();
  return (
    <label>Material
      <input name="material" list="materials" placeholder="what is loaded" />
      <datalist id="materials">{materials.map((each) => <option key={each} value={each} />)}</datalist>
    </label>
  );
}

function Where({ printer }: { printer: string }): ReactNode {
  const printers = usePrinters();
  const classes = [...new Set(printers.map((each) => each.printer_class))].sort();
  const named = printers.length <= NAMED_MAX ? printers : printers.filter(({ id }) => id === printer);
  return (
    <label>On
      <select name="on" defaultValue={printer ? `p:${printer}` : ""}>
        <option value="">any printer that fits</option>
        <optgroup label="Any of the class">{classes.map((each) => <option key={each} value={`c:${each}`}>{each}</option>)}</optgroup>
        {named.length > 0 && <optgroup label="Only on">{named.map(({ id, name }) => <option key={id} value={`p:${id}`}>{name}</option>)}</optgroup>}
      </select>
    </label>
  );
}
