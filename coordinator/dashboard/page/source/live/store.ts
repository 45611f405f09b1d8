/**
 * The farm as the page knows it, outside React: who shows one printer is told of that one only.
 *
 * Those who are to be told wait for the browser's next frame, and at most `CARDS_MAX` of them are
 * told in one, of lists one alone: a wall of five hundred printers never holds up a click.
 */

import { useCallback, useSyncExternalStore } from "react";
import type { CountsDocument, GenerationGlanceDocument, JobGlanceDocument, PrinterDocument } from "../api/shapes";
import { Picture, type Message } from "./picture";

/** A phone shows as many, and needs four times as long for each. */
const CARDS_MAX = window.innerWidth < 576 ? 5 : 25;
const LISTS: ReadonlySet<string> = new Set(["known", "printers", "jobs"]);

/** How the live connection is; `since` is when it was lost, milliseconds since 1970. */
export type Link = { state: "live" } | { state: "connecting" } | { state: "lost"; reason: string; since: number };

type Told = () => void;

export class FarmStore {
  private readonly picture = new Picture();
  private readonly listeners = new Map<string, Set<Told>>();
  private readonly due = new Set<string>();
  private frame = 0;
  private printerList: readonly PrinterDocument[] = [];
  private jobList: readonly JobGlanceDocument[] = [];
  private generationList: readonly GenerationGlanceDocument[] = [];
  private linkNow: Link = { state: "connecting" };

  /** Take a message; false where a snapshot has to be asked for. */
  hear(message: Message): boolean {
    const changes = this.picture.take(message);
    if (changes === null) return false;
    if (message.kind === "snapshot") this.due.add("known");
    for (const id of changes.printers) this.due.add(`printer ${id}`);
    for (const id of changes.jobs) this.due.add(`job ${id}`);
    if (changes.printersStanding) {
      this.printerList = [...this.picture.printers.values()];
      this.due.add("printers");
    }
    if (changes.jobsStanding) {
      this.jobList = [...this.picture.jobs.values()];
      this.due.add("jobs");
    }
    if (changes.generations) {
      this.generationList = [...this.picture.generations.values()];
      this.due.add("generations");
    }
    if (changes.counts) this.due.add("counts");
    this.tellSoon();
    return true;
  }

  setLink(link: Link): void {
    this.linkNow = link;
    this.due.add("link");
    this.tellSoon();
  }

  subscribe(topic: string, told: Told): () => void {
    const those = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, those.add(told));
    return () => {
      those.delete(told);
      if (!those.size) this.listeners.delete(topic);
    };
  }

  printer = (id: string): PrinterDocument | undefined => this.picture.printers.get(id);
  job = (id: string): JobGlanceDocument | undefined => this.picture.jobs.get(id);
  /** All printers, in the order of their ids; a new list only where more than measured values changed. */
  printers = (): readonly PrinterDocument[] => this.printerList;
  jobs = (): readonly JobGlanceDocument[] => this.jobList;
  generations = (): readonly GenerationGlanceDocument[] => this.generationList;
  counts = (): CountsDocument => this.picture.counts;
  link = (): Link => this.linkNow;
  /** Whether all of the farm was told once. */
  known = (): boolean => this.picture.sequence >= 0;

  private tellSoon(): void {
    if (this.frame) return;
    // A tab that nobody sees gets no frames; it catches up in one go.
    this.frame = document.hidden ? window.setTimeout(this.tell, 1000) : requestAnimationFrame(this.tell);
  }

  private readonly tell = (): void => {
    this.frame = 0;
    let told = 0;
    for (const topic of this.due) {
      this.due.delete(topic);
      const those = this.listeners.get(topic);
      if (!those) continue;
      for (const each of those) each();
      // Of all printers or all jobs much is made: what comes of them has a frame of its own.
      told += LISTS.has(topic) ? CARDS_MAX : those.size;
      if (told >= CARDS_MAX && !document.hidden) break;
    }
    if (this.due.size) this.tellSoon();
  };
}

export const farm = new FarmStore();

function useTopic<Value>(topic: string, value: () => Value): Value {
  return useSyncExternalStore(useCallback((told: Told) => farm.subscribe(topic, told), [topic]), value);
}

/** How people call a printer; its id, where it is not known. */
export const nameOf = (id: string): string => farm.printer(id)?.name ?? id;
export const usePrinter = (id: string): PrinterDocument | undefined =>
  useTopic(`printer ${id}`, () => farm.printer(id));
/** As it was when it was last looked at, while nobody sees it: nothing is told then, and nothing drawn. */
export function usePrinterWhile(id: string, seen: boolean): PrinterDocument | undefined {
  return useSyncExternalStore(
    useCallback((told: Told) => (seen ? farm.subscribe(`printer ${id}`, told) : () => undefined), [id, seen]),
    () => farm.printer(id),
  );
}
export const useJob = (id: string): JobGlanceDocument | undefined => useTopic(`job ${id}`, () => farm.job(id));
export const usePrinters = (): readonly PrinterDocument[] => useTopic("printers", farm.printers);
export const useJobs = (): readonly JobGlanceDocument[] => useTopic("jobs", farm.jobs);
export const useGenerations = (): readonly GenerationGlanceDocument[] => useTopic("generations", farm.generations);
export const useCounts = (): CountsDocument => useTopic("counts", farm.counts);
export const useLink = (): Link => useTopic("link", farm.link);
export const useKnown = (): boolean => useTopic("known", farm.known);
