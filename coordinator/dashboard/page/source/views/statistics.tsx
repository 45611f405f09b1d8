/** What the farm did in a span of time: prints, hours, material, and how printers spent their time. */

import "../styles/statistics.css";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { blob, get } from "../api/ask";
import type { By, PrinterStatus, SpanFiguresDocument, StatisticsDocument } from "../api/shapes";
import { later } from "../parts/later";
import { Deed } from "../parts/deed";
import { useDrawn } from "../parts/drawn";
import { keep } from "../parts/keeping";
import { STATUS, actor, count, duration, grams, percent } from "../words";

const Bars = later(() => import("../parts/bars"), "Bars");

const SPANS: readonly [string, string, number][] = [
  ["day", "the last 24 hours", 1], ["week", "the last 7 days", 7], ["month", "the last 30 days", 30], ["year", "the last 365 days", 365],
];
const GROUPS: readonly [By, string][] = [
  ["printer", "printer"], ["group", "group"], ["class", "printer class"], ["material", "material"], ["user", "who ordered"],
  ["model", "model"], ["provider", "provider of the model"], ["day", "day"], ["month", "month"],
];
/** In the order in which they stand in a bar. */
const TIMES: readonly PrinterStatus[] = ["busy", "reserved", "needs_clearing", "idle", "in_service", "faulted", "offline"];
const DAY_MS = 86_400_000;

export function Statistics(): ReactNode {
  const [span, setSpan] = useState("month");
  const [[from, to], setDates] = useState(() => [day(Date.now() - 30 * DAY_MS), day(Date.now())] as const);
  const [by, setBy] = useState<By>("printer");
  const between = spanOf(span, from, to);
  const { data, error } = useFigures(between, by);
  const days = useFigures(between, span === "year" ? "month" : "day").data;
  return (
    <>
      <h1>Statistics</h1>
      <div className="bar-of-tools">
        <label className="choice">Of{" "}
          <select value={span} onChange={(event) => setSpan(event.target.value)}>
            {SPANS.map(([name, words]) => <option key={name} value={name}>{words}</option>)}
            <option value="dates">from … to …</option>
          </select>
        </label>
        {span === "dates" && (
          <>
            <label className="choice">from <input type="date" value={from} max={to} required onChange={({ target }) => target.value && setDates([target.value, to])} /></label>
            <label className="choice">to <input type="date" value={to} min={from} required onChange={({ target }) => target.value && setDates([from, target.value])} /></label>
          </>
        )}
        <label className="choice">by{" "}
          <select value={by} onChange={(event) => setBy(event.target.value as By)}>
            {GROUPS.map(([name, words]) => <option key={name} value={name}>{words}</option>)}
          </select>
        </label>
        <Deed does={() => keep(blob(`/statistics.csv?${query(between, by)}`), `farmhand-${by}.csv`)}>Figures as CSV</Deed>
        <Deed does={() => keep(blob(`/runs.csv?${query(between)}`), "farmhand-runs.csv")}>Every print as CSV</Deed>
      </div>
      {error && <p className="bad">{error.message}</p>}
      {!data && !error && <p className="faint" role="status">One moment …</p>}
      {data && <Total total={data.total} />}
      {days && days.items.length > 0 && <Bars items={days.items} monthly={days.by === "month"} since={days.since} until={days.until} />}
      {data && <Table found={data} />}
      {data && data.reasons.length > 0 && (
        <section>
          <h2>Why prints failed</h2>
          <ol className="reasons">
            {data.reasons.map((each) => <li key={each.words}><span className="times">{each.runs} ×</span> {each.words || "no reason was told"}</li>)}
          </ol>
        </section>
      )}
    </>
  );
}

function useFigures(between: Between, by: By) {
  return useQuery({
    queryKey: ["statistics", between.key, by],
    queryFn: ({ signal }) => get<StatisticsDocument>(`/statistics?${query(between, by)}`, signal),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });
}

function Total({ total }: { total: SpanFiguresDocument }): ReactNode {
  const ended = total.finished + total.failed + total.lost;
  return (
    <dl className="totals">
      <Figure name="prints finished" value={String(total.finished)} words={`${total.copies} copies; ${total.failed} failed, ${total.cancelled} cancelled, ${total.lost} lost`} />
      <Figure name="success" value={total.success === null ? "–" : percent(total.success)} words={ended ? `of ${count(ended, "print")} that nobody cancelled` : "nothing ended yet"} />
      <Figure name="printing" value={hours(total.print_h)} words={total.time ? `printers were busy ${percent(total.time.busy ?? 0)} of the time` : ""} />
      <Figure name="material" value={grams(total.filament_g) || "0 g"} words={total.cost ? `worth ${total.cost.toFixed(2)}` : ""} />
      <Figure name="of the estimate" value={total.of_estimate === null ? "–" : percent(total.of_estimate)} words={total.of_estimate === null ? "nothing to compare yet" : off(total.of_estimate)} />
      <Figure name="until a bed is cleared" value={total.clearing_s === null ? "–" : duration(total.clearing_s)} words={total.clearings ? `on average, of ${total.clearings}` : "none was waited for"} />
    </dl>
  );
}

function Figure({ name, value, words }: { name: string; value: string; words: string }): ReactNode {
  return <div><dt>{name}</dt><dd><strong>{value}</strong>{words && <span className="faint">{words}</span>}</dd></div>;
}

function Table({ found }: { found: StatisticsDocument }): ReactNode {
  const drawn = useDrawn(found.items.length, `statistics ${found.by}`);
  if (!found.items.length) return <p className="alone">Nothing was printed then.</p>;
  const timed = found.items.some((each) => each.time);
  return (
    <section>
      {timed && (
        <p className="colours" aria-hidden="true">
          {TIMES.map((each) => <span key={each} className={each}><i />{STATUS[each].words}</span>)}
        </p>
      )}
      <div className="scroll" tabIndex={0} role="region" aria-label="Figures">
        <table className="ledger">
          <thead>
            <tr>
              <th scope="col">{GROUPS.find(([name]) => name === found.by)?.[1]}</th>
              {["finished", "failed", "cancelled", "lost", "success", "printing", "material", "cost", "of estimate"].map((each) => <th key={each} scope="col" className="amount">{each}</th>)}
              {timed && <th scope="col">time</th>}
              {timed && <th scope="col" className="amount">cleared in</th>}
            </tr>
          </thead>
          <tbody>
            {found.items.slice(0, drawn).map((each) => (
              <tr key={each.key}>
                <th scope="row"><Key by={found.by} each={each} /></th>
                {[each.finished, each.failed, each.cancelled, each.lost].map((runs, place) => <td key={place} className="amount">{runs || <span className="faint">0</span>}</td>)}
                <td className="amount">{each.success === null ? "" : percent(each.success)}</td>
                <td className="amount">{hours(each.print_h)}</td>
                <td className="amount">{grams(each.filament_g)}</td>
                <td className="amount">{each.cost ? each.cost.toFixed(2) : ""}</td>
                <td className="amount">{each.of_estimate === null ? "" : percent(each.of_estimate)}</td>
                {timed && <td>{each.time && <Spent time={each.time} />}</td>}
                {timed && <td className="amount">{each.clearing_s === null ? "" : duration(each.clearing_s)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Key({ by, each }: { by: By; each: SpanFiguresDocument }): ReactNode {
  const words = by === "user" ? actor(each.key) : each.name || each.key;
  if (!words) return <span className="faint">none</span>;
  if (by === "printer") return <Link href={`/printers/${encodeURIComponent(each.key)}`}>{words}</Link>;
  if (by === "model") return <Link href={`/models/${encodeURIComponent(each.key)}`}>{words}</Link>;
  return words;
}

/** How printers spent their time, as one bar; its words are for who can't see it, or points at it. */
function Spent({ time }: { time: NonNullable<SpanFiguresDocument["time"]> }): ReactNode {
  const parts = TIMES.filter((each) => (time[each] ?? 0) > 0);
  const words = parts.map((each) => `${STATUS[each].words} ${percent(time[each] ?? 0)}`).join(", ");
  let left = 0;
  return (
    <svg className="spent" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={words}>
      <title>{words}</title>
      {parts.map((each) => {
        const width = 100 * (time[each] ?? 0);
        left += width;
        return <rect key={each} className={each} x={left - width} width={width} height="8" />;
      })}
    </svg>
  );
}

interface Between {
  /** Alike for what is the same choice, so that time alone asks nothing anew. */
  key: string;
  ends: () => [Date, Date | null];
}

function spanOf(span: string, from: string, to: string): Between {
  const days = SPANS.find(([name]) => name === span)?.[2];
  if (days) return { key: span, ends: () => [new Date(Date.now() - days * DAY_MS), null] };
  const last = new Date(`${to}T00:00`);
  last.setDate(last.getDate() + 1);
  return { key: `${from} ${to}`, ends: () => [new Date(`${from}T00:00`), last] };
}

function query(between: Between, by?: By): URLSearchParams {
  const [since, until] = between.ends();
  const asked = new URLSearchParams({ since: since.toISOString() });
  if (until) asked.set("until", until.toISOString());
  if (by) asked.set("by", by);
  if (by) asked.set("offset_min", String(-new Date().getTimezoneOffset()));
  return asked;
}

/** A day as an `<input type="date">` has it. */
function day(at: number): string {
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 10);
}

const hours = (number: number): string => number < 1 ? duration(number * 3600) : `${number < 10 ? number.toFixed(1) : Math.round(number)} h`;

function off(ratio: number): string {
  const by = Math.round(Math.abs(ratio - 1) * 100);
  return by ? `prints take ${by} % ${ratio > 1 ? "longer" : "less"} than foretold` : "prints take what was foretold";
}
