/** How the farm is and what it was started with: each part's health, each setting with where it comes from. */

import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { get } from "../api/ask";
import { useSettings } from "../api/settings";
import type { HealthDocument, SettingDocument } from "../api/shapes";
import { Copied } from "../parts/secret";
import { State } from "../parts/state";
import { Table } from "../parts/table";
import { actor, count, duration, moment, size } from "../words";
import { SettingChange } from "./setting_change";
import "../styles/shop.css";

const LOOK_MS = 5000;
const PARTS = ["database", "history", "broker", "slicer", "disk", "webhooks", "providers"] as const;

export function Settings(): ReactNode {
  const [text, setText] = useState("");
  const [only, setOnly] = useState(false);
  const [here, setHere] = useState(false);
  const { data, error } = useSettings();
  const rows = data?.items.filter((each) => (!only || each.origin !== "default") && (!here || each.change) && `${each.name} ${each.words}`.toLowerCase().includes(text.trim().toLowerCase()));
  return (
    <>
      <h1>Settings and health</h1>
      <Health />
      <section aria-label="Settings">
        <div className="bar-of-tools">
          <h2>Settings</h2>
          <label className="choice"><input type="checkbox" checked={only} onChange={(event) => setOnly(event.target.checked)} /> only what somebody set</label>
          <label className="choice"><input type="checkbox" checked={here} onChange={(event) => setHere(event.target.checked)} /> only what can be changed here</label>
          <label className="search"><span className="hidden">Search settings</span>
            <input type="search" placeholder="Search" value={text} onChange={(event) => setText(event.target.value)} />
          </label>
        </div>
        <p className="faint">Some are changed here, while the coordinator runs; what is changed here goes before its file. The others it reads once: change one where it is set, then start the coordinator again. <code>farmhand doctor</code> on its machine tries them.</p>
        {error && <p className="bad">{error.message}</p>}
        <Table label="Settings" rows={rows} id={({ name }) => name} empty={only ? "All are as they come." : "No setting is like that."} columns={[
          { head: "Setting", cell: ({ name, words }) => <><code>{name}</code><span className="remark">{words}</span></> },
          { head: "Value", kind: "wide", cell: (each) => <><Value setting={each} />{each.change?.waits && <span className="remark care">heeded once the coordinator is started again</span>}</> },
          { head: "From", cell: (each) => <From setting={each} /> },
          { head: "Change", kind: "deeds", cell: (each) => (each.change ? <SettingChange setting={each} change={each.change} /> : <HowTo setting={each} />) },
        ]} />
      </section>
    </>
  );
}

/** Where a setting comes from; of what was changed here, who did it and when. */
function From({ setting: { origin, changed_by, changed_at } }: { setting: SettingDocument }): ReactNode {
  if (origin === "default") return <span className="faint">as it comes</span>;
  if (origin !== "page") return origin;
  return <>changed here{changed_by && changed_at && <span className="remark">by {actor(changed_by)}, {moment(changed_at)}</span>}</>;
}

/** What a number counts, by how its name ends. */
const UNITS: readonly (readonly [string, string])[] = [["_s", "s"], ["_h", "h"], ["_days", "days"], ["_mib", "MiB"]];

function Value({ setting: { name, value, is_secret } }: { setting: SettingDocument }): ReactNode {
  const empty = value === "" || value === null || (typeof value === "object" && !Object.keys(value as object).length);
  if (is_secret) return empty ? <span className="faint">not set</span> : "set, and kept secret";
  if (empty) return <span className="faint">nothing</span>;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") {
    if (name.includes("_bytes")) return <>{size(value)} <span className="faint">({value} bytes)</span></>;
    const unit = UNITS.find(([end]) => name.endsWith(end))?.[1] ?? "";
    return <>{value} {unit}{unit === "s" && value >= 120 && <span className="faint"> ({duration(value)})</span>}</>;
  }
  return typeof value === "string" ? value : <code>{JSON.stringify(value)}</code>;
}

function HowTo({ setting: { name, value, variable, is_secret } }: { setting: SettingDocument }): ReactNode {
  const [open, setOpen] = useState(false);
  const table = typeof value === "object" && value !== null && !Array.isArray(value);
  const line = table ? `[${name}]` : `${name} = ${is_secret ? '"..."' : JSON.stringify(value)}`;
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary aria-label={`How to set ${name}`}>How</summary>
      {open && (
        <>
          <p className="faint">In the file of <code>--config</code>:</p>
          <Copied label={`${name} in the file`} value={line} />
          <p className="faint">or in the environment, which goes before the file:</p>
          <Copied label={`${name} in the environment`} value={`${variable}=${is_secret || table ? "..." : String(value)}`} />
        </>
      )}
    </details>
  );
}

function Health(): ReactNode {
  const { data, error } = useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => get<HealthDocument>("/health", signal),
    refetchInterval: LOOK_MS,
    retry: false,
  });
  if (error) return <p className="bad" role="alert">{error.message}</p>;
  if (!data) return null;
  const words = (part: string): string | undefined => data.troubles?.find((each) => each.part === part)?.words;
  const { figures } = data;
  return (
    <section aria-label="Health">
      <div className="bar-of-tools">
        <h2>Health</h2>
        <State words={{ ok: "all is well", degraded: "something needs mending", failing: "the farm can't work" }[data.status]} tone={{ ok: "good", degraded: "care", failing: "bad" }[data.status] as "good" | "care" | "bad"} />
        <span className="faint">version {data.version}</span>
      </div>
      <ul className="health">
        {PARTS.map((part) => (
          <li key={part} className={data[part] === "ok" ? "good" : "bad"}>
            <h3>{part}</h3> <State words={data[part] === "ok" ? "well" : "failing"} tone={data[part] === "ok" ? "good" : "bad"} />
            {words(part) && <p>{words(part)}</p>}
          </li>
        ))}
      </ul>
      {figures && (
        <p className="faint">
          {figures.agents.well} of {count(figures.agents.all, "agent")} online · {figures.webhooks.well} of {count(figures.webhooks.all, "endpoint")} well ·{" "}
          {count(figures.outbox.waiting, "document")} to be told{figures.outbox.waiting > 0 && `, the oldest for ${duration(figures.outbox.oldest_s)}`}
          {figures.disk_free_bytes !== null && ` · ${size(figures.disk_free_bytes)} free`}
        </p>
      )}
    </section>
  );
}
