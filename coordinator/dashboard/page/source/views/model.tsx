/** One model: looked at from all sides, its versions and where they came from, printed from here. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useRef, useState, type ReactNode } from "react";
import { ask, file, get } from "../api/ask";
import type { ItemsOfVersionDocument, ModelDocument, VersionDocument } from "../api/shapes";
import { Deed } from "../parts/deed";
import { complain, say } from "../parts/notes";
import { Picture, pictureOf } from "../parts/picture";
import { useSession } from "../session";
import { SHOWN } from "../viewer/formats";
import { actor, moment } from "../words";
import { ChangeModel } from "./model_change";
import { Printed } from "./model_printed";
import { OrderSheet } from "./ordering";
import "../styles/job.css";

const Viewer = lazy(() => import("../viewer/viewer"));

export function Model({ id }: { id: string }): ReactNode {
  const path = `/models/${encodeURIComponent(id)}`;
  const { may } = useSession();
  const [number, setNumber] = useState(0);
  const [ordering, setOrdering] = useState(false);
  const model = useQuery({ queryKey: ["model", id], queryFn: ({ signal }) => get<ModelDocument>(path, signal) });
  const versions = useQuery({
    queryKey: ["model", id, "versions"],
    queryFn: ({ signal }) => get<ItemsOfVersionDocument>(`${path}/versions`, signal),
  });
  const error = model.error ?? versions.error;
  if (error) return <p className="alone bad">{error.message}</p>;
  if (!model.data || !versions.data) return <p className="alone" role="status">One moment …</p>;
  const all = versions.data.items.toReversed();
  const shown = all.find((each) => each.number === number) ?? all[0];
  return (
    <article>
      <h1>{model.data.name}</h1>
      {model.data.description && <p>{model.data.description}</p>}
      {model.data.tags.length > 0 && <p className="faint">{model.data.tags.map((tag) => `#${tag}`).join(" ")}</p>}
      <div className="deeds">
        {shown && may("jobs:submit") && <button type="button" className="main" onClick={() => setOrdering(true)}>Print version {shown.number}</button>}
        {shown && <Deed does={() => save(shown)}>Download</Deed>}
        {may("jobs:submit") && <AddVersion path={path} id={id} />}
        {may("jobs:submit") && <ChangeModel model={model.data} />}
      </div>
      {shown ? <Shown version={shown} name={model.data.name} /> : <p className="faint">It has no version yet: add one.</p>}
      <section aria-label="Versions">
        <h2>Versions</h2>
        <ol className="jobs">
          {all.map((each) => (
            <li key={each.number} className={`job ${each === shown ? "work" : "quiet"}`}>
              <div className="head">
                <button type="button" aria-pressed={each === shown} onClick={() => setNumber(each.number)}>Version {each.number}</button>
                <span>{each.file_name}</span>
                <span className="faint">{actor(each.author)}, {moment(each.created_at)}</span>
              </div>
              {each.note && <p>{each.note}</p>}
            </li>
          ))}
        </ol>
      </section>
      <Printed model={id} />
      {ordering && shown && (
        <OrderSheet title={`${model.data.name}, version ${shown.number}`} model={{ id, number: shown.number, name: model.data.name }} close={() => setOrdering(false)} />
      )}
    </article>
  );
}

function Shown({ version, name }: { version: VersionDocument; name: string }): ReactNode {
  const suffix = version.file_name.split(".").at(-1)?.toLowerCase() ?? "";
  const picture = pictureOf(version.pictures, "model", 400);
  const { origin } = version;
  return (
    <div className="model">
      {SHOWN.has(suffix)
        ? <Suspense fallback={<p role="status">Loading …</p>}><Viewer url={version.url} suffix={suffix} name={name} size_mm={version.size_mm} /></Suspense>
        : picture && <Picture url={picture} alt={`a picture of ${name}`} />}
      <dl className="facts">
        {version.size_mm && <><dt>Size</dt><dd>{version.size_mm.map((each) => each.toFixed(1)).join(" × ")} mm</dd></>}
        {version.triangles !== null && <><dt>Triangles</dt><dd>{version.triangles.toLocaleString()}</dd></>}
        <dt>From</dt><dd>{[origin.kind, origin.provider, origin.service_model, origin.tool].filter(Boolean).join(", ")}</dd>
        {origin.prompt && <><dt>Asked for</dt><dd>{origin.prompt}</dd></>}
        {origin.url && <><dt>Source</dt><dd>{origin.url}</dd></>}
        {origin.author && <><dt>Author</dt><dd>{origin.author}</dd></>}
        {origin.licence && <><dt>Licence</dt><dd>{origin.licence}</dd></>}
        {origin.cost && <><dt>Cost</dt><dd>{origin.cost}</dd></>}
        {version.remarks.length > 0 && <><dt>To know</dt><dd>{version.remarks.map((remark) => <span key={remark} className="remark">{remark}</span>)}</dd></>}
      </dl>
    </div>
  );
}

async function save(version: VersionDocument): Promise<void> {
  const link = document.createElement("a");
  link.href = await file(version.url);
  link.download = version.file_name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function AddVersion({ path, id }: { path: string; id: string }): ReactNode {
  const picker = useRef<HTMLInputElement>(null);
  const queries = useQueryClient();
  async function add(given: File): Promise<void> {
    const form = new FormData();
    form.set("file", given);
    const version = await ask<VersionDocument>("POST", `${path}/versions`, { form });
    await queries.invalidateQueries({ queryKey: ["model", id] });
    say(`Version ${version.number} is there.`);
  }
  return (
    <>
      <Deed does={() => Promise.resolve(picker.current?.click())}>Add a version</Deed>
      <input ref={picker} type="file" hidden aria-label="Version to add"
        onChange={(event) => {
          const given = event.target.files?.[0];
          if (given) add(given).catch(complain);
          event.target.value = "";
        }} />
    </>
  );
}
