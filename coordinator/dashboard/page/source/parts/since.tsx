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

/** Milliseconds since 1970, in steps of so many seconds. */
export function useNow(step_s = 1): number {
  return useSyncExternalStore(subscribe, () => Math.floor(now / (step_s * 1000)) * step_s * 1000);
}

/** How long ago something was. */
export function Since({ at }: { at: number | string }): ReactNode {
  const then = typeof at === "number" ? at : Date.parse(at);
  return <>{duration((useNow() - then) / 1000)}</>;
}
