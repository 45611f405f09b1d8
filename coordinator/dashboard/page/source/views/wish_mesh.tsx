/** A model of the library for a provider to work on: found by its name, its newest version is what is sent. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { get } from "../api/ask";
import type { PageOfModelDocument } from "../api/shapes";

const FOUND_MAX = 50;

export interface Chosen {
  model_id: string;
  name: string;
  number: number;
  sha256: string;
}

const words = ({ name, number }: Chosen): string => `${name}, version ${number}`;

export function MeshOf({ mesh, choose }: { mesh: Chosen | null; choose: (next: Chosen | null) => void }): ReactNode {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const wanted = new URLSearchParams({ limit: String(FOUND_MAX), ...(text.trim() ? { text: text.trim() } : {}) });
  const { data, error } = useQuery({
    queryKey: ["models", wanted.toString()],
    queryFn: ({ signal }) => get<PageOfModelDocument>(`/models?${wanted}`, signal),
    placeholderData: keepPreviousData, enabled: open,
  });
  const found = data?.items.flatMap(({ id, name, newest }): Chosen[] => (newest ? [{ model_id: id, name, number: newest.number, sha256: newest.sha256 }] : [])) ?? [];
  const all = mesh && !found.some(({ model_id }) => model_id === mesh.model_id) ? [mesh, ...found] : found;
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{mesh ? `To be worked on: ${words(mesh)}` : "Have a model of the library worked on instead"}</summary>
      {error && <p className="bad">{error.message}</p>}
      <div className="fields">
        <label>Find a model <input type="search" value={text} onChange={(event) => setText(event.target.value)} /></label>
        <label>Model to be worked on
          <select value={mesh?.model_id ?? ""} onChange={(event) => choose(all.find(({ model_id }) => model_id === event.target.value) ?? null)}>
            <option value="">none: something new</option>
            {all.map((each) => <option key={each.model_id} value={each.model_id}>{words(each)}</option>)}
          </select>
        </label>
      </div>
      <p className="faint">What comes of it is a further version of that model.</p>
    </details>
  );
}
