/** Labels for printers: what a phone is pointed at, to be printed and stuck on. */

import "../styles/labels.css";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { get } from "../api/ask";
import type { LabelDocument, LabelsDocument } from "../api/shapes";
import { usePrinters } from "../live/store";

/** Words of a class in `labels.css`, and what fits on a sheet of A4. */
const SIZES: readonly [string, string][] = [
  ["small", "38 × 21 mm, 65 a sheet"], ["middle", "63 × 38 mm, 21 a sheet"], ["large", "99 × 68 mm, 8 a sheet"], ["single", "one a page, as for label printers"],
];

export function Labels(): ReactNode {
  const [base, setBase] = useState("");
  const [size, setSize] = useState("middle");
  const [left, leave] = useState<ReadonlySet<string>>(() => new Set());
  const printers = usePrinters();
  const { data, error } = useQuery({
    queryKey: ["labels", base, printers.length],
    queryFn: ({ signal }) => get<LabelsDocument>(`/labels${base ? `?${new URLSearchParams({ base })}` : ""}`, signal),
    placeholderData: keepPreviousData,
    retry: false,
  });
  const chosen = data?.items.filter((label) => !left.has(label.printer_id)) ?? [];
  const toggle = (id: string): void => {
    const next = new Set(left);
    if (!next.delete(id)) next.add(id);
    leave(next);
  };
  return (
    <>
      <h1 className="unprinted">Labels</h1>
      <p className="unprinted">A phone's camera that is pointed at a label opens the page of that printer, with what is to be done there. The code holds no secret: who opens it logs in once.</p>
      <div className="bar-of-tools unprinted">
        <label className="choice base">Leads to{" "}
          <input type="url" placeholder={data?.base ?? ""} value={base} onChange={(event) => setBase(event.target.value.trim())} />
        </label>
        <label className="choice">Size{" "}
          <select value={size} onChange={(event) => setSize(event.target.value)}>
            {SIZES.map(([name, words]) => <option key={name} value={name}>{words}</option>)}
          </select>
        </label>
        <button type="button" className="main" disabled={!chosen.length} onClick={() => window.print()}>Print {chosen.length}</button>
      </div>
      {error && <p className="bad unprinted">{error.message}</p>}
      {!data && !error && <p className="faint unprinted" role="status">One moment …</p>}
      {data && isLocal(data.base) && <p className="care unprinted">A phone can't reach {data.base}: write the address that it would open, or set <code>public_url</code>.</p>}
      {data && data.items.length > 1 && (
        <fieldset className="whose unprinted">
          <legend>Printers</legend>
          <button type="button" onClick={() => leave(new Set())}>All</button>
          <button type="button" onClick={() => leave(new Set(data.items.map(({ printer_id }) => printer_id)))}>None</button>
          {data.items.map(({ printer_id, name }) => (
            <label key={printer_id}><input type="checkbox" checked={!left.has(printer_id)} onChange={() => toggle(printer_id)} />{name}</label>
          ))}
        </fieldset>
      )}
      {data && !data.items.length && <p className="alone">There is no printer yet.</p>}
      <ul className={`labels ${size}`} aria-label="Labels">{chosen.map((label) => <Label key={label.printer_id} label={label} />)}</ul>
    </>
  );
}

function Label({ label }: { label: LabelDocument }): ReactNode {
  return (
    <li className="label">
      <svg viewBox={`0 0 ${label.modules} ${label.modules}`} role="img" aria-label={`Code of ${label.name}`} shapeRendering="crispEdges"><path d={label.path} /></svg>
      <div>
        <strong>{label.name}</strong>
        {label.location && <span>{label.location}</span>}
        <small>{label.url.replace(/^https?:\/\//, "")}</small>
      </div>
    </li>
  );
}

function isLocal(base: string): boolean {
  return /^https?:\/\/(localhost|127\.|\[::1\])/.test(base);
}
