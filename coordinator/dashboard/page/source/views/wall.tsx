/** The farm for a screen on the wall: read from afar, nothing to press, nothing to scroll. */

import { useEffect, useState, type ReactNode } from "react";
import { byAttention, progress } from "../attention";
import { useCounts, useLink, usePrinter, usePrinters } from "../live/store";
import { useNow } from "../parts/since";
import { Bar } from "../parts/state";
import { clock, duration, percent, SIGNS, STATUS, statusOf } from "../words";
import type { PrinterStatus } from "../api/shapes";

const PAGE_S = 10;
/** The least a tile may be, to be read from across a room, and the most. */
const LEAST_PX = { width: 230, height: 120 };
const MOST_PX = { width: 560, height: 330 };
const HEAD_PX = 90;
const GAP_PX = 10;

export function Wall(): ReactNode {
  const now = useNow(5);
  const counts = useCounts().printers;
  const link = useLink();
  const size = useSize();
  const printers = [...usePrinters()].sort(byAttention);
  const { columns, rows } = grid(printers.length, size.width, size.height - HEAD_PX);
  const pages = Math.max(1, Math.ceil(printers.length / (columns * rows)));
  const page = Math.floor(now / (PAGE_S * 1000)) % pages;
  const shown = printers.slice(page * columns * rows, (page + 1) * columns * rows);
  const rowPx = Math.min((size.height - HEAD_PX) / rows, MOST_PX.height) - GAP_PX;
  return (
    <main className={link.state === "lost" ? "wall stale" : "wall"}>
      <header>
        <span>{clock(new Date(now), new Date(now))}</span>
        {(Object.keys(STATUS) as PrinterStatus[]).filter((each) => counts[each]).map((each) => (
          <span key={each} className={STATUS[each].tone}>{SIGNS[STATUS[each].tone]} {counts[each]} {STATUS[each].words}</span>
        ))}
        {pages > 1 && <span className="faint">{page + 1}/{pages}</span>}
      </header>
      <ul style={{ gridTemplateColumns: `repeat(${columns}, 1fr)`, gridAutoRows: `${rowPx}px`, fontSize: `${Math.min(rowPx / LEAST_PX.height, 2.2)}em` }}>
        {shown.map(({ id }) => <WallTile key={id} id={id} />)}
      </ul>
    </main>
  );
}

/** As many columns and rows as have room for all, with tiles as large as that allows. */
function grid(tiles: number, width: number, height: number): { columns: number; rows: number } {
  const columnsMax = Math.max(1, Math.floor(width / LEAST_PX.width));
  const rowsMax = Math.max(1, Math.floor(height / LEAST_PX.height));
  for (let columns = Math.max(1, Math.ceil(width / MOST_PX.width)); columns <= columnsMax; columns += 1) {
    const rows = Math.max(1, Math.ceil(tiles / columns));
    // A tile is wider than it is high, or its words would not fit.
    if (rows <= rowsMax && height / rows >= (width / columns) * 0.45) return { columns, rows };
  }
  return { columns: columnsMax, rows: rowsMax };
}

function WallTile({ id }: { id: string }): ReactNode {
  const printer = usePrinter(id);
  if (!printer) return null;
  const { words, tone } = statusOf(printer);
  const how = progress(printer);
  return (
    <li className={tone}>
      <h2>{printer.name}</h2>
      <p><span aria-hidden="true">{SIGNS[tone]}</span> {words}</p>
      {how && <><Bar ratio={how.ratio} label={`progress of ${printer.name}`} /><p className="big">{percent(how.ratio)}{how.remaining_s !== null && <small> {duration(how.remaining_s)}</small>}</p></>}
    </li>
  );
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
