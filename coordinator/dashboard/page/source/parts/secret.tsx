/** A text to be taken along: shown whole, copied with one press. */

import { useRef, type ReactNode } from "react";
import { say } from "./notes";
import "../styles/forms.css";

/** Something to copy: a command, an address. */
export function Copied({ label, value }: { label: string; value: string }): ReactNode {
  const field = useRef<HTMLTextAreaElement>(null);
  async function copy(): Promise<void> {
    field.current?.select();
    // Where the page is not served safely there is no clipboard, but the old way.
    if (navigator.clipboard) await navigator.clipboard.writeText(value);
    else document.execCommand("copy");
    say(`${label}: copied.`);
  }
  return (
    <div className="copied">
      <textarea ref={field} className="code" readOnly rows={Math.min(6, Math.max(value.split("\n").length, Math.ceil(value.length / 48)))} aria-label={label} value={value}
        onFocus={(event) => event.target.select()} spellCheck={false} />
      <button type="button" onClick={() => void copy().catch(() => say("Copy it by hand: it is selected."))} aria-label={`Copy: ${label}`}>Copy</button>
    </div>
  );
}

/** A secret that the farm tells this once, and nobody can look up afterwards. */
export function Secret({ label, value, children }: { label: string; value: string; children?: ReactNode }): ReactNode {
  return (
    <section className="secret" aria-label={label}>
      <p><strong>{label}</strong>: shown this once. The farm keeps only what proves it.</p>
      <Copied label={label} value={value} />
      {children}
    </section>
  );
}
