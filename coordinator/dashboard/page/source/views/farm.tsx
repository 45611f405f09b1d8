/** The farm: every printer as a card, a line or a tile; what needs a person comes first. */

import { useCallback, useMemo, useState, type ReactNode } from "react";
import { Link } from "wouter";
import type { PrinterDocument, PrinterStatus } from "../api/shapes";
import { byAttention, byName, progress } from "../attention";
import { clearBed, each, setService } from "../deeds";
import { useCounts, usePrinter, usePrinters } from "../live/store";
import { Deed } from "../parts/deed";
import { Bar, State } from "../parts/state";
import { useNow } from "../parts/since";
import { useSession } from "../session";
import { count, duration, percent, plain, SIGNS, STATUS, statusOf } from "../words";
import { Card, Heat } from "./card";

const LOOKS = ["cards", "list", "tiles"] as const;
const ORDERS = ["attention", "name"] as const;
const GROUPS = ["nothing", "class", "material", "state", "agent"] as const;
type Look = (typeof LOOKS)[number];
type Order = (typeof ORDERS)[number];
type Group = (typeof GROUPS)[number];

const PICTURED_MAX = 40;
/** Under the pointer nothing is put in another order; else at most this often. */
const REORDERED_S = 5;

function remembered<Choice extends string>(key: string, choices: readonly Choice[]): Choice {
  const kept = localStorage.getItem(`farmhand-${key}`) as Choice | null;
  return kept && choices.includes(kept) ? kept : choices[0]!;
}

function useChoice<Choice extends string>(key: string, choices: readonly Choice[]): [Choice, (next: Choice) => void] {
  const [chosen, choose] = useState(() => remembered(key, choices));
  return [chosen, (next) => {
    localStorage.setItem(`farmhand-${key}`, next);
    choose(next);
  }];
}

export function Farm(): ReactNode {
  const printers = usePrinters();
  const [look, setLook] = useChoice<Look>("look", LOOKS);
  const [order, setOrder] = useChoice<Order>("order", ORDERS);
  const [group, setGroup] = useChoice<Group>("group", GROUPS);
  const [status, setStatus] = useState<PrinterStatus | null>(null);
  const [words, setWords] = useState("");
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());

  const select = useCallback((id: string) => setSelected((before) => {
    const after = new Set(before);
    if (!after.delete(id)) after.add(id);
    return after;
  }), []);

  const shown = useOrdered(printers.filter((each) => matches(each, status, words)), order);
  const groups = useMemo(() => grouped(shown, group), [shown, group]);
  if (!printers.length) return <NoPrinters />;
  return (
    <>
      <div className="bar-of-tools">
        <Chips chosen={status} choose={setStatus} />
        <label className="search">
          <span className="hidden">Search printers</span>
          <input type="search" placeholder="Search" value={words} onChange={(event) => setWords(event.target.value)} />
        </label>
        <Choice label="Show as" choices={LOOKS} chosen={look} choose={setLook} />
        <Choice label="Order" choices={ORDERS} chosen={order} choose={setOrder} />
        <Choice label="Group by" choices={GROUPS} chosen={group} choose={setGroup} />
      </div>
      {groups.map(([name, those]) => (
        <section key={name} aria-label={name || "Printers"}>
          {name && <h2>{name} <span className="faint">{those.length}</span></h2>}
          <ul className={look}>
            {those.map((printer) =>
              look === "cards"
                ? <Card key={printer.id} id={printer.id} selected={selected.has(printer.id)} select={select}
                    pictured={printers.length <= PICTURED_MAX} />
                : look === "list"
                  ? <Row key={printer.id} id={printer.id} selected={selected.has(printer.id)} select={select} />
                  : <Tile key={printer.id} id={printer.id} />)}
          </ul>
        </section>
      ))}
      {!shown.length && <p className="alone">No printer is like that.</p>}
      {selected.size > 0 && <Bulk ids={selected} done={() => setSelected(new Set())} all={() => setSelected(new Set(shown.map(({ id }) => id)))} />}
    </>
  );
}

function matches(printer: PrinterDocument, status: PrinterStatus | null, words: string): boolean {
  if (status && printer.status !== status) return false;
  const wanted = words.trim().toLowerCase();
  const text = [printer.name, printer.id, printer.printer_class, printer.material, printer.job?.name ?? ""].join(" ");
  return text.toLowerCase().includes(wanted);
}

/** Put printers in order; the order by attention is looked at anew every few seconds only. */
function useOrdered(printers: PrinterDocument[], order: Order): PrinterDocument[] {
  const step = useNow(REORDERED_S);
  const key = printers.map((each) => `${each.id}${each.status}${each.online}${each.seen}`).join();
  // eslint-disable-next-line react-hooks/exhaustive-deps -- what is measured must not reorder at once
  return useMemo(() => [...printers].sort(order === "name" ? byName : byAttention), [key, order, step]);
}

function grouped(printers: PrinterDocument[], by: Group): [string, PrinterDocument[]][] {
  if (by === "nothing") return [["", printers]];
  const name = (printer: PrinterDocument): string =>
    by === "class" ? printer.printer_class : by === "material" ? printer.material || "no material"
    : by === "agent" ? printer.agent_id : STATUS[printer.status].words;
  const groups = new Map<string, PrinterDocument[]>();
  for (const printer of printers) {
    const those = groups.get(name(printer));
    if (those) those.push(printer);
    else groups.set(name(printer), [printer]);
  }
  return [...groups].sort(([a], [b]) => a.localeCompare(b, undefined, { numeric: true }));
}

function Chips({ chosen, choose }: { chosen: PrinterStatus | null; choose: (next: PrinterStatus | null) => void }): ReactNode {
  const counts = useCounts().printers;
  const states = (Object.keys(STATUS) as PrinterStatus[]).filter((each) => counts[each] || each === chosen);
  return (
    <div className="chips" role="group" aria-label="Only printers that are">
      {states.map((each) => (
        <button key={each} type="button" className={`chip ${STATUS[each].tone}`} aria-pressed={chosen === each}
          onClick={() => choose(chosen === each ? null : each)}>
          <span aria-hidden="true">{SIGNS[STATUS[each].tone]}</span> {STATUS[each].words} <b>{counts[each] ?? 0}</b>
        </button>
      ))}
    </div>
  );
}

interface Choosing<Name extends string> {
  label: string;
  choices: readonly Name[];
  chosen: Name;
  choose: (next: Name) => void;
}

function Choice<Name extends string>({ label, choices, chosen, choose }: Choosing<Name>): ReactNode {
  return (
    <label className="choice">{label}{" "}
      <select value={chosen} onChange={(event) => choose(event.target.value as Name)}>
        {choices.map((each) => <option key={each} value={each}>{plain(each)}</option>)}
      </select>
    </label>
  );
}

function Row({ id, selected, select }: { id: string; selected: boolean; select: (id: string) => void }): ReactNode {
  const printer = usePrinter(id);
  const { may } = useSession();
  if (!printer) return null;
  const { words, tone } = statusOf(printer);
  const how = progress(printer);
  return (
    <li className={`row ${tone}`}>
      {may("printers:operate") && (
        <input type="checkbox" checked={selected} aria-label={`Select ${printer.name}`} onChange={() => select(id)} />
      )}
      <Link href={`/printers/${encodeURIComponent(id)}`} className="name">{printer.name}</Link>
      <State words={words} tone={tone} />
      <span className="job">{printer.job?.name ?? ""}</span>
      <span className="how">{how && <><Bar ratio={how.ratio} label={`progress of ${printer.name}`} /> {percent(how.ratio)}</>}</span>
      <span className="left">{how?.remaining_s != null && duration(how.remaining_s)}</span>
      <Heat printer={printer} />
      <span className="faint">{printer.material}</span>
    </li>
  );
}

function Tile({ id }: { id: string }): ReactNode {
  const printer = usePrinter(id);
  if (!printer) return null;
  const { words, tone } = statusOf(printer);
  const how = progress(printer);
  return (
    <li className={`tile ${tone}`}>
      <Link href={`/printers/${encodeURIComponent(id)}`} title={`${printer.name}: ${words}`}>
        <span aria-hidden="true">{SIGNS[tone]}</span> {printer.name}
        <span className="hidden">: {words}</span>
        {how && <small>{percent(how.ratio)}</small>}
      </Link>
    </li>
  );
}

function Bulk({ ids, done, all }: { ids: ReadonlySet<string>; done: () => void; all: () => void }): ReactNode {
  const { may } = useSession();
  const printers = usePrinters().filter(({ id }) => ids.has(id));
  const dirty = printers.filter(({ status }) => status === "needs_clearing");
  return (
    <div className="bulk" role="region" aria-label="Selected printers">
      <strong>{count(ids.size, "printer")}</strong>
      <button type="button" onClick={all}>Select all shown</button>
      {dirty.length > 0 && (
        <Deed kind="main" does={() => each(dirty, ({ id, name }) => clearBed(id, name)).then(done)}>
          {count(dirty.length, "bed is", "beds are")} clear
        </Deed>
      )}
      {may("printers:manage") && (
        <>
          <Deed does={() => each(printers, ({ id }) => setService(id, true)).then(done)}>Take into service</Deed>
          <Deed does={() => each(printers, ({ id }) => setService(id, false)).then(done)}>Give back to the farm</Deed>
        </>
      )}
      <button type="button" onClick={done}>Select none</button>
    </div>
  );
}

function NoPrinters(): ReactNode {
  const { may } = useSession();
  return (
    <div className="alone">
      <h1>No printer yet</h1>
      {may("farm:admin")
        ? <><p>Printers come by an agent, a small program on a machine beside them.</p><p><Link className="button" href="/begin">Begin</Link></p></>
        : <p>An administrator adds them.</p>}
    </div>
  );
}
