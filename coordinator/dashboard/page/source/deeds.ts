/** What people do at the farm, each one call of the API, with what undoes it where something can. */

import { ask, onceKey, post } from "./api/ask";
import type {
  CommandedDocument, JobDocument, NewTaskForm, PrinterDocument, PrinterForm, ResultsDocument, RetiredPrinterDocument,
} from "./api/shapes";
import { complain, say, soon } from "./parts/notes";

const printer = (id: string): string => `/printers/${encodeURIComponent(id)}`;
const job = (id: string): string => `/jobs/${encodeURIComponent(id)}`;

export async function clearBed(id: string, name: string): Promise<void> {
  await post<PrinterDocument>(`${printer(id)}/clear`);
  // Claimed and given up, a bed counts as occupied again.
  say(`The bed of ${name} is clear.`, async () => {
    await post(`${printer(id)}/clearing`);
    await ask("DELETE", `${printer(id)}/clearing`);
  });
}

export async function setService(id: string, in_service: boolean): Promise<void> {
  await post<PrinterDocument>(`${printer(id)}/service`, { in_service });
}

/** Say that a printer which was taken out of use is sound: the farm prints on it again, maybe at once. */
export const giveBack = (id: string, name: string): Promise<void> =>
  soon(`${name} is given back to the farm.`, () => setService(id, false));

export async function emergencyStop(id: string): Promise<void> {
  await post(`${printer(id)}/commands`, { name: "emergency_stop", arguments: {} });
  say("The emergency stop was sent.");
}

export const pauseJob = (id: string): Promise<JobDocument> => post(`${job(id)}/pause`);
export const resumeJob = (id: string): Promise<JobDocument> => post(`${job(id)}/resume`);
export const approveJob = (id: string): Promise<void> => soon("Approved: it may be printed.", () => post(`${job(id)}/approve`));

export const changeJob = (id: string, changes: Partial<Pick<JobDocument, "name" | "copies" | "priority" | "due_at">>): Promise<JobDocument> =>
  ask("PATCH", job(id), { body: changes });

export async function cancelJob(id: string, name: string): Promise<void> {
  await post<JobDocument>(`${job(id)}/cancel`);
  say(`${name} is cancelled.`);
}

const SETTLED: Record<string, string> = {
  finished: "Settled: it is printed.", failed: "Settled: it failed.", reprint: "Settled: it counts for nothing, and is printed again.",
};

export const settleRun = (id: string, outcome: string): Promise<void> =>
  soon(SETTLED[outcome] ?? "Settled.", () => post(`/runs/${encodeURIComponent(id)}/settle`, { outcome }));

export const approveGeneration = (id: string): Promise<void> =>
  soon("Approved: it may be printed.", () => post(`/generations/${encodeURIComponent(id)}/approve`));

/** Where a job is put in the queue. */
export type Place = { to: number } | { before: string } | { after: string };

export const moveJob = (id: string, place: Place): Promise<JobDocument> => post(`${job(id)}/move`, place);

/** Order the same once more; the key is the press's, so that a lost answer makes no second job. */
export async function againJob(id: string, name: string): Promise<JobDocument> {
  const made = await ask<JobDocument>("POST", `${job(id)}/again`, { body: {}, headers: { "Idempotency-Key": onceKey() } });
  say(`${name} is ordered once more.`, () => post(`${job(made.id)}/cancel`));
  return made;
}

/** Do one thing to many in one request; what did not work is told, with the first reason. */
async function many(things: "jobs" | "printers", action: string, ids: readonly string[], done: string, undo?: () => Promise<unknown>): Promise<void> {
  const results = await post<ResultsDocument>(`/${things}/actions`, { action, ids });
  if (results.done) say(done.replace("#", String(results.done)), undo);
  const failed = results.items.find((each) => !each.done);
  if (failed) complain(`${results.failed} of ${ids.length} did not work; the first: ${failed.detail}`);
}

export const JOB_ACTIONS = { pause: "# paused.", resume: "# go on.", approve: "# approved.", cancel: "# cancelled." } as const;
export function manyJobs(action: keyof typeof JOB_ACTIONS, ids: readonly string[]): Promise<void> {
  const send = (): Promise<void> => many("jobs", action, ids, JOB_ACTIONS[action]);
  return action === "approve" ? soon(`${ids.length} to be approved.`, send) : send();
}

export const clearBeds = (ids: readonly string[]): Promise<void> =>
  many("printers", "clear", ids, "# beds are clear.", async () => {
    await post("/printers/actions", { action: "claim", ids });
    await post("/printers/actions", { action: "abandon", ids });
  });

export const setServices = (ids: readonly string[], on: boolean): Promise<void> =>
  many("printers", on ? "service_on" : "service_off", ids, on ? "# are in service." : "# are given back.", () =>
    post("/printers/actions", { action: on ? "service_off" : "service_on", ids }));
// A printer answers a line when it has carried it out, homing say; the farm waits 65 s.
const COMMAND_PATIENCE_MS = 75_000;

/** Have a printer's agent do one thing; returns what the printer said. */
export async function command(id: string, name: string, given: Record<string, string> = {}): Promise<string> {
  const question = { body: { name, arguments: given }, patience_ms: COMMAND_PATIENCE_MS };
  return (await ask<CommandedDocument>("POST", `${printer(id)}/commands`, question)).words;
}

/** Say lines of G-code, one after the other; the last is said even where one before it was refused. */
export async function sendLines(id: string, lines: readonly string[], last = ""): Promise<void> {
  try {
    for (const line of lines) await command(id, "send", { line });
  } finally {
    if (last) await command(id, "send", { line: last });
  }
}

export const changePrinter = (id: string, wanted: Partial<PrinterForm>): Promise<PrinterDocument> =>
  ask("PATCH", printer(id), { body: wanted });

/** Say what a printer holds now: what waits for that begins, maybe at once. */
export const holds = (id: string, name: string, material: string): Promise<void> =>
  soon(`${name} holds ${material}.`, () => changePrinter(id, { material }));

export const taskDone = (id: string, name: string): Promise<void> =>
  soon(`${name}: done.`, () => post(`/maintenance/${encodeURIComponent(id)}/done`, {}));

/** Take a printer out of the farm for good. */
export async function retirePrinter(id: string, name: string): Promise<void> {
  const gone = await post<RetiredPrinterDocument>(`${printer(id)}/retire`);
  say(gone.words ? `${name} is retired. What is left to do: ${gone.words}.` : `${name} is retired.`, () => restorePrinter(id, name));
}

export async function restorePrinter(id: string, name: string): Promise<void> {
  const back = await post<RetiredPrinterDocument>(`${printer(id)}/restore`);
  say(back.words ? `${name} is of the farm again; ${back.words}.` : `${name} is of the farm again.`);
}

const agent = (id: string): string => `/agents/${encodeURIComponent(id)}`;

export async function retireAgent(id: string): Promise<void> {
  await post(`${agent(id)}/retire`);
  say(`${id} is retired with its printers. Stop it on its machine.`);
}

export async function restoreAgent(id: string): Promise<void> {
  await post(`${agent(id)}/restore`);
  say(`${id} is heard again. Its printers are taken back one by one; if it had enrolled, make it a new token.`);
}

export const addTask = (wanted: Omit<NewTaskForm, "archived">): Promise<unknown> => post("/maintenance", wanted);

export const loadSpool = (id: string, printer_id: string): Promise<unknown> =>
  post(`/spools/${encodeURIComponent(id)}/load`, { printer_id });
export const unloadSpool = (id: string): Promise<unknown> => post(`/spools/${encodeURIComponent(id)}/unload`);

/** Do the same to several; one that fails does not stop the others. */
export async function each<Thing>(those: readonly Thing[], does: (thing: Thing) => Promise<unknown>): Promise<void> {
  const outcomes = await Promise.allSettled(those.map(does));
  const failed = outcomes.filter((outcome) => outcome.status === "rejected");
  if (failed.length === 1) complain(failed[0]?.reason);
  else if (failed.length) complain(`${failed.length} of ${those.length} did not work; the first: ${failed[0]?.reason}`);
}
