/** A box that chooses a printer. */

import type { ReactNode } from "react";

interface Selecting {
  name: string;
  id: string;
  selected: boolean;
  select: (id: string, ranged?: boolean) => void;
}

/** Chooses a printer; with Shift, all between the last one and this. */
export function Select({ name, id, selected, select }: Selecting): ReactNode {
  return (
    <input type="checkbox" checked={selected} aria-label={`Select ${name}`}
      onChange={(event) => select(id, (event.nativeEvent as MouseEvent).shiftKey)} />
  );
}
