/** A button that does something at the farm: it can't be pressed twice, and says when it did not work. */

import { useState, type ReactNode } from "react";
import { complain } from "./notes";

interface Deed {
  does: () => Promise<unknown>;
  children: ReactNode;
  label?: string;
  kind?: "main" | "danger" | "";
  /** Asked before it is done. */
  sure?: string;
}

export function Deed({ does, children, label, kind = "", sure }: Deed): ReactNode {
  const [busy, setBusy] = useState(false);
  async function press(): Promise<void> {
    if (sure && !window.confirm(sure)) return;
    setBusy(true);
    try {
      await does();
    } catch (error) {
      complain(error);
    } finally {
      setBusy(false);
    }
  }
  return (
    <button type="button" className={kind} disabled={busy} aria-label={label} onClick={() => void press()}>
      {children}
    </button>
  );
}
