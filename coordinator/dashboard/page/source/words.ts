/** How things are said: states, times, amounts. Pure. */

import type { GenerationState, JobState, PrinterDocument, PrinterStatus, SpoolDocument } from "./api/shapes";

/** What a state is to somebody who glances: never by colour alone, each tone has a sign of its own. */
export type Tone = "good" | "work" | "care" | "bad" | "quiet";

export const SIGNS: Record<Tone, string> = { good: "●", work: "▶", care: "◆", bad: "▲", quiet: "○" };

interface Said {
  words: string;
  tone: Tone;
}

export const STATUS: Record<PrinterStatus, Said> = {
  faulted: { words: "needs help", tone: "bad" },
  needs_clearing: { words: "clear the bed", tone: "care" },
  busy: { words: "printing", tone: "work" },
  reserved: { words: "starting", tone: "work" },
  idle: { words: "idle", tone: "good" },
  in_service: { words: "in service", tone: "quiet" },
  offline: { words: "offline", tone: "care" },
};

export const JOB: Record<JobState, Said> = {
  received: { words: "waiting", tone: "quiet" },
  preparing: { words: "slicing", tone: "work" },
  ready: { words: "waiting", tone: "quiet" },
  leased: { words: "starting", tone: "work" },
  printing: { words: "printing", tone: "work" },
  cancelling: { words: "stopping", tone: "care" },
  finished: { words: "finished", tone: "good" },
  failed: { words: "failed", tone: "bad" },
  cancelled: { words: "cancelled", tone: "quiet" },
  lost: { words: "lost", tone: "bad" },
};

export const GENERATION: Record<GenerationState, Said> = {
  wanted: { words: "waiting", tone: "quiet" },
  submitting: { words: "asking", tone: "work" },
  unsure: { words: "unsure: look", tone: "bad" },
  running: { words: "being made", tone: "work" },
  fetching: { words: "fetching", tone: "work" },
  making: { words: "made printable", tone: "work" },
  awaiting_approval: { words: "to approve", tone: "care" },
  ordering: { words: "being ordered", tone: "work" },
  done: { words: "done", tone: "good" },
  failed: { words: "failed", tone: "bad" },
  cancelled: { words: "cancelled", tone: "quiet" },
};

/** What a printer does, in the words people use for it. */
export function statusOf(printer: PrinterDocument): Said {
  const said = STATUS[printer.status];
  if (printer.status !== "busy") return said;
  if (printer.foreign) return { words: "printing, not ours", tone: "care" };
  if (printer.seen === "paused") return { words: "paused", tone: "care" };
  return printer.run ? said : { words: printer.seen.replaceAll("_", " "), tone: "work" };
}

export function plain(word: string): string {
  return word.replaceAll("_", " ");
}

/** A length of time as people say it, `1 h 05 min`; seconds only below two minutes. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Names as people sort them: 2 before 10. One for all: to make one takes longer than to sort with it. */
export const naturally = new Intl.Collator(undefined, { numeric: true }).compare;

/** Made when first used: each takes some 40 ms on a phone. */
function format(options: Intl.DateTimeFormatOptions): (at: Date) => string {
  let made: Intl.DateTimeFormat | null = null;
  return (at) => (made ??= new Intl.DateTimeFormat(undefined, options)).format(at);
}

const CLOCK = format({ hour: "2-digit", minute: "2-digit" });
const DAY = format({ weekday: "short", hour: "2-digit", minute: "2-digit" });
const DATE = format({ dateStyle: "medium" });
const LONG = format({ dateStyle: "medium", timeStyle: "medium" });

/** Have made what a view's first look needs, while the farm is still on its way. */
export const warm = (): void => void CLOCK(new Date());

/** A time of day, with the weekday where it is not today. */
export function clock(at: Date, now: Date = new Date()): string {
  return (at.toDateString() === now.toDateString() ? CLOCK : DAY)(at);
}

/** When it is done, of so many seconds that remain; `now` in milliseconds since 1970. */
export const endsAt = (remaining_s: number, now: number): string =>
  clock(new Date(now + remaining_s * 1000), new Date(now));

export function day(text: string): string {
  return DATE(new Date(text));
}

export function moment(text: string): string {
  return LONG(new Date(text));
}

export function percent(ratio: number): string {
  return `${Math.floor(ratio * 100)} %`;
}

export function grams(value: number | null): string {
  return value === null ? "" : value < 10 ? `${value.toFixed(1)} g` : `${Math.round(value)} g`;
}

/** Bytes as people read them, `1.4 GB`. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** How people call a spool: what it is of, its colour, who made it. */
export function called({ material, colour, vendor }: SpoolDocument): string {
  return [material, colour.startsWith("#") ? "" : colour, vendor].filter(Boolean).join(" ");
}

/** Who did something, without the kind of account: `user:anna` is anna. */
export function actor(name: string): string {
  return name.replace(/^(user|agent):/, "");
}

/** Whether a printer is no machine, but played by the coordinator for who tries the farm. */
export const isSimulated = ({ agent_id }: { agent_id: string }): boolean => agent_id === "simulated";
