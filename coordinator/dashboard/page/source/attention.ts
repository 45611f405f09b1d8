/** What a person should look at first: the order of printers, and what there is to do. Pure. */

import type { JobGlanceDocument, PrinterDocument } from "./api/shapes";
import { actor } from "./words";

/** Silence for longer than this is worth saying; agents tell once a second. */
export const STALE_S = 15;

const RANK: Record<PrinterDocument["status"], number> = {
  faulted: 0, needs_clearing: 1, busy: 3, reserved: 4, idle: 5, offline: 6, in_service: 7,
};

/** Seconds for which a printer said nothing of itself; null while nothing was heard of it at all. */
export function silence_s(printer: PrinterDocument, now: number): number | null {
  return printer.live ? (now - Date.parse(printer.live.seen_at)) / 1000 : null;
}

/** The run that goes on, with how far it is: null where none does, or what was measured is of another. */
export function progress(printer: PrinterDocument): { ratio: number; remaining_s: number | null } | null {
  const { live, run } = printer;
  if (!live || !run || live.run_id !== run.id) return null;
  return { ratio: live.progress_ratio, remaining_s: live.remaining_s };
}

function rank(printer: PrinterDocument): number {
  // A printer that went away in the middle of something is a matter; one that is switched off is not.
  if (printer.status === "offline" && printer.run) return 0.5;
  if (printer.seen === "paused" || printer.foreign) return 2;
  return RANK[printer.status];
}

/** Sort by what needs a person, then by what is finished soonest, then by name. */
export function byAttention(a: PrinterDocument, b: PrinterDocument): number {
  return (
    rank(a) - rank(b) ||
    (progress(a)?.remaining_s ?? Infinity) - (progress(b)?.remaining_s ?? Infinity) ||
    a.name.localeCompare(b.name, undefined, { numeric: true })
  );
}

export const byName = (a: PrinterDocument, b: PrinterDocument): number =>
  a.name.localeCompare(b.name, undefined, { numeric: true });

/** One thing that a person has to do; `deed` is what one button does about it, where one can. */
export interface Task {
  key: string;
  words: string;
  detail: string;
  since: string | null;
  printer: string | null;
  job: string | null;
  deed: "clear" | "resume" | "approve" | null;
  urgent: boolean;
}

/** All that waits for a person, what is urgent first, then what waits longest. */
export function tasks(printers: readonly PrinterDocument[], jobs: readonly JobGlanceDocument[]): Task[] {
  const found: Task[] = [...printers.flatMap(ofPrinter), ...jobs.flatMap(ofJob)];
  return found.sort(
    (a, b) => Number(b.urgent) - Number(a.urgent) || (a.since ?? "9").localeCompare(b.since ?? "9"),
  );
}

function ofPrinter(printer: PrinterDocument): Task[] {
  const base = { printer: printer.id, job: null, since: printer.live?.seen_at ?? null, urgent: false };
  const key = (what: string): string => `${what} ${printer.id}`;
  if (printer.in_service) return [];
  if (printer.quarantine) {
    return [{ ...base, key: key("quarantine"), words: `${printer.name} was taken out of use`,
      detail: printer.quarantine, deed: null, urgent: true }];
  }
  if (!printer.online && printer.run) {
    return [{ ...base, key: key("away"), words: `${printer.name} went away while it printed`,
      detail: printer.message || "Look whether it prints on; its agent does, if the Pi has power.", deed: null,
      urgent: true }];
  }
  if (printer.status === "faulted") {
    return [{ ...base, key: key("fault"), words: `${printer.name} needs help`,
      detail: printer.message || `It is ${printer.seen}.`, deed: null, urgent: true }];
  }
  if (printer.seen === "paused" && printer.run && !printer.job?.held) {
    return [{ ...base, key: key("paused"), words: `${printer.name} is paused`,
      detail: printer.message || "Somebody, or the printer itself, paused it.", deed: null, urgent: false }];
  }
  if (printer.status === "needs_clearing") {
    const { state, changed_at, changed_by } = printer.bed;
    const detail = state === "clearing" ? `${actor(changed_by)} is at it.`
      : state === "unknown" ? "Nobody knows what lies on it: look."
      : printer.job ? `${printer.job.name} lies on it.` : "";
    return [{ ...base, key: key("clear"), words: `Clear the bed of ${printer.name}`, detail,
      since: changed_at, deed: "clear" }];
  }
  return printer.findings.filter((each) => each.level === "alarm").map((each) => (
    { ...base, key: key(each.rule), words: `${printer.name}: ${each.words}`, detail: "", deed: null, urgent: true }
  ));
}

function ofJob(job: JobGlanceDocument): Task[] {
  const base = { printer: null, job: job.id, since: job.updated_at };
  if (job.state === "lost") {
    return [{ ...base, key: `lost ${job.id}`, words: `Say what became of ${job.name}`,
      detail: job.reason || "It may or may not have been printed: look at the printer.", deed: null, urgent: true }];
  }
  if (job.reason && (job.state === "ready" || job.state === "received")) {
    return [{ ...base, key: `waits ${job.id}`, words: `${job.name} waits`, detail: job.reason, deed: null,
      urgent: false }];
  }
  return [];
}
