/** What a model is called, what is written of it, and to which project it belongs; a new project by its name. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";
import { ask, get, post } from "../api/ask";
import type { ModelDocument, PageOfProjectDocument, ProjectDocument } from "../api/shapes";
import { say } from "../parts/notes";

export function ChangeModel({ model }: { model: ModelDocument }): ReactNode {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [words, setWords] = useState("");
  const queries = useQueryClient();
  const projects = useQuery({
    queryKey: ["projects"],
    queryFn: ({ signal }) => get<PageOfProjectDocument>("/projects?limit=200", signal),
    enabled: open,
  });
  const known = projects.data?.items ?? [];

  /** Return the id of the project with this name, made where there is none; nothing for no name. */
  async function projectOf(name: string): Promise<string> {
    if (!name) return "";
    const found = known.find((each) => each.name.toLowerCase() === name.toLowerCase());
    return (found ?? await post<ProjectDocument>("/projects", { name })).id;
  }

  async function change(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const said = new FormData(event.currentTarget);
    const text = (field: string): string => String(said.get(field) ?? "").trim();
    setBusy(true);
    setWords("");
    try {
      await ask<ModelDocument>("PATCH", `/models/${encodeURIComponent(model.id)}`, {
        body: {
          name: text("name"), description: text("description"), project_id: await projectOf(text("project")),
          tags: text("tags").split(",").map((each) => each.trim()).filter(Boolean),
        },
      });
      for (const key of ["model", "models", "projects"]) await queries.invalidateQueries({ queryKey: [key] });
      setOpen(false);
      say(`${text("name")} is changed.`);
    } catch (error) {
      setWords(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  if (!open) return <button type="button" onClick={() => setOpen(true)}>Change</button>;
  if (!projects.data) return <span role="status">One moment …</span>;
  return (
    <form className="wish change" aria-label="Change this model" onSubmit={(event) => void change(event)}>
      <div className="fields">
        <label>Name <input name="name" defaultValue={model.name} maxLength={200} required /></label>
        <label>Project
          <input name="project" list="projects" defaultValue={known.find(({ id }) => id === model.project_id)?.name ?? ""} placeholder="none" />
          <datalist id="projects">{known.map((each) => <option key={each.id} value={each.name} />)}</datalist>
        </label>
        <label>Tags <input name="tags" defaultValue={model.tags.join(", ")} placeholder="spare, rover" /></label>
      </div>
      <label>What is to be known of it <textarea name="description" rows={2} defaultValue={model.description} /></label>
      <p role="alert" className="bad">{words}</p>
      <p className="deeds">
        <button className="main" disabled={busy}>{busy ? "Changing …" : "Change it"}</button>
        <button type="button" onClick={() => setOpen(false)}>Leave it</button>
      </p>
    </form>
  );
}
