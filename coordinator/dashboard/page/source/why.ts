/** Why a job waits, in one or two sentences: what concerns no single printer first, then printers by their reason. Pure. */

import type { WaitDocument } from "./api/shapes";
import { sentence } from "./attention";
import { count } from "./words";

/** What one printer, and what several, have against a job; what is not here is said as the farm says it. */
const AGAINST: Record<string, [string, string]> = {
  busy: ["prints", "print"],
  bed_not_clear: ["has to be cleared", "have to be cleared"],
  offline: ["is off line", "are off line"],
  printer_offline: ["is off line", "are off line"],
  in_service: ["is in service", "are in service"],
  quarantined: ["was taken out of use", "were taken out of use"],
  faulted: ["needs help", "need help"],
  foreign: ["prints something else", "print something else"],
  draining: ["takes nothing new", "take nothing new"],
  other_class: ["is of another class", "are of another class"],
  other_group: ["is of another group", "are of another group"],
  other_printer: ["is not the one it is for", "are not the one it is for"],
  lacks_tag: ["lacks a tag", "lack a tag"],
  no_plate: ["has no plate of it", "have no plate of it"],
  plate_refused: ["can't print it", "can't print it"],
  material_differs: ["holds another material", "hold another material"],
  material_unknown: ["says of no material what it holds", "say of no material what they hold"],
  slicing: ["waits for the slicer", "wait for the slicer"],
  not_sliced: ["would have it sliced", "would have it sliced"],
};

/** Reasons that go away by themselves say less than those that need somebody; those come first. */
const BY_ITSELF: ReadonlySet<string> = new Set(["busy", "slicing", "not_sliced"]);

/** The farm tells of some printers only, where there are many. */
const MORE = "more_printers";

export function whyInWords(waits: readonly WaitDocument[], nameOf: (printer_id: string) => string): string {
  const common = waits.filter(({ printer_id, code }) => printer_id === null && code !== MORE).map(({ words }) => sentence(words));
  // The first that stands against a printer is the most stubborn one.
  const printers = new Map<string, WaitDocument>();
  for (const wait of waits) if (wait.printer_id !== null && !printers.has(wait.printer_id)) printers.set(wait.printer_id, wait);
  const groups = new Map<string, WaitDocument[]>();
  for (const wait of printers.values()) {
    const phrase = AGAINST[wait.code]?.[1] ?? wait.words;
    groups.set(phrase, [...(groups.get(phrase) ?? []), wait]);
  }
  const said = [...groups.values()]
    .sort((a, b) => Number(BY_ITSELF.has(a[0]!.code)) - Number(BY_ITSELF.has(b[0]!.code)) || b.length - a.length)
    .map((those, index) => `${those.length === 1 ? nameOf(those[0]!.printer_id ?? "") : index ? those.length : count(those.length, "printer")} ${phraseOf(those)}`);
  const more = waits.some(({ code }) => code === MORE) ? ["So say the first of them; there are more."] : [];
  return [...common, ...(said.length ? [`${said.join("; ")}.`] : []), ...more].join(" ");
}

function phraseOf(those: readonly WaitDocument[]): string {
  const { code, words } = those[0]!;
  const known = AGAINST[code];
  return known ? known[those.length === 1 ? 0 : 1] : words;
}
