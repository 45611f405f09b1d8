/** What an order would take, and where it fits: told while one still fills in the sheet. */

import { useEffect, useState, type ReactNode } from "react";
import { ask } from "../api/ask";
import type { ForetoldDocument, PlaceDocument } from "../api/shapes";
import { count, duration, grams } from "../words";
import "../styles/asking.css";

/** So long nobody may have changed anything before the farm is asked: slicing is work. */
const QUIET_MS = 700;

export type Outlook = { state: "asking" } | { state: "told"; foretold: ForetoldDocument } | { state: "failed"; words: string };

/** Ask what an order would take, anew whenever it is another one; `form` null is no order that could be asked for. */
export function useForetold(form: FormData | null): Outlook | null {
  const [outlook, setOutlook] = useState<Outlook | null>(null);
  useEffect(() => {
    setOutlook(form && { state: "asking" });
    if (!form) return undefined;
    const given = new AbortController();
    const timer = window.setTimeout(() => {
      ask<ForetoldDocument>("POST", "/estimates", { form, signal: given.signal }).then(
        (foretold) => setOutlook({ state: "told", foretold }),
        (error: unknown) => {
          if (!given.signal.aborted) setOutlook({ state: "failed", words: error instanceof Error ? error.message : String(error) });
        },
      );
    }, QUIET_MS);
    return () => {
      window.clearTimeout(timer);
      given.abort();
    };
  }, [form]);
  return outlook;
}

export function Foretold({ outlook }: { outlook: Outlook }): ReactNode {
  return (
    <div className="foretold" role="status" aria-label="What it takes">
      {outlook.state === "asking" && <p className="faint">Working out what it takes …</p>}
      {outlook.state === "failed" && <p className="care">{outlook.words}</p>}
      {outlook.state === "told" && <Told foretold={outlook.foretold} />}
    </div>
  );
}

function Told({ foretold }: { foretold: ForetoldDocument }): ReactNode {
  const { plate, estimate, printers, size_mm } = foretold;
  const fit = printers.filter(({ fits }) => fits);
  const free = fit.filter((each) => each.free).length;
  const trouble = plate ? plate.reason : foretold.reason;
  return (
    <>
      {trouble ? <p className="care">{trouble}</p> : (
        <p className="takes">
          <strong>{estimate ? duration(estimate.seconds) : "nobody knows how long"}</strong>
          {foretold.filament_g !== null && <strong>{grams(foretold.filament_g)}</strong>}
          {foretold.cost !== null && <strong>costs {foretold.cost.toFixed(2)}</strong>}
          <span className="faint">{[plate && plate.printer_class, plate && plate.material, plate && plate.copies > 1 && `${plate.copies} on a plate`,
            plate?.layer_count && `${plate.layer_count} layers`, size_mm && `${size_mm.map((each) => each.toFixed(0)).join(" × ")} mm`].filter(Boolean).join(" · ")}</span>
        </p>
      )}
      {[...new Set([...foretold.warnings, ...(plate?.remarks ?? [])])].map((words) => <p key={words} className="remark">{words}</p>)}
      <p>
        {fit.length ? `Fits on ${fit.length} of ${count(printers.length, "printer")}` : "Fits on no printer as they are now"}
        {fit.length > 0 && `; ${free === 0 ? "none of them is free now" : free === 1 ? "one is free now" : `${free} are free now`}.`}
      </p>
      {fit.length < printers.length && <WhyNot printers={printers.filter(({ fits }) => !fits)} />}
    </>
  );
}

/** Why the others don't: each reason once, with the printers that have it. */
function WhyNot({ printers }: { printers: readonly PlaceDocument[] }): ReactNode {
  const reasons = new Map<string, string[]>();
  for (const { name, why_not } of printers) {
    for (const words of why_not) reasons.set(words, [...(reasons.get(words) ?? []), name]);
  }
  return (
    <details>
      <summary>Why not on the others?</summary>
      <ul className="why">
        {[...reasons].map(([words, names]) => (
          <li key={words}><strong>{names.length > 4 ? count(names.length, "printer") : names.join(", ")}</strong> {words}</li>
        ))}
      </ul>
    </details>
  );
}
