/** What rests on the live picture waits for it: before it came nobody knows that there is no printer. */

import type { ReactNode } from "react";
import { useKnown } from "../live/store";

export function Live({ children }: { children: ReactNode }): ReactNode {
  return useKnown() ? children : <p className="alone" role="status">One moment …</p>;
}
