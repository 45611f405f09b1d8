/** What a person should look at first: the order of printers, and what there is to do. Pure. */

import type {
  GenerationGlanceDocument, JobGlanceDocument, LackDocument, PrinterDocument, TaskDocument, TroubleDocument,
} from "./api/shapes";
import { actor, count, naturally, statusOf, type Tone } from "./words";

/** Silence for longer than this is worth saying; agents tell once a second. */
export const STALE_S = 15;

const RANK: Record<PrinterDocument["status"], number> = {
  faulted: 0, needs_clearing: 1, busy: 3, reserved: 4, idle: 5, offline: 6, in_service: 7,
};

/** Seconds for which a printer said nothing of itself; null while nothing was heard of it at all. */
export function silence_s(printer: PrinterDocument, now: number): number | null {
  return printer.live ? (now - Date.parse(printer.live.seen_at)) / 1000 : null;
}

/**
 * The run that goes on, with how far it is: null where none does, or what was measured is of another.
 *
 * Of a printer that says nothing, or stopped itself, nobody can tell when it will be done.
 */
export function progress(printer: PrinterDocument): { ratio: number; remaining_s: number | null } | null {
  const { live, run } = printer;
  if (!live || !run || live.run_id !== run.id) return null;
  const goes_on = printer.online && printer.status !== "faulted";
  return { ratio: live.progress_ratio, remaining_s: goes_on ? live.remaining_s : null };
}

function rank(printer: PrinterDocument): number {
  // A printer that went away in the middle of something is a matter; one that is switched off is not.
  if (printer.status === "offline" && printer.run) return 0.5;
  if (printer.seen === "paused" || printer.foreign) return 2;
  return RANK[printer.status];
}

/** Whether somebody has to go there: it is in trouble, or waits for a person. */
export const needsSomebody = (printer: PrinterDocument): boolean => rank(printer) < 3 && !printer.foreign;

/** Sort by what needs a person, then by what is finished soonest, then by name. */
export function byAttention(a: PrinterDocument, b: PrinterDocument): number {
  return (
    rank(a) - rank(b) ||
    (progress(a)?.remaining_s ?? Infinity) - (progress(b)?.remaining_s ?? Infinity) ||
    naturally(a.name, b.name)
  );
}

/** How many printers are in one state, as it is said. */
export interface Standing {
  words: string;
  tone: Tone;
  number: number;
}

/** How many printers are in each state, what is urgent first. */
export function standings(printers: readonly PrinterDocument[]): Standing[] {
  const found = new Map<string, Standing & { rank: number }>();
  for (const printer of printers) {
    const { words, tone } = statusOf(printer);
    const known = found.get(words);
    if (!known) found.set(words, { words, tone, number: 1, rank: rank(printer) });
    else {
      known.number += 1;
      known.rank = Math.min(known.rank, rank(printer));
    }
  }
  return [...found.values()].sort((a, b) => a.rank - b.rank);
}

export const byName = (a: PrinterDocument, b: PrinterDocument): number =>
  naturally(a.name, b.name);

/** Jobs in the order in which they are served, as the farm's `planning.precedence` has it. */
export function byTurn(a: JobGlanceDocument, b: JobGlanceDocument): number {
  return (
    b.priority - a.priority || (a.turn_due_at ?? "9").localeCompare(b.turn_due_at ?? "9") ||
    a.turn_at.localeCompare(b.turn_at) || a.id.localeCompare(b.id)
  );
}

/** What one button does about a thing, where one can. */
export type Deed = "clear" | "approve" | "settle" | "maintained" | "approve_generation" | "give_back" | "load";

/** One thing that a person has to do: what, where, since when, and how. */
export interface Task {
  key: string;
  words: string;
  /** What to do, in a sentence. */
  detail: string;
  since: string | null;
  /** Where one looks at it. */
  at: string;
  printer: string | null;
  /** What the deed is about: a job, a task of maintenance, a generation. */
  about: string;
  deed: Deed | null;
  urgent: boolean;
  /** Where what is lacking may be loaded, in one press each. */
  loads?: { material: string; printers: readonly { id: string; name: string }[] };
}

/** What the live connection does not tell, asked for now and then. */
export interface Asked {
  lacks: readonly LackDocument[];
  maintenance: readonly TaskDocument[];
  troubles: readonly TroubleDocument[];
}

export const NOTHING_ASKED: Asked = { lacks: [], maintenance: [], troubles: [] };

/** All that waits for a person, what is urgent first, then what waits longest. */
export function tasks(
  printers: readonly PrinterDocument[], jobs: readonly JobGlanceDocument[],
  generations: readonly GenerationGlanceDocument[] = [], asked: Asked = NOTHING_ASKED,
): Task[] {
  const names = new Map(printers.map(({ id, name }) => [id, name]));
  const lacking = new Set(asked.lacks.map(({ job_id }) => job_id));
  const found: Task[] = [
    ...printers.flatMap(ofPrinter),
    ...jobs.flatMap((job) => (lacking.has(job.id) ? [] : ofJob(job))),
    ...asked.lacks.map(ofLack),
    ...generations.flatMap(ofGeneration),
    ...asked.maintenance.map((task) => ofMaintenance(task, names.get(task.printer_id) ?? task.printer_id)),
    ...asked.troubles.map(ofTrouble),
  ];
  return found.sort(
    (a, b) => Number(b.urgent) - Number(a.urgent) || (a.since ?? "9").localeCompare(b.since ?? "9"),
  );
}

const place = (kind: string, id: string): string => `/${kind}/${encodeURIComponent(id)}`;

function ofPrinter(printer: PrinterDocument): Task[] {
  const base = {
    printer: printer.id, about: printer.job?.id ?? "", at: place("printers", printer.id), since: printer.since, urgent: false,
  };
  const key = (what: string): string => `${what} ${printer.id}`;
  if (printer.in_service) return [];
  if (printer.quarantine) {
    return [{ ...base, key: key("quarantine"), words: `${printer.name} was taken out of use`,
      detail: `${sentence(printer.quarantine)} Look at it, and give it back once it is sound.`, deed: "give_back", urgent: true }];
  }
  if (printer.status === "offline" && printer.run) {
    return [{ ...base, key: key("away"), words: `${printer.name} went away while it printed`,
      detail: `${sentence(printer.message)} Look whether it prints on. ${printer.away}`.trim(),
      deed: null, urgent: true }];
  }
  if (printer.status === "faulted") {
    return [{ ...base, key: key("fault"), words: `${printer.name} needs help`,
      detail: `${sentence(printer.message || `It is ${printer.seen}`)} Go there and look.`, deed: null, urgent: true }];
  }
  if (printer.seen === "paused" && printer.run && !printer.job?.held) {
    return [{ ...base, key: key("paused"), words: `${printer.name} is paused`,
      detail: `${sentence(printer.message || "The printer, or somebody beside it, paused it")} Put right what it waits for, then let it go on at the printer.`,
      deed: null, urgent: true }];
  }
  if (printer.status === "needs_clearing") {
    const { state, changed_at, changed_by } = printer.bed;
    const detail = state === "clearing" ? `${actor(changed_by)} is at it.`
      : state === "unknown" ? "Nobody knows what lies on it: look, and take off what does."
      : "Take the print off it, and say so.";
    return [{ ...base, key: key("clear"), words: `Clear the bed of ${printer.name}`, detail,
      since: changed_at ?? printer.since, deed: "clear" }];
  }
  return printer.findings.filter((each) => each.level === "alarm").map((each) => (
    { ...base, key: key(each.rule), words: `${printer.name}: ${each.words}`, detail: "Go there and look.", deed: null, urgent: true }
  ));
}

function ofJob(job: JobGlanceDocument): Task[] {
  const base = { printer: null, about: job.id, at: place("jobs", job.id), since: job.updated_at };
  if (job.state === "lost") {
    return [{ ...base, key: `lost ${job.id}`, words: `Say what became of ${job.name}`,
      detail: `${sentence(job.reason)} Look at the printer: it may or may not have been printed.`.trim(), deed: "settle", urgent: true }];
  }
  if (!job.approved && (job.state === "ready" || job.state === "received")) {
    return [{ ...base, key: `approve ${job.id}`, words: `Approve ${job.name}, or cancel it`,
      detail: `${actor(job.owner)} wants ${count(job.copies, "copy", "copies")} of it.`, since: job.created_at, deed: "approve", urgent: false }];
  }
  if (job.reason && !job.held && (job.state === "ready" || job.state === "received")) {
    return [{ ...base, key: `waits ${job.id}`, words: `${job.name} waits`, detail: sentence(job.reason), deed: null,
      urgent: false }];
  }
  return [];
}

const NAMED_MAX = 3;

function ofLack({ job_id, name, since, material, printers, printer_count }: LackDocument): Task {
  const names = printers.slice(0, NAMED_MAX).map((each) => each.name);
  const more = printer_count - names.length;
  const where = more > 0 ? `${names.join(", ")} or ${more} more` : listed(names);
  const why = printer_count === 1 ? ` ${sentence(printers[0]!.words)}` : "";
  return {
    key: `load ${job_id}`, words: material ? `Load ${material} for ${name}` : `Say what a printer holds, for ${name}`,
    detail: `${where} would print it.${why}`, since, at: place("jobs", job_id),
    printer: printer_count === 1 ? printers[0]!.printer_id : null, about: job_id, deed: material ? "load" : null, urgent: false,
    ...(material ? { loads: { material, printers: printers.slice(0, NAMED_MAX).map(({ printer_id, name }) => ({ id: printer_id, name })) } } : {}),
  };
}

const listed = (names: readonly string[]): string =>
  names.length > 1 ? `${names.slice(0, -1).join(", ")} or ${names.at(-1)}` : names.join();

function ofGeneration(generation: GenerationGlanceDocument): Task[] {
  const base = { printer: null, about: generation.id, at: place("generate", generation.id), since: generation.updated_at };
  const name = generation.name || "what was generated";
  if (generation.state === "awaiting_approval") {
    return [{ ...base, key: `made ${generation.id}`, words: `Approve ${name}, or reject it`,
      detail: sentence(generation.waits || "Look at the model before it is printed"), deed: "approve_generation", urgent: false }];
  }
  if (generation.state === "unsure") {
    return [{ ...base, key: `unsure ${generation.id}`, words: `Say what became of ${name}`,
      detail: `Look into the account at ${generation.provider}: it may or may not have been asked, and paid.`, deed: null, urgent: true }];
  }
  return [];
}

function ofMaintenance(task: TaskDocument, name: string): Task {
  const after = task.every_h !== null ? `${task.printed_h.toFixed(0)} h of printing` : `${task.days.toFixed(0)} days`;
  return {
    key: `maintain ${task.id}`, words: `${name}: ${task.name}`, detail: `It is due, after ${after}. Do it, and say so.`, since: null,
    at: place("printers", task.printer_id), printer: task.printer_id, about: task.id, deed: "maintained", urgent: false,
  };
}

function ofTrouble({ part, words }: TroubleDocument): Task {
  return {
    key: `trouble ${part} ${words}`, words: `The farm's ${part} is in trouble`, detail: sentence(words), since: null, at: "/todo", printer: null,
    about: part, deed: null, urgent: part === "disk" || part === "database" || part === "broker",
  };
}

/** Words as a sentence: a capital, a full stop; nothing stays nothing. */
export function sentence(words: string): string {
  const said = words.trim();
  return said && `${said[0]!.toUpperCase()}${said.slice(1)}${/[.!?]$/.test(said) ? "" : "."}`;
}
