/** Whether the farm has another page by now: after an upgrade the parts of this one are gone from there. */

import { useEffect, useRef } from "react";
import { useLink } from "../live/store";

async function isOld(): Promise<boolean> {
  const own = document.querySelector("script[type=module][src]")?.getAttribute("src");
  try {
    const answer = await fetch("/", { cache: "no-cache" });
    const page = answer.ok && own ? await answer.text() : "";
    // In the midst of a build there is none: what is here is better than that.
    return page.includes('id="page"') && !page.includes(own!);
  } catch {
    return false;
  }
}

/** Load the page again, where the farm has a newer one. */
export async function renew(): Promise<void> {
  if (await isOld()) location.reload();
}

/** Have the newest page after the farm was away: a screen that nobody touches at once, others with the next view. */
export function useNewest(path: string, untouched: boolean): void {
  const { state } = useLink();
  const away = useRef(false);
  const old = useRef(false);
  useEffect(() => {
    if (state === "lost") away.current = true;
    if (state !== "live" || !away.current) return;
    away.current = false;
    if (untouched) void renew();
    else void isOld().then((is) => { old.current = is; });
  }, [state, untouched]);
  useEffect(() => {
    if (old.current) location.reload();
  }, [path]);
}
