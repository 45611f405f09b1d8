/** What each printer prints now and until when, and what it is going to, if nothing comes between. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, useState, type ReactNode } from "react";
import { Link } from "wouter";
import { get } from "../api/ask";
import type { BlockDocument, PrinterHoursDocument, TimetableDocument } from "../api/shapes";
import { useDrawn } from "../parts/drawn";
import { useNow } from "../parts/since";
import { clock, count, duration, naturally } from "../words";

const ASKED_MS = 15_000;
const HOURS = [4, 12, 24, 48] as const;
/** A block that ends nobody knows when is drawn so long. */
const UNKNOWN_MS = 1_800_000;
const KINDS: Record<BlockDocument["kind"], string> = { printing: "prints", leased: "starts", planned: "planned" };

export function Timeline(): ReactNode {
  const [hours, setHours] = useState<number>(12);
  const [idle, setIdle] = useState(false);
  const now = useNow(15);
  const { data, error } = useQuery({
    queryKey: ["timetable", hours],
    queryFn: ({ signal }) => get<TimetableDocument>(`/timetable?hours=${hours}`, signal),
    refetchInterval: ASKED_MS, placeholderData: keepPreviousData,
  });
  const rows = useMemo(() => (data?.items ?? []).filter(({ blocks }) => idle || blocks.length).sort(bySoonest), [data, idle]);
  const drawn = useDrawn(rows.length, "timeline");
  if (error && !data) return <p className="bad">{error.message}</p>;
  if (!data) return <p role="status">One moment …</p>;
  const from = now - hours * 3_600_000 * 0.04;
  const span = hours * 3_600_000 * 1.04;
  const free = data.items.length - data.items.filter(({ blocks }) => blocks.length).length;
  return (
    <section aria-label="Timeline">
      <div className="bar-of-tools">
        <label className="choice">Hours{" "}
          <select value={hours} onChange={(event) => setHours(Number(event.target.value))}>
            {HOURS.map((each) => <option key={each} value={each}>{each}</option>)}
          </select>
        </label>
        {free > 0 && <label><input type="checkbox" checked={idle} onChange={() => setIdle(!idle)} /> {count(free, "printer")} without work</label>}
        <p className="faint">
          Planned as the farm would have given it out at {clock(new Date(data.made_at), new Date(now))}; a bed is taken to be cleared within five minutes.
          {data.left_out > 0 && ` ${count(data.left_out, "job waits", "jobs wait")} of which nothing is planned in these hours.`}
        </p>
      </div>
      {rows.length === 0 && <p className="faint">Nothing is printed, and nothing that waits can be.</p>}
      {rows.length > 0 && (
        <div className="timeline">
          <Hours from={from} span={span} hours={hours} now={now} />
          <ol>{rows.slice(0, drawn).map((row) => <Row key={row.printer_id} row={row} from={from} span={span} now={now} />)}</ol>
        </div>
      )}
    </section>
  );
}

function bySoonest(a: PrinterHoursDocument, b: PrinterHoursDocument): number {
  const end = ({ blocks }: PrinterHoursDocument): string => (blocks[0] ? blocks[0].ends_at ?? "8" : "9");
  return end(a).localeCompare(end(b)) || naturally(a.name, b.name);
}

function Hours({ from, span, hours, now }: { from: number; span: number; hours: number; now: number }): ReactNode {
  const step = Math.max(1, hours / 8) * 3_600_000;
  const zone = new Date(now).getTimezoneOffset() * 60_000;
  const first = Math.ceil((from - zone) / step) * step + zone;
  // The last has room for its words, or is left out.
  const marks = Array.from({ length: Math.floor((from + span * 0.95 - first) / step) + 1 }, (_, index) => first + index * step);
  return (
    <div className="hours" aria-hidden="true">
      {marks.map((at) => <span key={at} style={{ left: `${((at - from) / span) * 100}%` }}>{clock(new Date(at), new Date(now))}</span>)}
    </div>
  );
}

interface RowShown {
  row: PrinterHoursDocument;
  from: number;
  span: number;
  now: number;
}

function Row({ row, from, span, now }: RowShown): ReactNode {
  return (
    <li>
      <Link href={`/printers/${encodeURIComponent(row.printer_id)}`} className="name">{row.name}</Link>
      <ol className="track">
        <li className="hand" aria-hidden="true" style={{ left: `${((now - from) / span) * 100}%` }} />
        {row.blocks.map((block) => <Block key={`${block.job_id}${block.starts_at}`} block={block} from={from} span={span} now={now} />)}
        {row.blocks.length === 0 && <li className="hidden">has no work</li>}
      </ol>
    </li>
  );
}

function Block({ block, from, span, now }: { block: BlockDocument; from: number; span: number; now: number }): ReactNode {
  const begins = Date.parse(block.starts_at);
  const ends = block.ends_at ? Date.parse(block.ends_at) : Math.max(begins, now) + UNKNOWN_MS;
  const left = Math.max(0, (begins - from) / span);
  const right = Math.min(1, (ends - from) / span);
  if (right <= left) return null;
  const until = block.ends_at ? `until ${clock(new Date(ends), new Date(now))}` : "nobody knows until when";
  const since = block.kind === "printing" ? "" : `from ${clock(new Date(begins), new Date(now))} `;
  const words = `${block.name}${block.copies > 1 ? ` × ${block.copies}` : ""}`;
  const long = block.ends_at ? `, ${duration((ends - begins) / 1000)}` : "";
  return (
    <li className={`slot ${block.kind}${block.ends_at ? "" : " open"}`} style={{ left: `${left * 100}%`, width: `${(right - left) * 100}%` }}>
      <Link href={`/jobs/${encodeURIComponent(block.job_id)}`} title={`${words}: ${KINDS[block.kind]} ${since}${until}${long}`}>
        {words}<span className="hidden">: {KINDS[block.kind]} {since}{until}</span>
      </Link>
    </li>
  );
}
