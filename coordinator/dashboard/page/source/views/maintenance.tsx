/** What has to be done to printers, what is due, and who did it last. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { ask, get, post } from "../api/ask";
import type { ItemsOfTaskDocument, TaskDocument, WholeTaskDocument } from "../api/shapes";
import { usePrinters } from "../live/store";
import { Deed } from "../parts/deed";
import { Dialog } from "../parts/dialog";
import { Field, Form, type Typed } from "../parts/form";
import { say, soon } from "../parts/notes";
import { State } from "../parts/state";
import { Table } from "../parts/table";
import { useSession } from "../session";
import { actor, count, moment } from "../words";
import "../styles/shop.css";

const LOOK_MS = 60_000;
const task = (id: string): string => `/maintenance/${encodeURIComponent(id)}`;

type Sheet = { kind: "new" } | { kind: "edit" | "done" | "log"; task: TaskDocument };

export function Maintenance(): ReactNode {
  const { may } = useSession();
  const printers = usePrinters();
  const [due, setDue] = useState(false);
  const [sheet, setSheet] = useState<Sheet | null>(null);
  const queries = useQueryClient();
  const { data, error } = useQuery({
    queryKey: ["maintenance"],
    queryFn: ({ signal }) => get<ItemsOfTaskDocument>("/maintenance", signal),
    refetchInterval: LOOK_MS,
  });
  const named = (id: string): string => printers.find((each) => each.id === id)?.name ?? id;
  const title = (each: TaskDocument): string => `${each.name}, ${named(each.printer_id)}`;
  const refresh = (): Promise<void> => queries.invalidateQueries({ queryKey: ["maintenance"] });
  const done = async (words: string): Promise<void> => {
    await refresh();
    setSheet(null);
    say(words);
  };
  async function press(each: TaskDocument): Promise<void> {
    await soon(`${title(each)}: done. It counts anew.`, () => post(`${task(each.id)}/done`, { words: "" }));
    await refresh();
  }
  const all = data?.items.toSorted((one, other) => urgency(other) - urgency(one));
  const rows = due ? all?.filter((each) => each.due) : all;
  const how_many = all?.filter((each) => each.due).length ?? 0;
  return (
    <>
      <div className="bar-of-tools">
        <h1>Maintenance</h1>
        {data && <State words={how_many ? `${count(how_many, "task")} due` : "nothing is due"} tone={how_many ? "care" : "good"} />}
        <label className="choice"><input type="checkbox" checked={due} onChange={(event) => setDue(event.target.checked)} /> only what is due</label>
        {may("printers:manage") && <button type="button" className="main" onClick={() => setSheet({ kind: "new" })}>Add a task</button>}
      </div>
      {error && <p className="bad">{error.message}</p>}
      <Table label="Tasks of maintenance" rows={rows} id={({ id }) => id}
        empty={due && data?.items.length ? "Nothing is due." : "No task yet. A task comes due after hours of printing or after days: oil the rods every 200 h."} columns={[
        { head: "Task", cell: ({ name }) => name },
        { head: "Printer", cell: ({ printer_id }) => <Link href={`/printers/${encodeURIComponent(printer_id)}`}>{named(printer_id)}</Link> },
        { head: "State", cell: (each) => <State words={each.due ? "due" : "not yet"} tone={each.due ? "care" : "good"} /> },
        { head: "Since the last time", cell: (each) => <Standing task={each} /> },
        { head: "Last done", cell: (each) => each.done_by ? <>{moment(each.since)} by {actor(each.done_by)}</> : <span className="faint">never; counts from {moment(each.since)}</span> },
        { head: "Do", kind: "deeds", cell: (each) => (
          <>
            {may("printers:operate") && <Deed kind={each.due ? "main" : ""} label={`Done: ${title(each)}`} does={() => press(each)}>Done</Deed>}
            {may("printers:operate") && <button type="button" aria-label={`Done, with words: ${title(each)}`} onClick={() => setSheet({ kind: "done", task: each })}>Done …</button>}
            <button type="button" aria-label={`Log: ${title(each)}`} onClick={() => setSheet({ kind: "log", task: each })}>Log</button>
            {may("printers:manage") && <button type="button" aria-label={`Edit: ${title(each)}`} onClick={() => setSheet({ kind: "edit", task: each })}>Edit</button>}
          </>
        ) },
      ]} />
      {sheet?.kind === "new" && <Said close={() => setSheet(null)} done={done} />}
      {sheet?.kind === "edit" && <Said task={sheet.task} close={() => setSheet(null)} done={done} />}
      {sheet?.kind === "done" && <Words task={sheet.task} title={title(sheet.task)} close={() => setSheet(null)} done={done} />}
      {sheet?.kind === "log" && <Log task={sheet.task} title={title(sheet.task)} close={() => setSheet(null)} />}
    </>
  );
}

/** How much of its interval is over; 1 and more is due. */
function urgency({ every_h, printed_h, every_days, days }: TaskDocument): number {
  return Math.max(every_h ? printed_h / every_h : 0, every_days ? days / every_days : 0);
}

function Standing({ task: { every_h, printed_h, every_days, days } }: { task: TaskDocument }): ReactNode {
  return [
    every_h !== null ? `${printed_h.toFixed(1)} of ${every_h} h printed` : "",
    every_days !== null ? `${days.toFixed(1)} of ${every_days} days` : "",
  ].filter(Boolean).join(" · ");
}

interface Step {
  close: () => void;
  done: (words: string) => Promise<void>;
}

function Said({ task: known, close, done }: Step & { task?: TaskDocument }): ReactNode {
  const printers = usePrinters();
  async function send(typed: Typed): Promise<void> {
    const body = { name: typed.text("name"), every_h: typed.number("every_h"), every_days: typed.number("every_days") };
    if (known) {
      await ask("PATCH", task(known.id), { body: { ...body, archived: typed.checked("archived") } });
      await done(`${body.name} is changed.`);
      return;
    }
    const those = typed.text("printer_id") === "*" ? printers.map(({ id }) => id) : [typed.text("printer_id")];
    for (const printer_id of those) await post("/maintenance", { ...body, printer_id });
    await done(`${body.name}: added for ${count(those.length, "printer")}.`);
  }
  return (
    <Dialog title={known ? `Edit ${known.name}` : "Add a task"} close={close}>
      <Form does={send} send={known ? "Save" : "Add"} cancel={close}>
        <Field name="name" label="What is to be done"><input required placeholder="oil the rods" defaultValue={known?.name} /></Field>
        {!known && (
          <Field name="printer_id" label="To">
            <select required>
              {printers.length > 1 && <option value="*">all {printers.length} printers</option>}
              {printers.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
            </select>
          </Field>
        )}
        <div className="side">
          <Field name="every_h" label="Every so many hours of printing"><input type="number" min={0} step="any" defaultValue={known?.every_h ?? ""} /></Field>
          <Field name="every_days" label="Every so many days" hint="one of the two, or both"><input type="number" min={0} step="any" defaultValue={known?.every_days ?? ""} /></Field>
        </div>
        {known && <label className="check"><input type="checkbox" name="archived" defaultChecked={known.archived} /> Put away: it comes due no more</label>}
      </Form>
    </Dialog>
  );
}

function Words({ task: known, title, close, done }: Step & { task: TaskDocument; title: string }): ReactNode {
  async function send(typed: Typed): Promise<void> {
    await post(`${task(known.id)}/done`, { words: typed.text("words") });
    await done(`${title}: done. It counts anew.`);
  }
  return (
    <Dialog title={`Done: ${title}`} close={close}>
      <Form does={send} send="Done" cancel={close}>
        <Field name="words" label="What there is to say of it"><textarea rows={3} placeholder="the left rod has scratches" /></Field>
      </Form>
    </Dialog>
  );
}

function Log({ task: known, title, close }: { task: TaskDocument; title: string; close: () => void }): ReactNode {
  const { data, error } = useQuery({
    queryKey: ["maintenance", known.id],
    queryFn: ({ signal }) => get<WholeTaskDocument>(task(known.id), signal),
  });
  return (
    <Dialog title={`Log: ${title}`} close={close}>
      {error && <p className="bad">{error.message}</p>}
      {data && !data.log.length && <p>It was never done so far.</p>}
      <ol className="events">
        {data?.log.map((each) => <li key={each.at}><span className="faint">{moment(each.at)}</span> <strong>{actor(each.actor)}</strong> {each.words}</li>)}
      </ol>
      <p className="deeds"><button type="button" onClick={close}>Close</button></p>
    </Dialog>
  );
}
