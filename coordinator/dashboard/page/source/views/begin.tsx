/** How printers come into the farm: an agent let in, what it finds taken, many from a table. */

import "../styles/begin.css";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState, type ReactNode } from "react";
import { Link } from "wouter";
import { ask, get } from "../api/ask";
import type {
  AgentDocument, FoundDocument, ImportDocument, ItemsOfAgentDocument, ItemsOfFoundDocument, NewTokenDocument, PrinterDocument, TakenDocument,
} from "../api/shapes";
import { usePrinters } from "../live/store";
import { Deed } from "../parts/deed";
import { Dialog } from "../parts/dialog";
import { useDrawn } from "../parts/drawn";
import { Enrol, Token } from "../parts/enrolling";
import { Field, Form, type Typed } from "../parts/form";
import { say } from "../parts/notes";
import { State } from "../parts/state";
import { count, isSimulated } from "../words";
import { Trial } from "./trial";

const LOOK_MS = 3000;
// An agent asks each port at each rate, and the network for some seconds.
const DISCOVER_MS = 80_000;
const IMPORT_MS = 600_000;
const DRIVERS: readonly [string, string][] = [
  ["marlin_serial", "a serial port: Marlin, Prusa, RepRapFirmware …"], ["prusalink", "PrusaLink"], ["moonraker", "Klipper, behind Moonraker"], ["octoprint", "OctoPrint"],
];
const NONE: readonly PrinterDocument[] = [];
const HEAD = "name,agent,driver,address,class,material,location,tags";

type Sheet = { kind: "enrol" } | { kind: "token"; made: NewTokenDocument } | { kind: "add"; agent: string; found: FoundDocument | null };

export function Begin(): ReactNode {
  const printers = usePrinters();
  const [sheet, setSheet] = useState<Sheet | null>(null);
  const { data, error } = useQuery({
    queryKey: ["agents"],
    queryFn: ({ signal }) => get<ItemsOfAgentDocument>("/agents", signal),
    refetchInterval: LOOK_MS,
  });
  const agents = data?.items.filter(({ id, revoked_at }) => !revoked_at && !isSimulated({ agent_id: id })) ?? [];
  const drawn = useDrawn(agents.length, "agents beside");
  const beside = useMemo(() => {
    const found = new Map<string, PrinterDocument[]>();
    for (const each of printers) found.set(each.agent_id, [...(found.get(each.agent_id) ?? []), each]);
    return found;
  }, [printers]);
  const close = (): void => setSheet(null);
  return (
    <div className="begin">
      <h1>{printers.length ? "Add printers" : "Begin"}</h1>
      {!printers.length && <Trial />}
      <ol className="steps">
        <li>
          <h2>Let an agent in {agents.length > 0 && <span className="faint">{count(agents.length, "agent")} so far</span>}</h2>
          <p>An agent is a small program on a machine beside the printers, such as a Raspberry Pi. Install it there, and let it in with a token that is good once.</p>
          {error && <p className="bad">{error.message}</p>}
          <p className="deeds"><button type="button" className={agents.length ? "" : "main"} onClick={() => setSheet({ kind: "enrol" })}>Make a token</button></p>
          {data && !agents.length && <p className="faint" role="status">No agent yet: it shows here as soon as it is there.</p>}
        </li>
        <li>
          <h2>Take the printers that it finds</h2>
          {!agents.length && <p className="faint">This comes once an agent is there.</p>}
          {agents.slice(0, drawn).map((each) => <Beside key={each.id} agent={each} printers={beside.get(each.id) ?? NONE} add={(found) => setSheet({ kind: "add", agent: each.id, found })} />)}
        </li>
        <li>
          <h2>Or take many from a table</h2>
          <Import known={agents.length > 0} />
        </li>
        <li>
          <h2>Look at them</h2>
          {printers.length
            ? <p><Link href="/">{count(printers.length, "printer")} in the farm</Link>. Each has a bed that nobody declared clear yet: <Link href="/todo">what is to do</Link>. Then stick on <Link href="/labels">labels</Link>, so that phones find them.</p>
            : <p className="faint">None yet.</p>}
        </li>
      </ol>
      {printers.length > 0 && <Trial />}
      {sheet?.kind === "enrol" && <Enrol close={close} made={(made) => setSheet({ kind: "token", made })} />}
      {sheet?.kind === "token" && <Token made={sheet.made} close={close} />}
      {sheet?.kind === "add" && <Add agent={sheet.agent} found={sheet.found} close={close} />}
    </div>
  );
}

/** One agent, and what is beside it once somebody has it look. */
function Beside({ agent, printers, add }: {
  agent: AgentDocument; printers: readonly PrinterDocument[]; add: (found: FoundDocument | null) => void;
}): ReactNode {
  const [found, setFound] = useState<FoundDocument[] | null>(null);
  const [looking, setLooking] = useState(false);
  async function look(): Promise<void> {
    setLooking(true);
    try {
      const path = `/agents/${encodeURIComponent(agent.id)}/discover`;
      setFound((await ask<ItemsOfFoundDocument>("POST", path, { patience_ms: DISCOVER_MS })).items);
    } finally {
      setLooking(false);
    }
  }
  return (
    <section aria-label={`Beside ${agent.id}`} className="beside">
      <div className="deeds">
        <h3>{agent.id}</h3>
        <State words={agent.online ? "online" : "offline"} tone={agent.online ? "good" : "care"} />
        <span className="faint">{count(printers.length, "printer")}</span>
        {agent.online && <Deed kind={printers.length ? "" : "main"} does={look} label={`Look for printers beside ${agent.id}`}>Look for printers</Deed>}
        {agent.online && <button type="button" onClick={() => add(null)} aria-label={`Add a printer to ${agent.id} by hand`}>Add by hand</button>}
      </div>
      {looking && <p role="status">It asks each port at each speed, and listens on the network: half a minute.</p>}
      {found && !found.length && <p>No serial port is there, and no host announces itself. Is the printer on, and plugged in?</p>}
      {found && found.length > 0 && (
        <ul className="found">
          {found.map((each) => {
            const taken = each.printer_id || printers.find(({ id }) => id === each.printer_id)?.id;
            return (
              <li key={each.address}>
                <div>
                  <strong>{each.machine || each.firmware || "Something"}</strong> <code>{each.address}</code>
                  <p className="faint">{each.trouble || [each.firmware, each.baud_rate ? `${each.baud_rate} baud` : ""].filter(Boolean).join(" · ")}</p>
                </div>
                {taken ? <span className="faint">is {taken}</span>
                  : !each.trouble && <button type="button" className="main" onClick={() => add(each)} aria-label={`Add ${each.machine || each.address}`}>Add</button>}
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

function Add({ agent, found, close }: { agent: string; found: FoundDocument | null; close: () => void }): ReactNode {
  const [driver, setDriver] = useState(found?.driver ?? "marlin_serial");
  const classes = [...new Set(usePrinters().map(({ printer_class }) => printer_class))].sort();
  const serial = driver === "marlin_serial";
  async function send(typed: Typed): Promise<void> {
    const settings: Record<string, string | number> = { [found?.setting ?? (serial ? "port" : "url")]: typed.text("address") };
    for (const name of ["username", "api_key"]) if (typed.raw(name)) settings[name] = typed.raw(name);
    if (found?.baud_rate) settings.baud_rate = found.baud_rate;
    const body = {
      id: typed.text("id"), name: typed.text("name"), driver, printer_class: typed.text("printer_class"), material: typed.text("material"), location: typed.text("location"), settings,
    };
    const taken = await ask<TakenDocument>("POST", `/agents/${encodeURIComponent(agent)}/printers`, { body, patience_ms: DISCOVER_MS });
    say(`${taken.name || taken.id} is in the farm.`);
    close();
  }
  const name = found?.machine || found?.firmware || "";
  return (
    <Dialog title={found ? `Add ${name || found.address}` : `Add a printer to ${agent}`} close={close}>
      <Form does={send} send="Add it" cancel={close}>
        <Field name="name" label="Its name"><input required defaultValue={name} maxLength={100} /></Field>
        <Field name="id" label="Its id" hint="a-z, 0-9 and hyphens: it stays for good"><input required defaultValue={idOf(name)} pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?" maxLength={63} autoCapitalize="none" spellCheck={false} /></Field>
        {!found && (
          <Field name="driver" label="Spoken to by">
            <select value={driver} onChange={({ target }: { target: HTMLSelectElement }) => setDriver(target.value)}>{DRIVERS.map(([id, words]) => <option key={id} value={id}>{words}</option>)}</select>
          </Field>
        )}
        <Field name="address" label={serial ? "Port" : "Address"}><input required defaultValue={found?.address ?? ""} placeholder={serial ? "/dev/serial/by-id/…" : "http://mk4.local"} autoCapitalize="none" spellCheck={false} /></Field>
        <Field name="printer_class" label="Printer class" hint="the profile that its plates are sliced for; farmhand profiles lists them"><input required list="printer-classes" autoCapitalize="none" spellCheck={false} /></Field>
        <datalist id="printer-classes">{classes.map((each) => <option key={each} value={each} />)}</datalist>
        {(found ? "username" in found.missing : driver === "prusalink") && <Field name="username" label="User" hint="where it wants one: maker"><input defaultValue={found?.missing.username ?? ""} autoCapitalize="none" autoComplete="off" /></Field>}
        {!serial && <Field name="api_key" label="Key or password" hint={found?.hint || "goes to the agent, and is shown to nobody again"}><input type="password" autoComplete="new-password" /></Field>}
        <Field name="material" label="Holds" hint="empty: somebody says so later"><input placeholder="PLA" /></Field>
        <Field name="location" label="Where it stands"><input /></Field>
      </Form>
    </Dialog>
  );
}

function Import({ known }: { known: boolean }): ReactNode {
  const [csv, setCsv] = useState("");
  const [done, setDone] = useState<ImportDocument | null>(null);
  async function send(dry_run: boolean): Promise<void> {
    const result = await ask<ImportDocument>("POST", "/printers/import", { body: { csv, dry_run }, patience_ms: IMPORT_MS });
    setDone(result);
    if (!dry_run) say(`${count(result.added, "printer")} added.`);
  }
  async function open(file: File | undefined): Promise<void> {
    if (file) change(await file.text());
  }
  function change(text: string): void {
    setCsv(text);
    setDone(null);
  }
  const wrong = done?.items.filter(({ ok }) => !ok) ?? [];
  return (
    <div className="import">
      <p>CSV, whose first line names the columns; all further columns are settings of the driver, such as <code>api_key</code>. Several tags have <code>;</code> between them.</p>
      <label>A file <input type="file" accept=".csv,text/csv" onChange={({ target }) => void open(target.files?.[0])} /></label>
      <label><span className="hidden">Table of printers</span>
        <textarea className="code" rows={6} value={csv} onChange={({ target }) => change(target.value)} spellCheck={false}
          placeholder={`${HEAD}\nMK4 left,pi-1,prusalink,http://mk4-left.local,mk4,PLA,shelf 1,fast;enclosed`} />
      </label>
      <p className="deeds">
        <Deed does={() => send(true)}>Check it</Deed>
        {done?.ok && done.dry_run && <Deed kind="main" does={() => send(false)}>{`Add ${count(done.items.length, "printer")}`}</Deed>}
      </p>
      {!known && <p className="faint">The agents that it names must be there.</p>}
      {done && (
        <div role="status">
          <p>{wrong.length ? `${wrong.length} of ${count(done.items.length, "line")} can't be added:` : done.dry_run ? `All of ${count(done.items.length, "line")} are right.` : `${count(done.added, "printer")} added.`}</p>
          <ul className="wrong">{wrong.map((each) => <li key={each.line}><strong>Line {each.line}</strong>: {each.words}</li>)}</ul>
        </div>
      )}
    </div>
  );
}

function idOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 63);
}
