/** The library: every model that the farm keeps, found by words, tags and project. */

import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { ask, get, post } from "../api/ask";
import type { ModelDocument, PageOfModelDocument, PageOfProjectDocument, VersionDocument } from "../api/shapes";
import { Deed } from "../parts/deed";
import { complain } from "../parts/notes";
import { Picture, pictureOf } from "../parts/picture";
import { useSession } from "../session";
import { actor, moment } from "../words";

const PAGE = 60;

export function Models(): ReactNode {
  const { may } = useSession();
  const [text, setText] = useState("");
  const [project, setProject] = useState("");
  const projects = useQuery({
    queryKey: ["projects"],
    queryFn: ({ signal }) => get<PageOfProjectDocument>("/projects?limit=200", signal),
  });
  const wanted = new URLSearchParams({ limit: String(PAGE) });
  if (text.trim()) wanted.set("text", text.trim());
  if (project) wanted.set("project_id", project);
  const { data, error, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ["models", "pages", wanted.toString()],
    queryFn: ({ signal, pageParam }) => get<PageOfModelDocument>(`/models?${wanted}&cursor=${encodeURIComponent(pageParam)}`, signal),
    initialPageParam: "", getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
  });
  const models = data?.pages.flatMap(({ items }) => items);
  return (
    <>
      <h1>Models</h1>
      <div className="bar-of-tools">
        <label className="search"><span className="hidden">Search models</span>
          <input type="search" placeholder="Search" value={text} onChange={(event) => setText(event.target.value)} />
        </label>
        {projects.data && projects.data.items.length > 0 && (
          <label className="choice">Project{" "}
            <select value={project} onChange={(event) => setProject(event.target.value)}>
              <option value="">all</option>
              {projects.data.items.map((each) => <option key={each.id} value={each.id}>{each.name}</option>)}
            </select>
          </label>
        )}
        {may("jobs:submit") && <AddModel />}
      </div>
      {error && <p className="bad">{error.message}</p>}
      <ul className="cards">{models?.map((model) => <ModelCard key={model.id} model={model} />)}</ul>
      {hasNextPage && <p><Deed does={() => fetchNextPage()}>Show more</Deed></p>}
      {models && !models.length && (
        <p className="alone">{text || project ? "No model is like that." : "No model yet. What is added here can be printed again and again, and keeps its versions."}</p>
      )}
    </>
  );
}

function ModelCard({ model }: { model: ModelDocument }): ReactNode {
  const url = model.newest ? pictureOf(model.newest.pictures, "model", 200) : null;
  return (
    <li className="card quiet">
      <h3><Link href={`/models/${encodeURIComponent(model.id)}`}>{model.name}</Link></h3>
      {url && <div className="part"><Picture url={url} alt={`a picture of ${model.name}`} /></div>}
      {model.description && <p>{model.description}</p>}
      <p className="faint">{[model.newest ? `version ${model.newest.number}` : "no version yet", actor(model.owner), ...model.tags.map((tag) => `#${tag}`)].join(" · ")}</p>
      <p className="faint">{moment(model.updated_at)}</p>
    </li>
  );
}

function AddModel(): ReactNode {
  const picker = useRef<HTMLInputElement>(null);
  const queries = useQueryClient();
  const [, go] = useLocation();
  async function add(file: File): Promise<void> {
    const model = await post<ModelDocument>("/models", { name: file.name.replace(/\.[^.]+$/, "") });
    const form = new FormData();
    form.set("file", file);
    try {
      await ask<VersionDocument>("POST", `/models/${encodeURIComponent(model.id)}/versions`, { form });
    } finally {
      await queries.invalidateQueries({ queryKey: ["models"] });
    }
    go(`/models/${encodeURIComponent(model.id)}`);
  }
  return (
    <>
      <Deed does={() => Promise.resolve(picker.current?.click())}>Add a model</Deed>
      <input ref={picker} type="file" hidden aria-label="Model to add" accept=".stl,.3mf,.obj,.ply,.glb,.amf,.step,.stp"
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file) add(file).catch(complain);
          event.target.value = "";
        }} />
    </>
  );
}
