/** The audit log: who did what, when and why, newest first; and whether it can be trusted. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link, useSearchParams } from "wouter";
import { LONG_MS, ask, get } from "../api/ask";
import type { AuditDocument, EventDocument, EventsPage } from "../api/shapes";
import { csv } from "../csv";
import { Deed } from "../parts/deed";
import { keep } from "../parts/keeping";
import { Paging, usePages } from "../parts/pages";
import { State } from "../parts/state";
import { Table } from "../parts/table";
import { actor, count, moment } from "../words";
import "../styles/shop.css";
import "../styles/forms.css";

const PAGE = 50;
const LOOK_MS = 10_000;
const WIDE = "(min-width: 761px)";
const SUBJECTS = ["job", "run", "printer", "plate", "agent", "release", "rollout", "user", "key", "spool", "maintenance", "model", "version", "project", "generation", "webhook", "artifact", "backup", "history", "enrolment"];
/** Whose deeds are shown: at first those of people, or the farm's own would bury them. */
const BY = { people: "people", agents: "agents", farm: "the farm itself", "": "everybody" } as const;
// Who, when and how often stand elsewhere in the line.
const SAID_ELSEWHERE = new Set(["created_at", "updated_at", "version", "revision", "bed_changed_at", "bed_changed_by", "started_at", "ended_at"]);

type Wanted = "actor" | "name" | "subject" | "subject_id" | "since" | "until";

/** A day as it is typed, as the moment that it begins (or ends) where it is looked at. */
function dayOf(text: string, add_days = 0): string {
  const [year = 0, month = 1, day = 1] = text.split("-").map(Number);
  return new Date(year, month - 1, day + add_days).toISOString();
}

export function Audit(): ReactNode {
  // In the address, so that what was found can be shown to others.
  const [said, setSaid] = useSearchParams();
  const [shown, setShown] = useState<Record<Wanted, string>>(() => ({
    actor: said.get("actor") ?? (said.size ? "" : "people"), name: said.get("name") ?? "", subject: said.get("subject") ?? "",
    subject_id: said.get("subject_id") ?? "", since: said.get("since") ?? "", until: said.get("until") ?? "",
  }));
  // On a phone they would fill the screen before the first line.
  const [open, setOpen] = useState(() => window.matchMedia(WIDE).matches);
  const told = Object.values({ ...shown, actor: shown.actor in BY ? "" : shown.actor }).filter(Boolean).join(", ");
  const want = (name: Wanted, value: string): void => {
    const next = { ...shown, [name]: value };
    setShown(next);
    // Everybody is said too: who says nothing means people.
    setSaid(new URLSearchParams(Object.entries(next).filter(([each, words]) => words || each === "actor")), { replace: true });
  };
  const wanted = query(shown);
  const pages = usePages<number>(wanted.toString());
  if (pages.cursor) wanted.set("before", String(pages.cursor));
  const { data, error } = useQuery({
    queryKey: ["audit", wanted.toString()],
    queryFn: ({ signal }) => get<EventsPage>(`/events?${wanted}`, signal),
    refetchInterval: pages.cursor ? false : LOOK_MS,
    placeholderData: keepPreviousData,
  });
  const lines = data?.items.toReversed();
  const oldest = lines?.at(-1);
  return (
    <>
      <div className="bar-of-tools">
        <h1>Audit log</h1>
        <Proof />
        <Deed does={() => keep(csvOf(lines ?? []), "history.csv")}>CSV of what is shown</Deed>
      </div>
      <search className="narrow">
        <div className="chips" role="group" aria-label="What was done by">
          {Object.entries(BY).map(([who, words]) => (
            <button key={who} type="button" className="chip quiet" aria-pressed={shown.actor === who} onClick={() => want("actor", who)}>{words}</button>
          ))}
        </div>
        <details className="sieve" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary>Only what is like this{told && <span className="faint"> {told}</span>}</summary>
          <div className="side sought">
            <Filter label="Who" name="actor" value={shown.actor in BY ? "" : shown.actor} want={want} hint="user:anna, agent:pi-3" />
            <Filter label="What" name="name" value={shown.name} want={want} hint="bed.clear, or job.*" />
            <div className="field"><label htmlFor="sought-subject">Of</label>
              <select id="sought-subject" value={shown.subject} onChange={(event) => want("subject", event.target.value)}>
                <option value="">anything</option>
                {SUBJECTS.map((each) => <option key={each}>{each}</option>)}
              </select>
            </div>
            <Filter label="Its id" name="subject_id" value={shown.subject_id} want={want} />
            <Filter label="From" name="since" type="date" value={shown.since} want={want} />
            <Filter label="Up to" name="until" type="date" value={shown.until} want={want} />
          </div>
        </details>
      </search>
      {error && <p className="bad" role="alert">{error.message}</p>}
      <Table label="History" rows={error ? [] : lines} id={({ number }) => number} empty="Nothing happened that is like that." columns={[
        { head: "When", kind: "whole", cell: ({ at, number }) => <>{moment(at)}<span className="remark">number {number}</span></> },
        { head: "Who", cell: (line) => <><button type="button" className="link" title="Only this one" onClick={() => want("actor", line.actor)}>{actor(line.actor)}</button><span className="remark clipped" title={line.origin}>{line.origin}</span></> },
        { head: "What", kind: "whole", cell: (line) => <><button type="button" className="link" title="Only these" onClick={() => want("name", line.name)}>{line.name}</button>{line.cause && <span className="remark">{line.cause}</span>}</> },
        { head: "Of", cell: (line) => <Thing line={line} /> },
        { head: "Changes", kind: "wide", cell: (line) => <Changes line={line} /> },
      ]} />
      <Paging pages={pages} next={lines?.length === PAGE && oldest && oldest.number > 1 ? oldest.number : null} newest />
    </>
  );
}

function query({ since, until, ...words }: Record<Wanted, string>): URLSearchParams {
  const wanted = new URLSearchParams({ last: String(PAGE) });
  for (const [name, value] of Object.entries(words)) if (value.trim()) wanted.set(name, value.trim());
  if (since) wanted.set("since", dayOf(since));
  if (until) wanted.set("until", dayOf(until, 1));
  return wanted;
}

function Filter({ label, name, value, want, hint = "", type = "search" }: {
  label: string; name: Wanted; value: string; want: (name: Wanted, value: string) => void; hint?: string; type?: string;
}): ReactNode {
  return (
    <div className="field"><label htmlFor={`sought-${name}`}>{label}</label>
      <input id={`sought-${name}`} type={type} value={value} placeholder={hint} spellCheck={false} autoCapitalize="none"
        onChange={(event) => want(name, event.target.value)} />
    </div>
  );
}

const PLACES: Record<string, string> = { job: "/jobs", printer: "/printers", model: "/models", generation: "/generate" };

function Thing({ line: { subject, subject_id } }: { line: EventDocument }): ReactNode {
  const place = PLACES[subject];
  const id = <span className="clipped" title={subject_id}>{subject_id}</span>;
  return <>{subject} {place ? <Link href={`${place}/${encodeURIComponent(subject_id)}`}>{id}</Link> : id}</>;
}

/** What a value is to a person. */
function told(value: unknown): string {
  if (value === null || value === "") return "nothing";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What changed; asked to, what it was before. */
function Changes({ line }: { line: EventDocument }): ReactNode {
  const [open, setOpen] = useState(false);
  if (!line.changes) return <State words="can't be read" tone="bad" />;
  const names = Object.keys(line.changes);
  const facts = Object.entries(line.facts ?? {});
  if (!names.length && !facts.length) return null;
  const telling = names.filter((name) => !SAID_ELSEWHERE.has(name)).toSorted((one, other) => Number(other.endsWith("state")) - Number(one.endsWith("state")));
  const glance = telling.slice(0, 3).map((name) => `${name}: ${told(line.changes?.[name]).slice(0, 40)}`).join(" · ");
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{glance || names.join(", ") || facts.map(([name, value]) => `${name}: ${told(value)}`).join(" · ").slice(0, 120)}{glance && telling.length > 3 && ` · and ${telling.length - 3} more`}</summary>
      {open && <Difference line={line} />}
      {facts.length > 0 && <p className="faint">{facts.map(([name, value]) => `${name}: ${told(value)}`).join(" · ")}</p>}
    </details>
  );
}

/** A line has only what is new; what was before stands in the thing's earlier lines. */
function Difference({ line }: { line: EventDocument }): ReactNode {
  const { data, error } = useQuery({
    queryKey: ["audit", "before", line.number],
    queryFn: ({ signal }) => {
      const of = new URLSearchParams({ subject: line.subject, subject_id: line.subject_id, before: String(line.number), last: "1000" });
      return get<EventsPage>(`/events?${of}`, signal);
    },
    staleTime: Infinity,
  });
  if (error) return <p className="bad">{error.message}</p>;
  if (!data) return <p className="faint">One moment …</p>;
  const before: Record<string, unknown> = Object.assign({}, ...data.items.map(({ changes }) => changes ?? {}));
  return (
    <dl className="difference">
      {Object.entries(line.changes ?? {}).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{name in before && <><del>{told(before[name])}</del> → </>}<ins>{told(value)}</ins></dd>
        </div>
      ))}
    </dl>
  );
}

function Proof(): ReactNode {
  const [verdict, setVerdict] = useState<(AuditDocument & { at: Date }) | null>(null);
  async function prove(): Promise<void> {
    const found = await ask<AuditDocument>("GET", "/events/verify", { patience_ms: LONG_MS });
    setVerdict({ ...found, at: new Date() });
  }
  return (
    <div className="proof" role="status">
      {verdict && (verdict.ok
        ? <><State words="The history is intact" tone="good" /><span className="faint">{count(verdict.head.number, "line")}, {verdict.rows_compared} rows compared, {verdict.at.toLocaleTimeString()}</span></>
        : <><State words={`${count(verdict.faults_count, "fault")}: the history can't be trusted`} tone="bad" />
          <ul>{verdict.faults.map((fault) => <li key={`${fault.number} ${fault.words}`}>{fault.words}</li>)}</ul></>)}
      <Deed does={prove}>{verdict ? "Check again" : "Check that it is intact"}</Deed>
    </div>
  );
}

function csvOf(lines: readonly EventDocument[]): Blob {
  const head = ["number", "at", "actor", "what", "subject", "subject_id", "why", "origin", "changes", "facts", "hash"];
  return csv([head, ...lines.map((line) => [
    String(line.number), line.at, line.actor, line.name, line.subject, line.subject_id, line.cause, line.origin,
    JSON.stringify(line.changes), JSON.stringify(line.facts), line.hash,
  ])]);
}
