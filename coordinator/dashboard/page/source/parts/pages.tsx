/** Lists page by page: a cursor leads on, and what was seen leads back. */

import { useState, type ReactNode } from "react";

export interface Pages<Cursor> {
  /** Of the page that is looked at; undefined for the first. */
  cursor: Cursor | undefined;
  back: (() => void) | undefined;
  on: (cursor: Cursor) => void;
}

/** Where somebody is in a list; another `of` begins with the first page. */
export function usePages<Cursor>(of: string): Pages<Cursor> {
  const [state, setState] = useState<{ of: string; seen: readonly Cursor[] }>({ of, seen: [] });
  const seen = state.of === of ? state.seen : [];
  return {
    cursor: seen.at(-1),
    back: seen.length ? () => setState({ of, seen: seen.slice(0, -1) }) : undefined,
    on: (cursor) => setState({ of, seen: [...seen, cursor] }),
  };
}

/** The buttons below a list; nothing where one page is all. */
export function Paging<Cursor>({ pages, next, newest = false }: {
  pages: Pages<Cursor>; next: Cursor | null | undefined; newest?: boolean;
}): ReactNode {
  const leads = next !== null && next !== undefined;
  if (!pages.back && !leads) return null;
  return (
    <nav className="pages" aria-label="Pages">
      <button type="button" disabled={!pages.back} onClick={pages.back}>{newest ? "Newer" : "Back"}</button>
      <button type="button" disabled={!leads} onClick={() => leads && pages.on(next)}>{newest ? "Older" : "On"}</button>
    </nav>
  );
}
