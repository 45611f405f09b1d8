/**
 * What the farm looks like, as the live connection tells it: a snapshot, then differences to it.
 *
 * Pure but for the maps, which are changed in place: five hundred printers are not copied each second.
 */

import type {
  CountsDocument, EventDocument, GenerationGlanceDocument, JobGlanceDocument, PrinterDocument,
} from "../api/shapes";

export interface Message {
  kind: "snapshot" | "delta";
  sequence: number;
  printers?: PrinterDocument[] | Record<string, Partial<PrinterDocument>>;
  jobs?: JobGlanceDocument[] | Record<string, Partial<JobGlanceDocument>>;
  generations?: GenerationGlanceDocument[] | Record<string, Partial<GenerationGlanceDocument>>;
  counts?: CountsDocument;
  gone?: { printers: string[]; jobs: string[]; generations: string[] };
  history?: EventDocument[];
}

/** What a message changed: ids of things, and whether lists of them have to be looked at anew. */
export interface Changes {
  printers: Set<string>;
  jobs: Set<string>;
  /** A printer came, went, or something that is written of it changed: not only what it measures. */
  printersStanding: boolean;
  jobsStanding: boolean;
  generations: boolean;
  counts: boolean;
}

/** Fields that change all the time, and by which no list is ordered or filtered. */
const MEASURED: ReadonlySet<string> = new Set(["live", "host", "findings", "waits_for", "away"]);

export class Picture {
  readonly printers = new Map<string, PrinterDocument>();
  readonly jobs = new Map<string, JobGlanceDocument>();
  readonly generations = new Map<string, GenerationGlanceDocument>();
  counts: CountsDocument = { printers: {}, jobs: {} } as CountsDocument;
  sequence = -1;

  /** Take a message; null where one before it is missing, so that a snapshot has to be asked for. */
  take(message: Message): Changes | null {
    const changes: Changes = {
      printers: new Set(), jobs: new Set(), printersStanding: false, jobsStanding: false,
      generations: false, counts: false,
    };
    if (message.kind === "snapshot") this.begin(message, changes);
    else if (message.sequence !== this.sequence + 1) return null;
    else this.go(message, changes);
    this.sequence = message.sequence;
    if (message.counts) {
      this.counts = message.counts;
      changes.counts = true;
    }
    return changes;
  }

  private begin(message: Message, changes: Changes): void {
    for (const id of this.printers.keys()) changes.printers.add(id);
    for (const id of this.jobs.keys()) changes.jobs.add(id);
    this.printers.clear();
    this.jobs.clear();
    for (const each of (message.printers ?? []) as PrinterDocument[]) {
      this.printers.set(each.id, each);
      changes.printers.add(each.id);
    }
    for (const each of (message.jobs ?? []) as JobGlanceDocument[]) {
      this.jobs.set(each.id, each);
      changes.jobs.add(each.id);
    }
    this.generations.clear();
    for (const each of (message.generations ?? []) as GenerationGlanceDocument[]) this.generations.set(each.id, each);
    changes.printersStanding = changes.jobsStanding = changes.generations = true;
  }

  private go(message: Message, changes: Changes): void {
    for (const id of message.gone?.printers ?? []) {
      this.printers.delete(id);
      changes.printers.add(id);
      changes.printersStanding = true;
    }
    for (const id of message.gone?.jobs ?? []) {
      this.jobs.delete(id);
      changes.jobs.add(id);
      changes.jobsStanding = true;
    }
    for (const [id, fields] of Object.entries((message.printers ?? {}) as Record<string, Partial<PrinterDocument>>)) {
      this.printers.set(id, laid(this.printers.get(id), fields));
      changes.printers.add(id);
      if (!changes.printersStanding) {
        changes.printersStanding = Object.keys(fields).some((name) => !MEASURED.has(name));
      }
    }
    for (const [id, fields] of Object.entries((message.jobs ?? {}) as Record<string, Partial<JobGlanceDocument>>)) {
      this.jobs.set(id, { ...this.jobs.get(id), ...fields } as JobGlanceDocument);
      changes.jobs.add(id);
      changes.jobsStanding = true;
    }
    for (const id of message.gone?.generations ?? []) changes.generations = this.generations.delete(id) || changes.generations;
    for (const [id, fields] of Object.entries(message.generations ?? {}) as [string, Partial<GenerationGlanceDocument>][]) {
      this.generations.set(id, { ...this.generations.get(id), ...fields } as GenerationGlanceDocument);
      changes.generations = true;
    }
  }
}

/** A printer with what changed laid on it; of what it measures only what changed is told, a sensor that is null is gone. */
function laid(known: PrinterDocument | undefined, fields: Partial<PrinterDocument>): PrinterDocument {
  const next = { ...known, ...fields } as PrinterDocument;
  if (known?.host && fields.host) next.host = { ...known.host, ...fields.host };
  if (!known?.live || !fields.live) return next;
  const temperatures = { ...known.live.temperatures };
  for (const [sensor, told] of Object.entries(fields.live.temperatures ?? {}) as [string, Partial<Reading> | null][]) {
    if (told === null) delete temperatures[sensor];
    else temperatures[sensor] = { ...temperatures[sensor], ...told } as Reading;
  }
  next.live = { ...known.live, ...fields.live, temperatures };
  return next;
}

type Reading = NonNullable<PrinterDocument["live"]>["temperatures"][string];
