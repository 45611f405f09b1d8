/** Times that go on: one clock for the whole page. */

import { useSyncExternalStore, type ReactNode } from "react";
import { duration } from "../words";

const STEP_MS = 1000;
const told = new Set<() => void>();
let now = Date.now();
let timer = 0;

function subscribe(each: () => void): () => void {
  told.add(each);
  timer ||= window.setInterval(() => {
    now = Date.now();
    for (const one of told) one();
  }, STEP_MS);
  return () => {
    told.delete(each);
    if (told.size) return;
    window.clearInterval(timer);
    timer = 0;
  };
}

const nowhere = (): (() => void) => () => undefined;

/** Milliseconds since 1970, in steps of so many seconds; it stands still while nobody sees it. */
export function useNow(step_s = 1, seen = true): number {
  return useSyncExternalStore(seen ? subscribe : nowhere, () => Math.floor(now / (step_s * 1000)) * step_s * 1000);
}

/** How long ago something was; drawn anew when that is said in other words. */
export function Since({ at }: { at: number | string }): ReactNode {
  const then = typeof at === "number" ? at : Date.parse(at);
  return useSyncExternalStore(subscribe, () => duration((Math.floor(now / STEP_MS) * STEP_MS - then) / 1000));
}
