/** Asking the API: one way to send, one kind of error. */

import type { ProblemDocument } from "./shapes";

const PATIENCE_MS = 15_000;
const KEY = "farmhand-token";

/** What went wrong, as the farm tells it; `code` is stable. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly fields: readonly { pointer: string; detail: string }[];

  constructor(code: string, status: number, detail: string, fields: Problem["fields"] = []) {
    super(detail);
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}

/** The farm's own token, for as long as this tab lives; who logs in by name has a cookie that no script can read. */
export const token = {
  get: (): string => sessionStorage.getItem(KEY) ?? "",
  keep: (value: string): void => sessionStorage.setItem(KEY, value),
  forget: (): void => sessionStorage.removeItem(KEY),
};

export interface Question {
  body?: unknown;
  form?: FormData;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** What is asked for may take long: files do, and slicing. */
  patient?: boolean;
}

function credential(): Record<string, string> {
  const shown = token.get();
  return shown ? { Authorization: `Bearer ${shown}` } : {};
}

async function send(method: string, path: string, question: Question): Promise<Response> {
  const within = question.form || question.patient ? undefined : AbortSignal.timeout(PATIENCE_MS);
  const signals = [within, question.signal].filter((each) => each !== undefined);
  try {
    return await fetch(path.startsWith("/api/") ? path : `/api/v1${path}`, {
      method,
      headers: {
        ...credential(),
        ...(question.body === undefined ? {} : { "Content-Type": "application/json" }),
        ...question.headers,
      },
      body: question.form ?? (question.body === undefined ? null : JSON.stringify(question.body)),
      ...(signals.length ? { signal: AbortSignal.any(signals) } : {}),
    });
  } catch (error) {
    if (question.signal?.aborted) throw error;
    throw new Problem("unreachable", 0, "The farm does not answer. Is the coordinator running?");
  }
}

/** Return an answer's document. Throws `Problem`. */
export async function ask<Answer>(method: string, path: string, question: Question = {}): Promise<Answer> {
  const response = await send(method, path, question);
  if (response.status === 204) return undefined as Answer;
  const text = await response.text();
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    throw new Problem("no_document", response.status, `The farm answered ${response.status} without saying why.`);
  }
  if (response.ok) return said as Answer;
  const problem = said as ProblemDocument;
  throw new Problem(problem.code, response.status, problem.detail, problem.errors ?? []);
}

export const get = <Answer>(path: string, signal?: AbortSignal): Promise<Answer> =>
  ask<Answer>("GET", path, signal ? { signal } : {});

export const post = <Answer>(path: string, body?: unknown): Promise<Answer> =>
  ask<Answer>("POST", path, body === undefined ? {} : { body });

/** Return a file; the browser may keep a large one on its disk. */
export async function blob(path: string, signal?: AbortSignal): Promise<Blob> {
  const response = await send("GET", path, signal ? { signal, patient: true } : { patient: true });
  if (response.ok) return response.blob();
  const problem = (await response.json().catch(() => null)) as ProblemDocument | null;
  throw new Problem(problem?.code ?? "no_file", response.status, problem?.detail ?? "The file can't be had.");
}

/** Return a file's bytes. */
export async function bytes(path: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await blob(path, signal)).arrayBuffer();
}

/** Return a file's address in memory: pictures want a credential too, which `<img>` does not send. */
export async function file(path: string): Promise<string> {
  return URL.createObjectURL(new Blob([await bytes(path)]));
}

/** A key that has something made once, however often it is asked for; browsers make none where a page came by http. */
export const onceKey = (): string => globalThis.crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
