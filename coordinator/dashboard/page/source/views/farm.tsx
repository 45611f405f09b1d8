/** The farm: every printer as a card, a line or a tile; what needs a person comes first. */

import { memo, useCallback, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { Link } from "wouter";
import type { PrinterDocument } from "../api/shapes";
import { byAttention, byName, standings } from "../attention";
import { usePrinters } from "../live/store";
import { hasCamera } from "../parts/camera";
import { useDrawn } from "../parts/drawn";
import { useNow } from "../parts/since";
import { WithSpools } from "../parts/spool";
import { useSession } from "../session";
import { naturally, plain, SIGNS, statusOf } from "../words";
import { Bulk } from "./bulk";
import { Card } from "./card";
import { Row, Tile } from "./row";

const LOOKS = ["cards", "list", "tiles"] as const;
const ORDERS = ["attention", "name"] as const;
const GROUPS = ["nothing", "location", "model", "material", "state", "group", "agent"] as const;
const SWITCH = ["on", "off"] as const;
type Switch = (typeof SWITCH)[number];
type Look = (typeof LOOKS)[number];
type Order = (typeof ORDERS)[number];
type Group = (typeof GROUPS)[number];

const PICTURED_MAX = 40;
/** So few share the width of a desk among them. */
const FEW = 6;
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
  const [cameras, setCameras] = useChoice<Switch>("cameras", SWITCH);
  const [state, setState] = useState("");
  const [words, setWords] = useState("");
  const [over, setOver] = useState(false);

  const wanted = useMemo(() => printers.filter((each) => matches(each, state, words)), [printers, state, words]);
  const shown = useOrdered(wanted, order, over);
  const groups = useMemo(() => grouped(shown, group), [shown, group]);
  const ids = useMemo(() => groups.flatMap(([, those]) => those.map(({ id }) => id)), [groups]);
  const { selected, select, setSelected, press } = useSelection(ids);
  if (!printers.length) return <NoPrinters />;
  return (
    <>
      <h1 className="hidden">Farm</h1>
      <div className="bar-of-tools">
        <Chips printers={printers} chosen={state} choose={setState} />
        <label className="search">
          <span className="hidden">Search printers</span>
          <input type="search" placeholder="Search" value={words} onChange={(event) => setWords(event.target.value)} />
        </label>
        <Choice label="Show as" choices={LOOKS} chosen={look} choose={setLook} />
        <Choice label="Order" choices={ORDERS} chosen={order} choose={setOrder} />
        <Choice label="Group by" choices={GROUPS} chosen={group} choose={setGroup} />
        {look === "cards" && printers.some(hasCamera) && <Choice label="Cameras" choices={SWITCH} chosen={cameras} choose={setCameras} />}
      </div>
      <WithSpools><div className="printers" onKeyDown={press} onPointerEnter={() => setOver(true)} onPointerLeave={() => setOver(false)}>
        <Groups groups={groups} look={look} selected={selected} select={select}
          pictured={printers.length <= PICTURED_MAX} few={printers.length <= FEW} filmed={cameras === "on"} />
      </div></WithSpools>
      {!shown.length && <p className="alone">No printer is like that.</p>}
      {selected.size > 0 && <Bulk ids={selected} done={() => setSelected(new Set())} all={() => setSelected(new Set(ids))} />}
    </>
  );
}

interface Grouped {
  groups: readonly [string, PrinterDocument[]][];
  look: Look;
  selected: ReadonlySet<string>;
  select: (id: string, ranged?: boolean) => void;
  pictured: boolean;
  few: boolean;
  filmed: boolean;
}

const Groups = memo(function Groups({ groups, look, selected, select, pictured, few, filmed }: Grouped): ReactNode {
  const drawn = useDrawn(groups.reduce((sum, [, those]) => sum + those.length, 0), look);
  return upTo(groups, drawn).map(([name, those, number]) => (
    <section key={name} aria-label={name || "Printers"}>
      {name && <h2>{name} <span className="faint">{number}</span></h2>}
      <ul className={few ? `${look} few` : look}>
        {those.map(({ id }) =>
          look === "cards" ? <Card key={id} id={id} selected={selected.has(id)} select={select} pictured={pictured} filmed={filmed} />
          : look === "list" ? <Row key={id} id={id} selected={selected.has(id)} select={select} />
          : <Tile key={id} id={id} />)}
      </ul>
    </section>
  ));
});

/** The first so many of grouped things, each group with how many there are of it in all. */
function upTo<Thing>(groups: readonly [string, Thing[]][], most: number): [string, Thing[], number][] {
  let left = most;
  return groups.flatMap(([name, those]): [string, Thing[], number][] => {
    if (left <= 0) return [];
    const some = those.slice(0, left);
    left -= some.length;
    return [[name, some, those.length]];
  });
}

function matches(printer: PrinterDocument, state: string, words: string): boolean {
  if (state && statusOf(printer).words !== state) return false;
  const wanted = words.trim().toLowerCase();
  if (!wanted) return true;
  const { name, id, printer_class, material, location, printer_group, tags, job } = printer;
  return [name, id, printer_class, material, location, printer_group, ...tags, job?.name ?? ""].join(" ").toLowerCase().includes(wanted);
}

/** Put printers in order; by attention every few seconds only, and not while the pointer is over them. */
function useOrdered(printers: PrinterDocument[], order: Order, over: boolean): PrinterDocument[] {
  const step = useNow(REORDERED_S);
  const last = useRef<readonly string[]>([]);
  const key = useMemo(() => printers.map((each) => `${each.id}${each.status}${each.online}${each.seen}`).join(), [printers]);
  return useMemo(() => {
    const sorted = [...printers].sort(order === "name" ? byName : byAttention);
    if (over && order !== "name") {
      // What one is about to press stays where it is; who is new comes last.
      const place = new Map(last.current.map((id, index) => [id, index]));
      sorted.sort((a, b) => (place.get(a.id) ?? Infinity) - (place.get(b.id) ?? Infinity) || 0);
    }
    last.current = sorted.map(({ id }) => id);
    return sorted;
    // eslint-disable-next-line react-hooks/exhaustive-deps -- what is measured must not reorder at once
  }, [key, order, step, over]);
}

function grouped(printers: PrinterDocument[], by: Group): [string, PrinterDocument[]][] {
  if (by === "nothing") return [["", printers]];
  const name: Record<Exclude<Group, "nothing">, (printer: PrinterDocument) => string> = {
    location: ({ location }) => location || "no place", model: ({ printer_class }) => printer_class,
    material: ({ material }) => material || "no material", state: (printer) => statusOf(printer).words,
    group: ({ printer_group }) => printer_group || "no group", agent: ({ agent_id }) => agent_id,
  };
  const groups = new Map<string, PrinterDocument[]>();
  for (const printer of printers) {
    const those = groups.get(name[by](printer));
    if (those) those.push(printer);
    else groups.set(name[by](printer), [printer]);
  }
  return [...groups].sort(([a], [b]) => naturally(a, b));
}

interface Selection {
  selected: ReadonlySet<string>;
  /** `ranged`: all between the one chosen last and this one. */
  select: (id: string, ranged?: boolean) => void;
  setSelected: (next: ReadonlySet<string>) => void;
  press: (event: KeyboardEvent<HTMLElement>) => void;
}

/** Printers chosen by pointer or keys: on a printer's box the arrows go on, with Shift they choose; Ctrl+A all, Escape none. */
function useSelection(ids: readonly string[]): Selection {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const last = useRef("");
  const shown = useRef(ids);
  shown.current = ids;
  const select = useCallback((id: string, ranged = false) => {
    setSelected((before) => {
      const after = new Set(before);
      const [from, to] = [shown.current.indexOf(last.current), shown.current.indexOf(id)].sort((a, b) => a - b) as [number, number];
      if (ranged && from >= 0) for (const each of shown.current.slice(from, to + 1)) after.add(each);
      else if (!after.delete(id)) after.add(id);
      return after;
    });
    last.current = id;
  }, []);
  const press = useCallback((event: KeyboardEvent<HTMLElement>) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || box.type !== "checkbox") return;
    if (event.key === "Escape") setSelected(new Set());
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) setSelected(new Set(shown.current));
    else {
      const next = beside(event.currentTarget, box, event.key);
      const id = next?.closest<HTMLElement>("[data-printer]")?.dataset.printer;
      if (!next || !id) return;
      next.focus();
      if (event.shiftKey) {
        last.current ||= box.closest<HTMLElement>("[data-printer]")?.dataset.printer ?? "";
        select(id, true);
      }
    }
    event.preventDefault();
  }, [select]);
  return { selected, select, setSelected, press };
}

/** The box to the left, right, above or below of one, as they stand on the page. */
function beside(all: Element, box: HTMLInputElement, key: string): HTMLInputElement | null {
  const boxes = [...all.querySelectorAll<HTMLInputElement>("[data-printer] input[type=checkbox]")];
  const at = boxes.indexOf(box);
  if (key === "ArrowLeft" || key === "ArrowRight") return boxes[at + (key === "ArrowLeft" ? -1 : 1)] ?? null;
  if (key !== "ArrowUp" && key !== "ArrowDown") return null;
  const { left, top } = box.getBoundingClientRect();
  const sign = key === "ArrowUp" ? -1 : 1;
  const ranked = boxes.map((each) => ({ each, where: each.getBoundingClientRect() }))
    .filter(({ where }) => (where.top - top) * sign > 4)
    .sort((a, b) => (a.where.top - b.where.top) * sign || Math.abs(a.where.left - left) - Math.abs(b.where.left - left));
  return ranked[0]?.each ?? null;
}

interface ChipsShown {
  printers: readonly PrinterDocument[];
  chosen: string;
  choose: (next: string) => void;
}

/** One chip a state, by urgency, with how many are in it; pressed, only those are shown. */
function Chips({ printers, chosen, choose }: ChipsShown): ReactNode {
  const states = useMemo(() => {
    const found = standings(printers);
    const there = !chosen || found.some(({ words }) => words === chosen);
    return there ? found : [...found, { words: chosen, tone: "quiet" as const, number: 0 }];
  }, [printers, chosen]);
  return (
    <div className="chips" role="group" aria-label="Only printers that are">
      {states.map(({ words, tone, number }) => (
        <button key={words} type="button" className={`chip ${tone}`} aria-pressed={chosen === words}
          onClick={() => choose(chosen === words ? "" : words)}>
          <span aria-hidden="true">{SIGNS[tone]}</span> {words} <b>{number}</b>
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

function NoPrinters(): ReactNode {
  const { may } = useSession();
  return (
    <div className="alone">
      <h1>No printer yet</h1>
      {may("farm:admin")
        ? <><p>Printers come by an agent, a small program on a machine beside them; or try the farm with simulated ones.</p><p><Link className="button" href="/begin">Begin</Link></p></>
        : <p>An administrator adds them.</p>}
    </div>
  );
}
