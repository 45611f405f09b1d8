/** What a printer's camera sees: asked for while somebody looks at it, and never said to be newer than it is. */

import { useEffect, useRef, useState, type ReactNode } from "react";
import { picture, type Seen } from "../api/ask";
import type { PrinterDocument } from "../api/shapes";
import { Since } from "./since";

const AGAIN_AFTER_TROUBLE_MS = 15_000;

/** Whether somebody could see an element now: it is within the window, and the tab in front. */
function useSeen(): [(element: HTMLElement | null) => void, boolean] {
  const [element, setElement] = useState<HTMLElement | null>(null);
  const [within, setWithin] = useState(false);
  const [front, setFront] = useState(!document.hidden);
  useEffect(() => {
    if (!element) return undefined;
    const watcher = new IntersectionObserver(([entry]) => setWithin(entry?.isIntersecting ?? false));
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [element]);
  useEffect(() => {
    const turned = (): void => setFront(!document.hidden);
    document.addEventListener("visibilitychange", turned);
    return () => document.removeEventListener("visibilitychange", turned);
  }, []);
  return [setElement, within && front];
}

export function hasCamera(printer: PrinterDocument): boolean {
  return printer.commands.includes("picture");
}

/**
 * The picture of a printer that has a camera.
 *
 * `every_s` is how old it may be while it is looked at; a farm of cards asks rarely, one printer often.
 */
export function Camera({ printer, every_s = 2 }: { printer: PrinterDocument; every_s?: number }): ReactNode {
  const { id, name, online } = printer;
  const [ref, looked] = useSeen();
  const [seen, setSeen] = useState<Seen | null>(null);
  const [trouble, setTrouble] = useState("");
  const last = useRef<Seen | null>(null);

  useEffect(() => {
    if (!looked) return undefined;
    const gone = new AbortController();
    let timer = 0;
    const path = `/printers/${encodeURIComponent(id)}/picture`;
    const look = async (query: string): Promise<void> => {
      const found = await picture(path + query, last.current?.tag ?? "", gone.signal);
      if (!found) return;
      if (last.current) URL.revokeObjectURL(last.current.source);
      last.current = found;
      setSeen(found);
    };
    const turn = async (): Promise<void> => {
      let wait_ms = every_s * 1000;
      try {
        await look(online ? `?age_s_max=${every_s}` : "");
        setTrouble("");
      } catch (error) {
        if (gone.signal.aborted) return;
        setTrouble(error instanceof Error ? error.message : String(error));
        wait_ms = AGAIN_AFTER_TROUBLE_MS;
        // What was seen before is still worth a look; it says how old it is.
        if (!last.current) await look("").catch(() => undefined);
      }
      if (!gone.signal.aborted) timer = window.setTimeout(() => void turn(), wait_ms);
    };
    void turn();
    return () => {
      gone.abort();
      window.clearTimeout(timer);
    };
  }, [id, online, looked, every_s]);

  useEffect(() => () => {
    if (last.current) URL.revokeObjectURL(last.current.source);
  }, []);

  return (
    <figure className="camera" ref={ref}>
      {seen ? <img src={seen.source} alt={`what the camera at ${name} sees`} /> : <div className="dark">{trouble ? "no picture" : "looking …"}</div>}
      <figcaption>
        {seen && <span>taken <Since at={seen.taken_at} /> ago</span>}
        {trouble && <span className="trouble">{trouble}</span>}
      </figcaption>
    </figure>
  );
}
