/** What rests on the live picture waits for it: before it came nobody knows that there is no printer. */

import { useDeferredValue, type ReactNode } from "react";
import { useKnown } from "../live/store";

export function Live({ children }: { children: ReactNode }): ReactNode {
  // Deferred, what is drawn first of a farm is made in slices: nobody's press waits for all of it.
  return useDeferredValue(useKnown()) ? children : <p className="alone" role="status">One moment …</p>;
}
