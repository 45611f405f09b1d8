/** The machines beside the printers: who they are, how they are, letting one in, shutting one out. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { get, post } from "../api/ask";
import type { AgentDocument, ItemsOfAgentDocument, NewTokenDocument, PrinterDocument } from "../api/shapes";
import { retireAgent, setService } from "../deeds";
import { usePrinters } from "../live/store";
import { Deed } from "../parts/deed";
import { Dialog } from "../parts/dialog";
import { Enrol, Token } from "../parts/enrolling";
import { LogLines } from "../parts/log";
import { say } from "../parts/notes";
import { Rollout, Version } from "../parts/rollout";
import { Since } from "../parts/since";
import { State } from "../parts/state";
import { Table } from "../parts/table";
import { isSimulated, percent, size, type Tone } from "../words";
import { Retired, RETIRED_KEY } from "./retired";
import "../styles/shop.css";

const LOOK_MS = 5000;
const HOUR_S = 3600;
const agent = (id: string): string => `/agents/${encodeURIComponent(id)}`;

type Sheet = { kind: "enrol" } | { kind: "token"; made: NewTokenDocument } | { kind: "log"; id: string };

export function Agents(): ReactNode {
  const printers = usePrinters();
  const [sheet, setSheet] = useState<Sheet | null>(null);
  const queries = useQueryClient();
  const { data, error } = useQuery({
    queryKey: ["agents"],
    queryFn: ({ signal }) => get<ItemsOfAgentDocument>("/agents", signal),
    refetchInterval: LOOK_MS,
  });
  const of = (id: string): PrinterDocument[] => printers.filter((each) => each.agent_id === id);
  async function revoke(id: string): Promise<void> {
    await post(`${agent(id)}/revoke`);
    await queries.invalidateQueries({ queryKey: ["agents"] });
    say(`${id} is shut out.`);
  }
  async function retire(id: string): Promise<void> {
    await retireAgent(id);
    await Promise.all([["agents"], [RETIRED_KEY]].map((queryKey) => queries.invalidateQueries({ queryKey })));
  }
  async function renew(id: string): Promise<void> {
    setSheet({ kind: "token", made: await post<NewTokenDocument>(`${agent(id)}/rotate`, { valid_s: HOUR_S }) });
  }
  return (
    <>
      <div className="bar-of-tools">
        <h1>Agents</h1>
        <Link className="button" href="/updates">Updates</Link>
        <button type="button" className="main" onClick={() => setSheet({ kind: "enrol" })}>Let an agent in</button>
      </div>
      {error && <p className="bad">{error.message}</p>}
      <Quarantine printers={printers} />
      <Rollout />
      <Table label="Agents" rows={data?.items} id={({ id }) => id}
        empty="No agent yet. An agent is a small program on a machine beside printers; let the first one in above." columns={[
        { head: "Agent", cell: ({ id }) => id },
        { head: "Version", cell: (each) => <Version agent={each} /> },
        { head: "State", cell: (each) => <Standing agent={each} /> },
        { head: "Printers", kind: "wide", cell: ({ id, printers: how_many }) => <Printers of={of(id)} how_many={how_many} /> },
        { head: "Machine", cell: ({ id }) => <Host of={of(id)} /> },
        { head: "Do", kind: "deeds", cell: ({ id, enrolled, revoked_at }) => (
          <>
            <button type="button" aria-label={`Log of ${id}`} onClick={() => setSheet({ kind: "log", id })}>Log</button>
            {enrolled && <Deed label={`New secret for ${id}`} does={() => renew(id)}>New secret</Deed>}
            {revoked_at && <Deed label={`Let ${id} in again`} does={() => renew(id)}>Let in again</Deed>}
            {enrolled && <Deed kind="danger" label={`Shut out ${id}`} does={() => revoke(id)} sure={`Shut ${id} out at once? What it prints goes on, and nobody hears of it.`}>Shut out</Deed>}
            {!isSimulated({ agent_id: id }) && <Deed kind="danger" label={`Retire ${id}`} does={() => retire(id)} sure={`Take ${id} and its printers out of the farm for good? Their history stays.`}>Retire</Deed>}
          </>
        ) },
      ]} />
      <Retired />
      {sheet?.kind === "enrol" && <Enrol close={() => setSheet(null)} made={(made) => setSheet({ kind: "token", made })} />}
      {sheet?.kind === "token" && <Token made={sheet.made} close={() => setSheet(null)} />}
      {sheet?.kind === "log" && (
        <Dialog title={`What the coordinator's log says of ${sheet.id}`} close={() => setSheet(null)}>
          <LogLines wanted={{ agent: sheet.id, last: "100" }} />
          <p className="faint">The agent's own log is on its machine: <code>journalctl -u farmhand-agent</code></p>
          <p className="deeds"><button type="button" onClick={() => setSheet(null)}>Close</button></p>
        </Dialog>
      )}
    </>
  );
}

function Standing({ agent: { enrolled, revoked_at, online, seen_at } }: { agent: AgentDocument }): ReactNode {
  const said: { words: string; tone: Tone } = revoked_at ? { words: "shut out", tone: "bad" }
    : online ? { words: "online", tone: "good" }
    : online === null ? { words: "never seen", tone: "quiet" } : { words: "offline", tone: "care" };
  return (
    <>
      <State {...said} />
      {!online && seen_at && <span className="remark">seen <Since at={seen_at} /> ago</span>}
      {!enrolled && !revoked_at && <span className="remark">has no credential of its own</span>}
    </>
  );
}

function Printers({ of, how_many }: { of: readonly PrinterDocument[]; how_many: number }): ReactNode {
  if (!of.length) return how_many ? String(how_many) : <span className="faint">none</span>;
  return <>{of.map(({ id, name }, index) => <span key={id}>{index > 0 && ", "}<Link href={`/printers/${encodeURIComponent(id)}`}>{name}</Link></span>)}</>;
}

function Host({ of }: { of: readonly PrinterDocument[] }): ReactNode {
  const host = of.find((each) => each.host)?.host;
  if (!host) return <span className="faint">tells nothing</span>;
  const figures = [
    host.cpu_celsius !== null ? `${host.cpu_celsius.toFixed(0)} °C` : "",
    host.load_ratio !== null ? `load ${percent(host.load_ratio)}` : "",
    host.memory_free_bytes !== null ? `${size(host.memory_free_bytes)} memory free` : "",
    host.disk_free_bytes !== null ? `${size(host.disk_free_bytes)} disk free` : "",
  ].filter(Boolean);
  return (
    <>
      {host.under_voltage && <State words="under-voltage: a stronger supply" tone="bad" />}
      {host.throttled && <State words="throttled: cool it, or power it better" tone="care" />}
      {!host.under_voltage && host.under_voltage_seen && <State words="had under-voltage" tone="care" />}
      <span className="remark">{figures.join(" · ") || "all is well"}</span>
    </>
  );
}

/** What nobody but a person may settle, with what to do. */
function Quarantine({ printers }: { printers: readonly PrinterDocument[] }): ReactNode {
  const those = printers.filter(({ quarantine }) => quarantine);
  if (!those.length) return null;
  return (
    <section aria-label="Quarantine">
      <h2>In quarantine</h2>
      <p>Nothing is printed there until a person has looked. Look at the printer, and whether its agent's card was copied: only one machine may go by each name. Then give it back.</p>
      <ul className="tasks">
        {those.map(({ id, name, agent_id, quarantine }) => (
          <li className="task urgent" key={id}>
            <div><h3><Link href={`/printers/${encodeURIComponent(id)}`}>{name}</Link> <span className="faint">{agent_id}</span></h3><p>{quarantine}</p></div>
            <Deed label={`Give back ${name}`} does={() => setService(id, false)} sure={`Give ${name} back to the farm? It prints again at once.`}>Give back</Deed>
          </li>
        ))}
      </ul>
    </section>
  );
}
