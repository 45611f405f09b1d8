/** A state as a word, a sign and a colour. */

import type { ReactNode } from "react";
import { SIGNS, type Tone } from "../words";

export function State({ words, tone }: { words: string; tone: Tone }): ReactNode {
  return (
    <span className={`state ${tone}`}>
      <span aria-hidden="true">{SIGNS[tone]}</span> {words}
    </span>
  );
}

/** As much of a bar as there is: it is painted anew, and nothing laid out; each transform would be a layer of its own. */
export const filled = (ratio: number): { backgroundSize: string } => ({ backgroundSize: `${Math.max(0, Math.min(1, ratio)) * 100}% 100%` });

/** How far something is. */
export function Bar({ ratio, label }: { ratio: number; label: string }): ReactNode {
  const now = Math.round(ratio * 100);
  return (
    <div className="bar" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={now}>
      <div style={filled(ratio)} />
    </div>
  );
}
