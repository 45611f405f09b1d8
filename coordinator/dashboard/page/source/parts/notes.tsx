/** What was just done, or did not work: said once at the foot of the page, with a way back where there is one. */

import { useSyncExternalStore, type ReactNode } from "react";

interface Note {
  id: number;
  words: string;
  bad: boolean;
  undo?: () => Promise<unknown>;
}

const SHOWN_MS = 10_000;
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

function add(note: Omit<Note, "id">): void {
  const id = ++last;
  change([...notes, { ...note, id }].slice(-4));
  window.setTimeout(() => drop(id), SHOWN_MS);
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
          <button type="button" className="plain" aria-label="Close" onClick={() => drop(note.id)}>×</button>
        </p>
      ))}
    </div>
  );
}
