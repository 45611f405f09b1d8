/** The live connection: opened with a ticket, kept, opened again. */

import { Problem, post } from "../api/ask";
import type { TicketDocument } from "../api/shapes";
import type { Message } from "./picture";
import { farm } from "./store";

const RETRY_MS = [500, 1000, 2000, 5000, 10_000];
/** So long nothing may be heard before the farm is asked for all of it; no answer, and the line is dead. */
const SILENCE_MS = 20_000;
const ANSWER_MS = 5_000;
const RESYNC = JSON.stringify({ kind: "resync" });

/** Look on until `stop` is called; `refused` is told when the credential no longer holds. */
export function lookOn(refused: () => void): () => void {
  let stopped = false;
  let failures = 0;
  let socket: WebSocket | null = null;
  let retry = 0;
  let lostSince = 0;
  let heard = 0;

  function lost(reason: string): void {
    if (stopped) return;
    // A line that died without a word was noticed late: what is shown is as old as what was heard last.
    lostSince ||= heard || Date.now();
    farm.setLink({ state: "lost", reason, since: lostSince });
    retry = window.setTimeout(() => void open(), RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
    failures += 1;
  }

  async function open(): Promise<void> {
    let ticket: string;
    try {
      ({ ticket } = await post<TicketDocument>("/live/tickets"));
    } catch (error) {
      if (stopped) return;
      if (error instanceof Problem && error.status === 401) refused();
      else lost(error instanceof Error ? error.message : String(error));
      return;
    }
    if (stopped) return;
    // Browsers set no header on a WebSocket: the ticket, good for once, stands for the credential.
    const url = new URL(`/api/v1/live?ticket=${encodeURIComponent(ticket)}`, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const opened = (socket = new WebSocket(url));
    let silence = 0;
    // Nobody is there to say goodbye to, and a browser would wait for that for a minute.
    const hangUp = (): void => {
      opened.onclose = opened.onmessage = null;
      opened.close();
      lost("nothing was heard of the farm");
    };
    const listen = (): void => {
      window.clearTimeout(silence);
      silence = window.setTimeout(() => {
        opened.send(RESYNC);
        silence = window.setTimeout(hangUp, ANSWER_MS);
      }, SILENCE_MS);
    };
    opened.onopen = listen;
    opened.onmessage = ({ data }: MessageEvent<string>) => {
      listen();
      heard = Date.now();
      if (!farm.hear(JSON.parse(data) as Message)) opened.send(RESYNC);
      else if (farm.link().state !== "live") {
        failures = lostSince = 0;
        farm.setLink({ state: "live" });
      }
    };
    opened.onclose = ({ reason }) => {
      window.clearTimeout(silence);
      lost(reason || "no connection");
    };
  }

  void open();
  return () => {
    stopped = true;
    window.clearTimeout(retry);
    socket?.close();
  };
}
