/**
 * Where plates are read and drawn: in a worker, so that the page never waits for either, however weak the machine;
 * in the page itself where the browser's workers can't draw. What is said between the two, and this side of it.
 */

import { pieces } from "../api/ask";
import { LayersScene, type Look } from "./layers_scene";
import { Reader, type Batch } from "./toolpath";

/** What the page says. Sizes in its pixels; `done` is what somebody did to the canvas, null where that can't be handed over. */
export type ToRoom =
  | { kind: "begin"; canvas: OffscreenCanvas | null }
  | { kind: "fit"; width: number; height: number; ratio: number }
  | { kind: "read"; url: string; headers: Record<string, string> }
  | { kind: "show"; look: Look }
  | { kind: "done"; type: string; fields: Record<string, number | boolean | string> }
  | { kind: "close" };

/** What it hears: heights of further layers in millimetres, which kinds there are so far; how many lines are drawn. */
export type FromRoom =
  | { kind: "layers"; heights: readonly number[]; kinds: number[] }
  | { kind: "whole" }
  | { kind: "drawn"; layer: number; lines: number }
  | { kind: "failed"; words: string }
  /** It can't be drawn here. */
  | { kind: "dark"; words: string };

/** One of the two ends. */
export interface Door<Said, Heard> {
  postMessage: (said: Said, transfer?: Transferable[]) => void;
  onmessage: ((event: MessageEvent<Heard>) => void) | null;
}

/** A weak machine takes as long to draw all as to read it: the first layer is drawn at once, further ones by the second. */
const SHOWN_EVERY_MS = 1000;

/** Read and draw what is said, until `close`; on a canvas of this thread where none is handed over. */
export function serve(door: Door<FromRoom, ToRoom>, own: HTMLCanvasElement | null = null): void {
  const element = new Pretended();
  let scene: LayersScene | null = null;
  const given = new AbortController();
  let waiting: Batch[] = [];
  let shown_ms = -Infinity;
  const show = (): void => {
    for (const batch of waiting) scene?.add(batch);
    const heights = waiting.flatMap((batch) => [...batch.heights]);
    door.postMessage({ kind: "layers", heights, kinds: waiting.at(-1)?.kinds ?? [] });
    waiting = [];
    shown_ms = performance.now();
  };
  /** Read a file and draw it as it comes; now and then what is said is heard, and a frame drawn. */
  async function read(url: string, headers: Record<string, string>): Promise<void> {
    let reader: Reader | null = null;
    try {
      for await (const { bytes, of } of pieces(url, { headers, signal: given.signal })) {
        reader ??= new Reader(of ?? 0, (batch) => waiting.push(batch));
        reader.feed(bytes);
        if (!waiting.length || performance.now() - shown_ms < SHOWN_EVERY_MS) continue;
        show();
        await new Promise((turn) => setTimeout(turn));
      }
      reader?.end();
      if (waiting.length) show();
      door.postMessage({ kind: "whole" });
    } catch (error) {
      if (!given.signal.aborted) door.postMessage({ kind: "failed", words: error instanceof Error ? error.message : String(error) });
    }
  }
  door.onmessage = ({ data }) => {
    switch (data.kind) {
      case "begin":
        try {
          scene = new LayersScene((data.canvas ?? own)!, element as unknown as HTMLElement);
        } catch (error) {
          door.postMessage({ kind: "dark", words: error instanceof Error ? error.message : String(error) });
        }
        break;
      case "read":
        void read(data.url, data.headers);
        break;
      case "fit":
        element.clientWidth = data.width;
        element.clientHeight = data.height;
        scene?.fit(data.width, data.height, data.ratio);
        break;
      case "show":
        door.postMessage({ kind: "drawn", layer: data.look.layer, lines: scene?.show(data.look) ?? 0 });
        break;
      case "done":
        element.dispatchEvent(Object.assign(new Event(data.type, { cancelable: true }), data.fields));
        break;
      case "close":
        given.abort();
        scene?.close();
        scene = null;
        break;
    }
  };
}

/** What stands for the canvas where there is no page: as much of an element as turning a camera wants. */
class Pretended extends EventTarget {
  clientWidth = 1;
  clientHeight = 1;
  readonly style = {};
  readonly ownerDocument = this;
  readonly getRootNode = (): EventTarget => this;
  readonly getBoundingClientRect = (): object => ({ left: 0, top: 0, width: this.clientWidth, height: this.clientHeight });
  readonly setPointerCapture = (): void => undefined;
  readonly releasePointerCapture = (): void => undefined;
  readonly remove = (): void => undefined;
}
