/** The coordinator's log: what it said how often, and its last lines. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { get } from "../api/ask";
import type { LogSummaryDocument } from "../api/shapes";
import { LogLines, WEIGHTS } from "../parts/log";
import { State } from "../parts/state";
import { Table } from "../parts/table";
import { moment } from "../words";
import "../styles/shop.css";
import "../styles/forms.css";

const LOOK_MS = 5000;
const LINES = "200";
const LEVELS = ["debug", "info", "warning", "error"];
const IDS = ["job", "run", "printer", "agent", "request"];

export function Log(): ReactNode {
  const [level, setLevel] = useState("info");
  const [event, setEvent] = useState("");
  const [about, setAbout] = useState("printer");
  const [id, setId] = useState("");
  const wanted = { level, last: LINES, ...(event.trim() ? { event: event.trim() } : {}), ...(id.trim() ? { [about]: id.trim() } : {}) };
  return (
    <>
      <h1>Log</h1>
      <p className="faint">What the running coordinator keeps in its memory; the machine's own journal has the rest.</p>
      <div className="bar-of-tools">
        <label className="choice">Level{" "}
          <select value={level} onChange={(change) => setLevel(change.target.value)}>{LEVELS.map((each) => <option key={each} value={each}>{each} and above</option>)}</select>
        </label>
        <label className="choice">About{" "}
          <select value={about} onChange={(change) => setAbout(change.target.value)}>{IDS.map((each) => <option key={each}>{each}</option>)}</select>
        </label>
        <label className="search"><span className="hidden">Its id</span>
          <input type="search" value={id} placeholder={about === "request" ? "X-Request-Id" : `${about}'s id`} onChange={(change) => setId(change.target.value)} />
        </label>
        <label className="search"><span className="hidden">What is said</span>
          <input type="search" value={event} placeholder="job.received" onChange={(change) => setEvent(change.target.value)} />
        </label>
      </div>
      <section aria-label="Lines"><LogLines wanted={wanted} /></section>
      <Summary level={level} choose={setEvent} />
    </>
  );
}

function Summary({ level, choose }: { level: string; choose: (event: string) => void }): ReactNode {
  const { data } = useQuery({
    queryKey: ["log", "summary", level],
    queryFn: ({ signal }) => get<LogSummaryDocument>(`/logs/summary?level=${level}`, signal),
    refetchInterval: LOOK_MS,
    placeholderData: keepPreviousData,
  });
  return (
    <section aria-label="How often what is said">
      <h2>How often what is said</h2>
      <Table label="How often what is said" rows={data?.events} id={(each) => `${each.level} ${each.event}`} empty="Nothing was said." columns={[
        { head: "What", cell: ({ event }) => <button type="button" className="link" onClick={() => choose(event)}>{event}</button> },
        { head: "Level", cell: (each) => <State words={each.level} tone={WEIGHTS[each.level]} /> },
        { head: "Times", kind: "figure", cell: (each) => each.count },
        { head: "Last", cell: ({ last_at }) => moment(last_at) },
      ]} />
    </section>
  );
}
