/** What is asked of a person about one spool: what it is, what is left, where it was put. */

import type { ReactNode } from "react";
import { ask, post } from "../api/ask";
import type { SpoolDocument } from "../api/shapes";
import { usePrinters } from "../live/store";
import { Dialog } from "../parts/dialog";
import { Field, Form, type Typed } from "../parts/form";
import { say } from "../parts/notes";
import { called } from "../words";

/** Which question is asked, and of which spool. */
export type Sheet = { kind: "new" } | { kind: "edit" | "weigh" | "load"; spool: SpoolDocument };

interface Asked {
  sheet: Sheet;
  materials: readonly string[];
  close: () => void;
  refresh: () => Promise<void>;
}

export function SpoolSheet({ sheet, materials, close, refresh }: Asked): ReactNode {
  const done = async (words: string): Promise<void> => {
    await refresh();
    close();
    say(words);
  };
  switch (sheet.kind) {
    case "new": return <Said materials={materials} close={close} done={done} />;
    case "edit": return <Said spool={sheet.spool} materials={materials} close={close} done={done} />;
    case "weigh": return <Weighed spool={sheet.spool} close={close} done={done} />;
    case "load": return <Loaded spool={sheet.spool} close={close} done={done} />;
  }
}

interface Step {
  close: () => void;
  done: (words: string) => Promise<void>;
}

function Said({ spool, materials, close, done }: Step & { spool?: SpoolDocument; materials: readonly string[] }): ReactNode {
  async function send(typed: Typed): Promise<void> {
    const words = Object.fromEntries(["material", "colour", "vendor", "lot", "location", "notes"].map((name) => [name, typed.text(name)]));
    const body = { ...words, weight_g: typed.number("weight_g") ?? 0, cost: typed.number("cost") };
    if (spool) await ask("PATCH", `/spools/${encodeURIComponent(spool.id)}`, { body });
    else await post("/spools", body);
    await done(spool ? `${called(spool)} is changed.` : `A spool of ${typed.text("material")} was added.`);
  }
  return (
    <Dialog title={spool ? `Edit ${called(spool)}` : "Add a spool"} close={close}>
      <Form does={send} send={spool ? "Save" : "Add"} cancel={close}>
        <div className="side">
          <Field name="material" label="Material"><input required maxLength={64} list="known-materials" defaultValue={spool?.material} /></Field>
          <Field name="weight_g" label="When new, g" hint="without the spool itself"><input type="number" min={0} step="any" required defaultValue={spool?.weight_g ?? 1000} /></Field>
          <Field name="colour" label="Colour" hint="in words, or #rrggbb"><input defaultValue={spool?.colour} /></Field>
          <Field name="vendor" label="Maker"><input defaultValue={spool?.vendor} /></Field>
          <Field name="cost" label="Cost" hint="of all of it"><input type="number" min={0} step="any" defaultValue={spool?.cost ?? ""} /></Field>
          <Field name="location" label="Lies"><input placeholder="shelf 3" defaultValue={spool?.location} /></Field>
          <Field name="lot" label="Lot"><input defaultValue={spool?.lot} /></Field>
        </div>
        <Field name="notes" label="Notes"><textarea rows={2} defaultValue={spool?.notes} /></Field>
        <datalist id="known-materials">{materials.map((name) => <option key={name} value={name} />)}</datalist>
      </Form>
    </Dialog>
  );
}

function Weighed({ spool, close, done }: Step & { spool: SpoolDocument }): ReactNode {
  async function send(typed: Typed): Promise<void> {
    await ask("PATCH", `/spools/${encodeURIComponent(spool.id)}`, { body: { remaining_g: typed.number("remaining_g") ?? 0 } });
    await done(`${called(spool)} has ${typed.text("remaining_g")} g left.`);
  }
  return (
    <Dialog title={`Weigh ${called(spool)}`} close={close}>
      <Form does={send} send="Save" cancel={close}>
        <Field name="remaining_g" label="What is left, g" hint={`without the spool itself; the farm reckons ${Math.round(spool.remaining_g)} g`}>
          <input type="number" min={0} step="any" required />
        </Field>
      </Form>
    </Dialog>
  );
}

function Loaded({ spool, close, done }: Step & { spool: SpoolDocument }): ReactNode {
  const printers = usePrinters();
  async function send(typed: Typed): Promise<void> {
    const body = { printer_id: typed.text("printer_id"), tool: typed.number("tool") ?? 0 };
    await post(`/spools/${encodeURIComponent(spool.id)}/load`, body);
    const name = printers.find(({ id }) => id === body.printer_id)?.name ?? body.printer_id;
    await done(`${called(spool)} is in ${name}.`);
  }
  return (
    <Dialog title={`Load ${called(spool)}`} close={close}>
      <Form does={send} send="Load" cancel={close}>
        <Field name="printer_id" label="Into" hint="the printer holds this material from now on">
          <select required>{printers.map(({ id, name, material }) => <option key={id} value={id}>{name}{material && ` (now ${material})`}</option>)}</select>
        </Field>
        <Field name="tool" label="Tool" hint="0 is the first"><input type="number" min={0} max={31} defaultValue={0} /></Field>
      </Form>
    </Dialog>
  );
}
