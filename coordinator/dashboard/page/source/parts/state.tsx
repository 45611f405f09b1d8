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

/** How far something is; a bar that moves by transform, so that nothing else is laid out anew. */
export function Bar({ ratio, label }: { ratio: number; label: string }): ReactNode {
  const now = Math.round(ratio * 100);
  return (
    <div className="bar" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={now}>
      <div style={{ transform: `scaleX(${Math.max(0, Math.min(1, ratio))})` }} />
    </div>
  );
}
