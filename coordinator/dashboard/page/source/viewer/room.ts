/** The page's side of where plates are read and drawn: what is to be read there, and what is done to the canvas. */

import { credential } from "../api/ask";
import type { Door, FromRoom, ToRoom } from "./layers_room";

export type { FromRoom } from "./layers_room";

const FORWARDED = ["pointerdown", "pointermove", "pointerup", "pointercancel", "wheel", "contextmenu"] as const;
const FIELDS = [
  "pointerId", "pointerType", "button", "buttons", "clientX", "clientY", "pageX", "pageY", "deltaX", "deltaY", "deltaMode", "ctrlKey", "metaKey", "shiftKey",
] as const;
export class Room {
  private readonly watcher: ResizeObserver;
  private worker: Worker | null = null;

  private constructor(
    private readonly door: Door<ToRoom, FromRoom>, private readonly canvas: HTMLCanvasElement, host: HTMLElement, hear: (said: FromRoom) => void,
  ) {
    door.onmessage = ({ data }) => hear(data);
    host.append(canvas);
    for (const type of FORWARDED) canvas.addEventListener(type, this.done, { passive: false });
    this.watcher = new ResizeObserver(() =>
      door.postMessage({ kind: "fit", width: host.clientWidth, height: host.clientHeight, ratio: window.devicePixelRatio }));
    this.watcher.observe(host);
  }

  /** Open one; `apart`: in a worker, where the browser can. */
  static async open(host: HTMLElement, hear: (said: FromRoom) => void, apart: boolean): Promise<Room> {
    const canvas = document.createElement("canvas");
    if (apart) {
      const worker = new Worker(new URL("./layers.worker.ts", import.meta.url), { type: "module" });
      const room = new Room(worker as Door<ToRoom, FromRoom>, canvas, host, hear);
      worker.onerror = () => hear({ kind: "dark", words: "The plate can't be read here." });
      room.worker = worker;
      return room;
    }
    const { serve } = await import("./layers_room");
    const { port1, port2 } = new MessageChannel();
    serve(port2 as Door<FromRoom, ToRoom>, canvas);
    return new Room(port1 as Door<ToRoom, FromRoom>, canvas, host, hear);
  }

  /** Whether this browser may draw in workers. */
  static readonly canBeApart = "transferControlToOffscreen" in HTMLCanvasElement.prototype;

  say(said: ToRoom): void {
    this.door.postMessage(said);
  }

  /** Have a file read and drawn as it comes; the canvas is seen to while it is on its way. */
  read(url: string): void {
    this.begin();
    // What is read there the page never touches: to take in 15 MiB is work too.
    this.say({ kind: "read", url, headers: credential() });
  }

  close(): void {
    this.watcher.disconnect();
    if (this.worker) this.worker.terminate();
    else this.say({ kind: "close" });
    this.canvas.remove();
  }

  private begin(): void {
    const { clientWidth: width = 0, clientHeight: height = 0 } = this.canvas.parentElement ?? {};
    if (this.worker) {
      const canvas = this.canvas.transferControlToOffscreen();
      this.door.postMessage({ kind: "begin", canvas }, [canvas]);
    } else {
      this.say({ kind: "begin", canvas: null });
    }
    this.say({ kind: "fit", width, height, ratio: window.devicePixelRatio });
  }

  private readonly done = (event: Event): void => {
    if (event.type === "wheel" || event.type === "contextmenu") event.preventDefault();
    if (event instanceof PointerEvent && event.type === "pointerdown") this.canvas.setPointerCapture(event.pointerId);
    const said = event as unknown as Record<string, number | boolean | string | undefined>;
    const fields = Object.fromEntries(FIELDS.flatMap((name) => (said[name] === undefined ? [] : [[name, said[name]]])));
    this.say({ kind: "done", type: event.type, fields });
  };
}
