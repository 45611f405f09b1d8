/** A model or G-code dropped anywhere becomes an order; dropped on a printer's card, for that printer. */

import { useEffect, useRef, useState, type FormEvent, type ReactNode } from "react";
import { useLocation } from "wouter";
import { ask } from "../api/ask";
import type { JobDocument } from "../api/shapes";
import { usePrinters } from "../live/store";
import { complain, say } from "../parts/notes";
import { useSession } from "../session";
import { plain } from "../words";

const TAKEN = ".stl,.3mf,.obj,.ply,.glb,.gcode,.gco,.g,.bgcode";

interface Dropped {
  files: readonly File[];
  printer: string;
}

export function DropAnywhere({ children }: { children: ReactNode }): ReactNode {
  const { may } = useSession();
  const [over, setOver] = useState(false);
  const [dropped, setDropped] = useState<Dropped | null>(null);
  const picker = useRef<HTMLInputElement>(null);
  const allowed = may("jobs:submit");

  useEffect(() => {
    if (!allowed) return undefined;
    const drag = (event: DragEvent): void => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(event.type === "dragover");
    };
    const drop = (event: DragEvent): void => {
      const files = [...(event.dataTransfer?.files ?? [])];
      if (!files.length) return;
      event.preventDefault();
      setOver(false);
      const card = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-printer]") : null;
      setDropped({ files, printer: card?.dataset.printer ?? "" });
    };
    window.addEventListener("dragover", drag);
    window.addEventListener("dragleave", drag);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragover", drag);
      window.removeEventListener("dragleave", drag);
      window.removeEventListener("drop", drop);
    };
  }, [allowed]);

  return (
    <div className={over ? "page dropping" : "page"}>
      {children}
      {allowed && (
        <>
          <button type="button" className="main add" onClick={() => picker.current?.click()}>Print a file</button>
          <input ref={picker} type="file" accept={TAKEN} multiple hidden aria-label="Files to print"
            onChange={(event) => {
              const files = [...(event.target.files ?? [])];
              if (files.length) setDropped({ files, printer: "" });
              event.target.value = "";
            }} />
        </>
      )}
      {dropped && <OrderSheet {...dropped} close={() => setDropped(null)} />}
    </div>
  );
}

function OrderSheet({ files, printer, close }: Dropped & { close: () => void }): ReactNode {
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
    setBusy(true);
    setWords("");
    let last: JobDocument | null = null;
    try {
      for (const file of files) {
        const form = new FormData();
        form.set("name", file.name.replace(/\.[^.]+$/, ""));
        for (const [name, value] of said) if (value !== "") form.set(name, value);
        form.set("file", file);
        last = await ask<JobDocument>("POST", "/jobs", { form, headers: { "Idempotency-Key": crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` } });
      }
      say(files.length === 1 ? `${last?.name} is in the queue.` : `${files.length} jobs are in the queue.`);
      close();
      if (last && files.length === 1) go(`/jobs/${encodeURIComponent(last.id)}`);
    } catch (error) {
      setWords(error instanceof Error ? error.message : String(error));
      if (last) complain("Some files were taken before that.");
    } finally {
      setBusy(false);
    }
  }

  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="order-title">
      <form onSubmit={(event) => void order(event)}>
        <h2 id="order-title">Print {files.length === 1 ? files[0]?.name : `${files.length} files`}</h2>
        <label>Copies <input name="copies" type="number" min={1} max={1000} defaultValue={1} required /></label>
        <label>Material
          <input name="material" list="materials" placeholder="what is loaded" />
          <datalist id="materials">{materials.map((each) => <option key={each} value={each} />)}</datalist>
        </label>
        <label>Quality
          <select name="quality" defaultValue="">
            <option value="">standard</option>
            {["draft", "fine"].map((each) => <option key={each} value={each}>{plain(each)}</option>)}
          </select>
        </label>
        <label>On
          <select name={printer ? "printer_id" : "printer_class"} defaultValue={printer}>
            {printer
              ? <option value={printer}>{printers.find(({ id }) => id === printer)?.name ?? printer}</option>
              : <><option value="">any printer that fits</option>{classes.map((each) => <option key={each} value={each}>{each}</option>)}</>}
          </select>
        </label>
        <p role="alert" className="bad">{words}</p>
        <p className="deeds">
          <button className="main" disabled={busy}>{busy ? "Sending …" : "Print"}</button>
          <button type="button" onClick={() => dialog.current?.close()}>Leave it</button>
        </p>
      </form>
    </dialog>
  );
}
