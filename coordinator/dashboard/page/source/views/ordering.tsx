/** What has to be said of an order before it is one: how many, of what, on which printers, by when. */

import { useEffect, useRef, useState, type FormEvent, type ReactNode } from "react";
import { useLocation } from "wouter";
import { ask } from "../api/ask";
import type { JobDocument } from "../api/shapes";
import { usePrinters } from "../live/store";
import { complain, say } from "../parts/notes";
import { plain } from "../words";

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

function* forms({ files = [], model }: Pick<Ordered, "files" | "model">): Generator<FormData> {
  if (model) {
    const form = new FormData();
    form.set("name", model.name);
    form.set("model_id", model.id);
    form.set("version", String(model.number));
    yield form;
  }
  for (const file of files) {
    const form = new FormData();
    form.set("name", file.name.replace(/\.[^.]+$/, ""));
    form.set("file", file);
    yield form;
  }
}

/** A key that makes sending an order twice harmless; where the page is not served safely there is no `randomUUID`. */
const onceKey = (): string => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;

export function OrderSheet({ title, files, model, printer = "", close }: Ordered): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [words, setWords] = useState("");
  const [, go] = useLocation();
  const printers = usePrinters();
  const materials = [...new Set(printers.map((each) => each.material).filter(Boolean))].sort();
  const classes = [...new Set(printers.map((each) => each.printer_class))].sort();
  useEffect(() => dialog.current?.showModal(), []);

  async function order(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const said = new FormData(event.currentTarget);
    const due = String(said.get("due_at") ?? "");
    if (due) said.set("due_at", new Date(due).toISOString());
    setBusy(true);
    setWords("");
    const taken: JobDocument[] = [];
    try {
      for (const form of forms({ ...(files ? { files } : {}), ...(model ? { model } : {}) })) {
        for (const [name, value] of said) if (value !== "") form.set(name, value);
        taken.push(await ask<JobDocument>("POST", "/jobs", { form, headers: { "Idempotency-Key": onceKey() } }));
      }
      say(taken.length === 1 ? `${taken[0]!.name} is in the queue.` : `${taken.length} jobs are in the queue.`);
      close();
      if (taken.length === 1) go(`/jobs/${encodeURIComponent(taken[0]!.id)}`);
    } catch (error) {
      setWords(error instanceof Error ? error.message : String(error));
      if (taken.length) complain(`${taken.length} files were taken before that.`);
    } finally {
      setBusy(false);
    }
  }

  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="order-title">
      <form onSubmit={(event) => void order(event)}>
        <h2 id="order-title">Print {title}</h2>
        <label>Copies <input name="copies" type="number" min={1} max={1000} defaultValue={1} required /></label>
        <label>Material
          <input name="material" list="materials" placeholder="what is loaded" />
          <datalist id="materials">{materials.map((each) => <option key={each} value={each} />)}</datalist>
        </label>
        <label>Quality
          <select name="quality" defaultValue="">
            <option value="">standard</option>
            {QUALITIES.map((each) => <option key={each} value={each}>{plain(each)}</option>)}
          </select>
        </label>
        <label>On
          <select name={printer ? "printer_id" : "printer_class"} defaultValue={printer}>
            {printer
              ? <option value={printer}>{printers.find(({ id }) => id === printer)?.name ?? printer}</option>
              : <><option value="">any printer that fits</option>{classes.map((each) => <option key={each} value={each}>{each}</option>)}</>}
          </select>
        </label>
        <label>Due <input name="due_at" type="datetime-local" /></label>
        <p role="alert" className="bad">{words}</p>
        <p className="deeds">
          <button className="main" disabled={busy}>{busy ? "Sending …" : "Print"}</button>
          <button type="button" onClick={() => dialog.current?.close()}>Leave it</button>
        </p>
      </form>
    </dialog>
  );
}
