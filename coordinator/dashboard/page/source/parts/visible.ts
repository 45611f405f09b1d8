/** Whether something is in sight: what nobody scrolled to is neither asked for nor drawn anew. */

import { useCallback, useRef, useState } from "react";

/** What comes into sight within this is drawn already when it does. */
const AHEAD = "300px";
const told = new WeakMap<Element, (now: boolean) => void>();
let watch: IntersectionObserver | null = null;

/** Whether an element is in sight now, or nearly, and whether it ever was; one observer for all of them. */
export function useInSight(): [(element: Element | null) => void, boolean, boolean] {
  const [inSight, setInSight] = useState(false);
  const seen = useRef(false);
  seen.current ||= inSight;
  const last = useRef<Element | null>(null);
  const at = useCallback((element: Element | null) => {
    watch ??= new IntersectionObserver(
      (entries) => entries.forEach(({ target, isIntersecting }) => told.get(target)?.(isIntersecting)), { rootMargin: AHEAD },
    );
    if (last.current) watch.unobserve(last.current);
    last.current = element;
    if (!element) return;
    told.set(element, setInSight);
    watch.observe(element);
  }, []);
  return [at, inSight, seen.current];
}
