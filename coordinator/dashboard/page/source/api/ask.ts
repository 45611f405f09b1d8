/** Asking the API: one way to send, one kind of error. */

import type { ProblemDocument } from "./shapes";

const PATIENCE_MS = 15_000;
const KEY = "farmhand-token";
const KEPT_CHARACTERS_MAX = 8000;

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
  /** How long the answer may take; 15 s unless told. */
  patience_ms?: number;
}

function credential(): Record<string, string> {
  const shown = token.get();
  return shown ? { Authorization: `Bearer ${shown}` } : {};
}

async function send(method: string, path: string, question: Question): Promise<Response> {
  const within = question.form ? undefined : AbortSignal.timeout(question.patience_ms ?? PATIENCE_MS);
  const signals = [within, question.signal].filter((each) => each !== undefined);
  const body = question.form ?? (question.body === undefined ? null : JSON.stringify(question.body));
  try {
    return await fetch(path.startsWith("/api/") ? path : `/api/v1${path}`, {
      method,
      headers: {
        ...credential(),
        ...(question.body === undefined ? {} : { "Content-Type": "application/json" }),
        ...question.headers,
      },
      body,
      // What was begun is sent even while the page is being left; browsers do so with what is short.
      keepalive: method !== "GET" && (body === null || (typeof body === "string" && body.length < KEPT_CHARACTERS_MAX)),
      ...(signals.length ? { signal: AbortSignal.any(signals) } : {}),
    });
  } catch (error) {
    if (question.signal?.aborted) throw error;
    throw new Problem("unreachable", 0, "The farm does not answer. Is the coordinator running?");
  }
}

async function refusal(response: Response): Promise<Problem> {
  try {
    const problem = JSON.parse(await response.text()) as ProblemDocument;
    return new Problem(problem.code, response.status, problem.detail, problem.errors ?? []);
  } catch {
    return new Problem("no_document", response.status, `The farm answered ${response.status} without saying why.`);
  }
}

/** Return an answer's document. Throws `Problem`. */
export async function ask<Answer>(method: string, path: string, question: Question = {}): Promise<Answer> {
  const response = await send(method, path, question);
  if (!response.ok) throw await refusal(response);
  return response.status === 204 ? undefined as Answer : await response.json() as Answer;
}

export const get = <Answer>(path: string, signal?: AbortSignal): Promise<Answer> =>
  ask<Answer>("GET", path, signal ? { signal } : {});

export const post = <Answer>(path: string, body?: unknown): Promise<Answer> =>
  ask<Answer>("POST", path, body === undefined ? {} : { body });

/** For what takes as long as there is of it: files, backups, looking through history. */
export const LONG_MS = 3_600_000;

/** Return a file; it may be large. Throws `Problem`. */
export async function blob(path: string, signal?: AbortSignal): Promise<Blob> {
  return (await answered(path, signal)).blob();
}

async function answered(path: string, signal?: AbortSignal): Promise<Response> {
  const response = await send("GET", path, { patience_ms: LONG_MS, ...(signal ? { signal } : {}) });
  if (!response.ok) throw await refusal(response);
  return response;
}

/** Tells how much of a file came, and how much it is: null where the farm does not know yet. */
export type Came = (bytes: number, of: number | null) => void;

// Browsers put large blobs onto the disk, never what a script holds.
const HELD_BYTES_MAX = 8 * 2 ** 20;

/** Return a file, telling how far it is. Throws `Problem`, also where it broke off. */
export async function watchedBlob(path: string, came: Came, signal?: AbortSignal): Promise<Blob> {
  const response = await answered(path, signal);
  const of = Number(response.headers.get("Content-Length")) || null;
  const kept: Blob[] = [];
  let held: BlobPart[] = [];
  let held_bytes = 0;
  let bytes = 0;
  const reader = response.body!.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      held.push(part.value);
      held_bytes += part.value.byteLength;
      bytes += part.value.byteLength;
      came(bytes, of);
      if (held_bytes < HELD_BYTES_MAX) continue;
      kept.push(new Blob(held));
      held = [];
      held_bytes = 0;
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem("broke_off", 0, "The connection broke before all of it came. Try it again.");
  }
  return new Blob([...kept, ...held]);
}

/** Return a file's bytes. */
export const bytes = async (path: string, signal?: AbortSignal): Promise<ArrayBuffer> =>
  (await blob(path, signal)).arrayBuffer();

/** Return a file's address in memory: pictures want a credential too, which `<img>` does not send. */
export async function file(path: string): Promise<string> {
  return URL.createObjectURL(await blob(path));
}

/** A key that has something made once, however often it is asked for; browsers make none where a page came by http. */
export const onceKey = (): string => globalThis.crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;

/** What a camera saw: an address in memory, and when it was taken. */
export interface Seen {
  source: string;
  tag: string;
  taken_at: string;
}

// A camera that sleeps, and the way of its picture.
const PICTURE_PATIENCE_MS = 50_000;

/** Return a picture, null where it still is the one with this tag. Throws `Problem`. */
export async function picture(path: string, tag: string, signal: AbortSignal): Promise<Seen | null> {
  const headers: Record<string, string> = tag ? { "If-None-Match": tag } : {};
  const response = await send("GET", path, { headers, signal, patience_ms: PICTURE_PATIENCE_MS });
  if (response.status === 304) return null;
  if (!response.ok) throw await refusal(response);
  return {
    source: URL.createObjectURL(await response.blob()),
    tag: response.headers.get("ETag") ?? "",
    taken_at: response.headers.get("X-Farmhand-Taken-At") ?? "",
  };
}
