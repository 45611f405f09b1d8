/** What a printer is to people, what it holds, and what has to be done to it. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";
import { get } from "../../api/ask";
import type { ItemsOfTaskDocument, PageOfSpoolDocument, PrinterDocument, SpoolDocument, TaskDocument } from "../../api/shapes";
import { addTask, changePrinter, loadSpool, taskDone, unloadSpool } from "../../deeds";
import { Deed } from "../../parts/deed";
import { complain } from "../../parts/notes";
import { useSession } from "../../session";
import { actor, called, count, grams, moment } from "../../words";

export function Maintenance({ id }: { id: string }): ReactNode {
  const { may } = useSession();
  const queries = useQueryClient();
  const { data } = useQuery({
    queryKey: ["maintenance", id],
    queryFn: ({ signal }) => get<ItemsOfTaskDocument>(`/maintenance?printer_id=${encodeURIComponent(id)}`, signal),
    refetchInterval: 60_000,
  });
  const again = (): Promise<void> => queries.invalidateQueries({ queryKey: ["maintenance"] });
  const tasks = data?.items.filter((task) => !task.archived).sort((a, b) => Number(b.due) - Number(a.due)) ?? [];
  return (
    <section aria-label="Maintenance" className="block">
      <h2>Maintenance</h2>
      {data && !tasks.length && <p className="faint">Nobody said what has to be done to it now and then.</p>}
      <ul className="upkeep">
        {tasks.map((task) => (
          <li key={task.id} className={task.due ? "care" : "good"}>
            <span className="what">{task.name}</span>
            <span>{task.due && <strong>due · </strong>}{rhythm(task)}{task.done_by && <span className="faint"> · {actor(task.done_by)} did it {moment(task.since)}</span>}</span>
            {may("printers:operate") && <Deed kind={task.due ? "main" : ""} label={`${task.name} is done`} does={() => taskDone(task.id, task.name).then(again)}>Done</Deed>}
          </li>
        ))}
      </ul>
      {may("printers:manage") && <NewTask id={id} made={again} />}
    </section>
  );
}

function rhythm(task: TaskDocument): string {
  return [
    task.every_h !== null ? `${Math.floor(task.printed_h)} of ${task.every_h} h printed` : "",
    task.every_days !== null ? `${Math.floor(task.days)} of ${count(task.every_days, "day")}` : "",
  ].filter(Boolean).join(", ");
}

function NewTask({ id, made }: { id: string; made: () => Promise<void> }): ReactNode {
  const [name, setName] = useState("");
  const [every, setEvery] = useState("");
  const [unit, setUnit] = useState<"every_h" | "every_days">("every_h");
  const add = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const number = Number(every);
    await addTask({ printer_id: id, name, every_h: unit === "every_h" ? number : null, every_days: unit === "every_days" ? number : null });
    setName("");
    setEvery("");
    await made();
  };
  return (
    <details>
      <summary>Add a task</summary>
      <form className="deeds" onSubmit={(event) => void add(event).catch(complain)}>
        <label><span className="hidden">Task</span><input required maxLength={100} value={name} placeholder="oil the rods" onChange={(event) => setName(event.target.value)} /></label>
        <label>every <input type="number" min={1} required value={every} aria-label="Every" className="short" onChange={(event) => setEvery(event.target.value)} /></label>
        <select aria-label="Unit" value={unit} onChange={(event) => setUnit(event.target.value as typeof unit)}>
          <option value="every_h">hours of printing</option>
          <option value="every_days">days</option>
        </select>
        <button>Add</button>
      </form>
    </details>
  );
}

export function Holding({ printer }: { printer: PrinterDocument }): ReactNode {
  const { may } = useSession();
  const queries = useQueryClient();
  const { data } = useQuery({
    queryKey: ["spools", "shown"],
    queryFn: ({ signal }) => get<PageOfSpoolDocument>("/spools?limit=1000", signal),
    staleTime: 10_000,
  });
  const again = (): Promise<void> => queries.invalidateQueries({ queryKey: ["spools"] });
  const manages = may("printers:operate");
  const loaded = data?.items.filter((spool) => spool.printer_id === printer.id) ?? [];
  const shelf = data?.items.filter((spool) => !spool.printer_id && !spool.archived && spool.remaining_g > 0) ?? [];
  return (
    <section aria-label="Material" className="block">
      <h2>Material</h2>
      {loaded.map((spool) => (
        <p key={spool.id} className="deeds">
          <span>{spoolWords(spool)}</span>
          {manages && <Deed label={`Take out ${spoolWords(spool)}`} does={() => unloadSpool(spool.id).then(again)}>Take out</Deed>}
        </p>
      ))}
      {!loaded.length && <p>{printer.material || <span className="faint">Nobody said what it holds.</span>}</p>}
      {manages && !loaded.length && shelf.length > 0 && (
        <label>Load <select value="" onChange={(event) => void loadSpool(event.target.value, printer.id).then(again).catch(complain)}>
          <option value="" disabled>a spool …</option>
          {shelf.map((spool) => <option key={spool.id} value={spool.id}>{spoolWords(spool)}</option>)}
        </select></label>
      )}
    </section>
  );
}

const spoolWords = (spool: SpoolDocument): string =>
  called(spool) + `, ${grams(spool.remaining_g)} left`;

/** Group, tags, place and notes: read by everybody, written by who sees to printers. */
export function Known({ printer }: { printer: PrinterDocument }): ReactNode {
  const { may } = useSession();
  const [changing, setChanging] = useState(false);
  if (changing) return <KnownForm printer={printer} leave={() => setChanging(false)} />;
  return (
    <section aria-label="About it" className="block">
      <div className="heading">
        <h2>About it</h2>
        {may("printers:manage") && <button type="button" onClick={() => setChanging(true)}>Change</button>}
      </div>
      <dl className="facts">
        <dt>Class</dt><dd>{printer.printer_class}</dd>
        <dt>Group</dt><dd>{printer.printer_group || <span className="faint">none</span>}</dd>
        <dt>Tags</dt><dd>{printer.tags.join(", ") || <span className="faint">none</span>}</dd>
        <dt>Place</dt><dd>{printer.location || <span className="faint">nobody said</span>}</dd>
        <dt>Beside it</dt><dd>{printer.agent_id}, by {printer.driver.replaceAll("_", " ")}</dd>
        {printer.notes && <><dt>Notes</dt><dd className="notes-text">{printer.notes}</dd></>}
      </dl>
    </section>
  );
}

function KnownForm({ printer, leave }: { printer: PrinterDocument; leave: () => void }): ReactNode {
  const save = useMutation({
    mutationFn: (form: FormData) => {
      const text = (name: string): string => String(form.get(name) ?? "").trim();
      return changePrinter(printer.id, {
        printer_group: text("group"),
        tags: text("tags").split(",").map((tag) => tag.trim()).filter(Boolean),
        location: text("place"),
        notes: text("notes"),
        ...(printer.spool_id ? {} : { material: text("material") }),
      });
    },
    onSuccess: leave,
    onError: complain,
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    save.mutate(new FormData(event.currentTarget));
  };
  return (
    <section aria-label="About it" className="block">
      <h2>About it</h2>
      <form className="known" onSubmit={submit}>
        <label>Group <input name="group" defaultValue={printer.printer_group} maxLength={64} /></label>
        <label>Tags <input name="tags" defaultValue={printer.tags.join(", ")} placeholder="abrasive, enclosed" /></label>
        <label>Place <input name="place" defaultValue={printer.location} maxLength={64} /></label>
        {!printer.spool_id && <label>Material <input name="material" defaultValue={printer.material} maxLength={64} /></label>}
        <label>Notes <textarea name="notes" rows={4} defaultValue={printer.notes} /></label>
        <p className="deeds"><button className="main" disabled={save.isPending}>Save</button><button type="button" onClick={leave}>Leave it</button></p>
      </form>
    </section>
  );
}
