/** What of a job may still be changed: how many, how soon, what it is called. */

import { useState, type FormEvent, type ReactNode } from "react";
import { useQueryClient } from "@tanstack/react-query";
import type { JobDocument } from "../api/shapes";
import { changeJob } from "../deeds";
import { say } from "../parts/notes";
import { useSession } from "../session";

/** A moment as `datetime-local` wants it: in the time of this place, to the minute. */
function local(moment: string | null): string {
  if (!moment) return "";
  const at = new Date(moment);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function Change({ job }: { job: JobDocument }): ReactNode {
  const { may } = useSession();
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [words, setWords] = useState("");

  async function change(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const said = new FormData(event.currentTarget);
    const [name, copies, priority, due] = ["name", "copies", "priority", "due_at"].map((each) => String(said.get(each) ?? "").trim());
    const changes = {
      ...(name && name !== job.name ? { name } : {}),
      ...(Number(copies) !== job.copies ? { copies: Number(copies) } : {}),
      ...(Number(priority) !== job.priority ? { priority: Number(priority) } : {}),
      ...(due !== local(job.due_at) ? { due_at: due ? new Date(due!).toISOString() : null } : {}),
    };
    setBusy(true);
    setWords("");
    try {
      if (Object.keys(changes).length) await changeJob(job.id, changes);
      await queries.invalidateQueries({ queryKey: ["job", job.id] });
      setOpen(false);
      say(`${name || job.name} is changed.`);
    } catch (error) {
      setWords(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  if (!open) return <button type="button" onClick={() => setOpen(true)}>Change</button>;
  return (
    <form className="wish change" aria-label="Change this job" onSubmit={(event) => void change(event)}>
      <div className="fields">
        <label>Name <input name="name" defaultValue={job.name} maxLength={200} required /></label>
        <label>Copies in all <input name="copies" type="number" min={1} max={1000} defaultValue={job.copies} required /></label>
        <label>Priority, higher goes first
          <input name="priority" type="number" min={-1000} max={may("jobs:manage") ? 1000 : Math.max(0, job.priority)} defaultValue={job.priority} required />
        </label>
        <label>Due <input name="due_at" type="datetime-local" defaultValue={local(job.due_at)} /></label>
      </div>
      <p role="alert" className="bad">{words}</p>
      <p className="deeds">
        <button className="main" disabled={busy}>{busy ? "Changing …" : "Change it"}</button>
        <button type="button" onClick={() => setOpen(false)}>Leave it</button>
      </p>
    </form>
  );
}
