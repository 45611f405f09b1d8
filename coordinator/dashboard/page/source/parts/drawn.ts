/** Long lists, drawn little by little: what is seen first at once, the rest within the next frames. */

import { useEffect, useRef, useState } from "react";

/** As much as a phone shows, or enough for the first look on a desk. */
const FIRST = window.innerWidth < 576 ? 4 : 16;
/** So many more with each frame, at least and at most, as fast as the machine is. */
const STEP = { least: 8, most: 64 };
/** A step that took less may be larger next time; one that took more has to be smaller. */
const QUICK_MS = 25;
const SLOW_MS = 45;

// Who comes back to a list finds it as long as it was, or the browser could not scroll to where they were.
const known = new Map<string, number>();

/** How many of a list are drawn now; another `of` is another list. */
export function useDrawn(total: number, of: string): number {
  const [state, setState] = useState(() => ({ of, most: known.get(of) ?? FIRST }));
  const step = useRef({ size: STEP.least, at: 0 });
  const drawn = Math.min(total, state.of === of ? state.most : FIRST);
  const whole = drawn === total && state.of === of && state.most <= Math.max(FIRST, total);
  useEffect(() => {
    known.set(of, Math.max(FIRST, drawn));
    if (whole) return undefined;
    const frame = requestAnimationFrame((now) => {
      step.current = { size: sized(step.current, now), at: now };
      setState({ of, most: Math.max(FIRST, Math.min(total, drawn + step.current.size)) });
    });
    return () => cancelAnimationFrame(frame);
  }, [of, drawn, total, whole]);
  return drawn;
}

/** How large the next step may be, by how long ago the one before was taken. */
function sized({ size, at }: { size: number; at: number }, now: number): number {
  const took = now - at;
  if (took < QUICK_MS) return Math.min(STEP.most, size * 2);
  return took > SLOW_MS ? Math.max(STEP.least, size / 2) : size;
}

/** What stands in which place, changed little by little: at most so many places with each frame. */
export function useTurned(wanted: readonly string[], most: number): readonly string[] {
  const [shown, setShown] = useState<readonly string[]>(() => wanted.slice(0, most));
  const turned = shown.length === wanted.length && shown.every((id, place) => id === wanted[place]);
  useEffect(() => {
    if (turned) return undefined;
    const frame = requestAnimationFrame(() => setShown(nearer(shown, wanted, most)));
    return () => cancelAnimationFrame(frame);
  }, [shown, wanted, most, turned]);
  return shown;
}

/** What is shown, with so many places more as they are wanted. */
function nearer(shown: readonly string[], wanted: readonly string[], most: number): readonly string[] {
  const next = shown.slice(0, wanted.length);
  let changed = 0;
  for (let place = 0; place < wanted.length && changed < most; place++) {
    if (next[place] === wanted[place]) continue;
    next[place] = wanted[place]!;
    changed += 1;
  }
  return next;
}
