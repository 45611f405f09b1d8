/** What was just done, or did not work: said once at the foot of the page, with a way back where there is one. */

import { useSyncExternalStore, type ReactNode } from "react";

interface Note {
  id: number;
  words: string;
  bad: boolean;
  undo?: () => Promise<unknown>;
  /** What waits to be done, and is now. */
  now?: () => void;
}

const SHOWN_MS = 10_000;
/** As long as a slip of the finger takes to be noticed. */
const SOON_MS = 5000;
let notes: readonly Note[] = [];
let last = 0;
const told = new Set<() => void>();

function change(next: readonly Note[]): void {
  notes = next;
  for (const each of told) each();
}

function drop(id: number): void {
  change(notes.filter((note) => note.id !== id));
}

/** Say something for ten seconds. */
export function say(words: string, undo?: () => Promise<unknown>): void {
  add({ words, bad: false, ...(undo ? { undo } : {}) });
}

export function complain(error: unknown): void {
  add({ words: error instanceof Error ? error.message : String(error), bad: true });
}

/**
 * Do in some seconds what can't be taken back, with a way out until then; it is done at once when the page is left.
 *
 * Resolves when it was done, or taken back: then nothing was sent.
 */
export function soon(words: string, does: () => Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (then: () => void): void => {
      window.clearTimeout(timer);
      window.removeEventListener("pagehide", now);
      drop(id);
      then();
    };
    const now = (): void => end(() => { does().then(() => resolve(), reject); });
    const timer = window.setTimeout(now, SOON_MS);
    window.addEventListener("pagehide", now);
    const id = add({ words, bad: false, undo: () => { end(resolve); return Promise.resolve(); }, now }, SOON_MS);
  });
}

function add(note: Omit<Note, "id">, shown_ms = SHOWN_MS): number {
  const id = ++last;
  // Who is pushed off by newer ones does not wait any more.
  for (const each of notes.slice(0, -3)) each.now?.();
  change([...notes, { ...note, id }].slice(-4));
  window.setTimeout(() => drop(id), shown_ms);
  return id;
}

export function Notes(): ReactNode {
  const shown = useSyncExternalStore((each) => {
    told.add(each);
    return () => told.delete(each);
  }, () => notes);
  return (
    <div className="notes" role="status" aria-live="polite">
      {shown.map((note) => (
        <p key={note.id} className={note.bad ? "note bad" : "note"}>
          <span>{note.words}</span>
          {note.undo && (
            <button type="button" onClick={() => { drop(note.id); note.undo?.().catch(complain); }}>Undo</button>
          )}
          <button type="button" className="plain" aria-label={note.now ? "Do it now" : "Close"} onClick={() => { drop(note.id); note.now?.(); }}>×</button>
        </p>
      ))}
    </div>
  );
}
