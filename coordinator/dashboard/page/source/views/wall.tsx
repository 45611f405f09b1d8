/** The farm for a screen on the wall: read from afar, nothing to press, nothing to scroll. */

import { memo, useEffect, useMemo, useState, type ReactNode } from "react";
import type { PrinterDocument } from "../api/shapes";
import { byAttention, needsSomebody, progress, standings } from "../attention";
import { useLink, usePrinter, usePrinters } from "../live/store";
import { Camera, hasCamera } from "../parts/camera";
import { useTurned } from "../parts/drawn";
import { Since, useNow } from "../parts/since";
import { Bar } from "../parts/state";
import { useTasks } from "../parts/tasks";
import { clock, count, duration, endsAt, percent, SIGNS, statusOf } from "../words";
import "../styles/wall.css";

const PAGE_S = 10;
/** Who wants cameras on the wall opens `/wall?cameras`. */
const FILMED = new URLSearchParams(location.search).has("cameras");
const FILMED_S = 10;
/** The least a tile may be, to be read from across a room, and the most. */
const LEAST_PX = { width: 230, height: 120 };
const MOST_PX = { width: 560, height: 330 };
const HEAD_PX = 100;
const GAP_PX = 10;
/** So many tiles turn with one frame: all at once would be a long task. */
const TURNED_MAX = 12;
/** Nothing stands on the same dots for ever: all of it wanders by so much, a step each minute. */
const WANDER_PX = 8;
const STEPS = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0], [-1, 0], [-1, -1], [0, -1]] as const;

export function Wall(): ReactNode {
  const now = useNow(5);
  const link = useLink();
  const size = useSize();
  const printers = usePrinters();
  const step = Math.floor(now / (PAGE_S * 1000));
  // Put in order anew with each page only, so that nothing jumps while one reads.
  // eslint-disable-next-line react-hooks/exhaustive-deps -- what changes meanwhile stays where it is
  const sorted = useMemo(() => [...printers].sort(byAttention), [printers.length, step]);
  const { columns, rows } = grid(sorted.length, size.width, size.height - HEAD_PX);
  const { shown, page, pages } = useMemo(() => pageOf(sorted, columns * rows, step), [sorted, columns, rows, step]);
  const tiles = useTurned(useMemo(() => shown.map(({ id }) => id), [shown]), TURNED_MAX);
  const rowPx = Math.min((size.height - HEAD_PX) / rows, MOST_PX.height) - GAP_PX;
  const [x, y] = STEPS[Math.floor(now / 60_000) % STEPS.length]!;
  return (
    <main className={link.state === "lost" ? "wall stale" : "wall"}><div style={{ transform: `translate(${x * WANDER_PX}px, ${y * WANDER_PX}px)` }}>
      <header>
        <h1 className="hidden">The farm, on the wall</h1>
        <span className="time">{clock(new Date(now), new Date(now))}</span>
        {link.state === "lost" && <span className="bad">▲ not live for <Since at={link.since} /></span>}
        <Counts printers={printers} />
        <ToDo />
        {pages > 1 && <span className="faint" aria-label={`page ${page + 1} of ${pages}`}>{page + 1}/{pages}</span>}
      </header>
      <ul style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, gridAutoRows: `${rowPx}px`, fontSize: `${Math.min(rowPx / LEAST_PX.height, 2.2)}em` }}>
        {/* By place, not by printer: with the next page tiles change their words, and none is made anew. */}
        {tiles.map((id, place) => <WallTile key={place} id={id} />)}
      </ul>
    </div></main>
  );
}

/** What needs somebody stands on every page, as far as half of it reaches; the rest takes turns. */
function pageOf(sorted: readonly PrinterDocument[], room: number, step: number): { shown: readonly PrinterDocument[]; page: number; pages: number } {
  if (sorted.length <= room) return { shown: sorted, page: 0, pages: 1 };
  const urgent = sorted.filter(needsSomebody).slice(0, Math.floor(room / 2));
  const first = new Set(urgent);
  const rest = sorted.filter((each) => !first.has(each));
  const each = room - urgent.length;
  const pages = Math.ceil(rest.length / each);
  const page = step % pages;
  return { shown: [...urgent, ...rest.slice(page * each, (page + 1) * each)], page, pages };
}

const Counts = memo(function Counts({ printers }: { printers: readonly PrinterDocument[] }): ReactNode {
  return standings(printers).map(({ words, tone, number }) => <span key={words} className={tone}>{SIGNS[tone]} {words} {number}</span>);
});

function ToDo(): ReactNode {
  const due = useTasks().length;
  return due > 0 && <span className="care">{count(due, "thing")} to do</span>;
}

/** As many columns and rows as have room for all, with tiles as large as that allows. */
function grid(tiles: number, width: number, height: number): { columns: number; rows: number } {
  const columnsMax = Math.max(1, Math.floor(width / LEAST_PX.width));
  const rowsMax = Math.max(1, Math.floor(height / LEAST_PX.height));
  const columnsMin = Math.max(1, Math.min(tiles, Math.ceil(width / MOST_PX.width)));
  for (let columns = columnsMin; columns <= columnsMax; columns += 1) {
    const rows = Math.max(1, Math.ceil(tiles / columns));
    // A tile is wider than it is high, or its words would not fit.
    if (rows <= rowsMax && height / rows >= (width / columns) * 0.45) return { columns, rows };
  }
  return { columns: columnsMax, rows: rowsMax };
}

const WallTile = memo(function WallTile({ id }: { id: string }): ReactNode {
  const printer = usePrinter(id);
  if (!printer) return null;
  const { words, tone } = statusOf(printer);
  const how = progress(printer);
  return (
    <li className={tone}>
      <h2>{printer.name}</h2>
      <p><span aria-hidden="true">{SIGNS[tone]}</span> {words}{how?.remaining_s == null && needsSomebody(printer) && printer.since && <span className="since"> for <Since at={printer.status === "needs_clearing" ? printer.bed.changed_at ?? printer.since : printer.since} /></span>}</p>
      {FILMED && hasCamera(printer) && <Camera printer={printer} every_s={FILMED_S} />}
      {how && <><Bar ratio={how.ratio} label={`progress of ${printer.name}`} /><p className="big">{percent(how.ratio)}{how.remaining_s !== null && <Left remaining_s={how.remaining_s} />}</p></>}
    </li>
  );
});

function Left({ remaining_s }: { remaining_s: number }): ReactNode {
  const now = useNow(30);
  return <small> {duration(remaining_s)} <span className="ends">· {endsAt(remaining_s, now)}</span></small>;
}

function useSize(): { width: number; height: number } {
  const [size, setSize] = useState({ width: window.innerWidth, height: window.innerHeight });
  useEffect(() => {
    const look = (): void => setSize({ width: window.innerWidth, height: window.innerHeight });
    window.addEventListener("resize", look);
    return () => window.removeEventListener("resize", look);
  }, []);
  return size;
}
