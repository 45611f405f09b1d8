/** Heaters, as measurements name them. Pure. */

import type { MeasurementsDocument } from "../../api/shapes";

const INKS = 4;

/** The heaters in a table of measurements, in the order of their colours. */
export function heatersIn(measured: MeasurementsDocument): string[] {
  return Object.keys(measured.columns)
    .filter((name) => name.endsWith("_celsius") && !name.endsWith("_target_celsius"))
    .map((name) => name.slice(0, -"_celsius".length))
    .sort((a, b) => b.localeCompare(a));
}

/** The custom property with a heater's colour. */
export const inkOf = (place: number): string => `--ink-${(place % INKS) + 1}`;

/** The line of G-code that sets a heater's target; null for a heater that nobody knows how to set. */
export function settingOf(heater: string, celsius: number): string | null {
  const tool = /^tool(\d+)$/.exec(heater);
  if (tool) return tool[1] === "0" ? `M104 S${celsius}` : `M104 T${tool[1]} S${celsius}`;
  if (heater === "bed") return `M140 S${celsius}`;
  return heater === "chamber" ? `M141 S${celsius}` : null;
}
