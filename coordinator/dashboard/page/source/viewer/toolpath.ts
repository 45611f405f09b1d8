/**
 * G-code as lines to draw, layer by layer. Pure: bytes in, numbers out; it runs in a worker.
 *
 * Bytes come piece by piece, and lines leave in batches of whole layers: the first layer as soon as it is read.
 * Where nobody marks layers nobody knows before the end where they begin: then all is one batch.
 *
 * Commands and layers are counted as agents count them, so that a line or layer that a printer tells of is found here.
 */

import { KINDS } from "./palette";

const OTHER = KINDS.length - 1;
/** What lies inside, and is not seen once something lies upon it. */
const INSIDE: ReadonlySet<number> = new Set([1, 2, 3]);
/** Of more lines only those of every second layer are kept for the shell, or of every third ... */
const SHELL_MAX = 120_000;
/** A batch is drawn as one, and handed to the graphics memory as one: some half a MiB. */
const BATCH_LINES = 20_000;

/** Some layers. All lengths in millimetres; lines are numbered from 0 in the order in which they are printed. */
export interface Batch {
  /** How many layers, lines and moves there are before it. */
  layersBefore: number;
  linesBefore: number;
  movesBefore: number;
  /** Six numbers a line: where it begins, where it ends. */
  printed: Float32Array;
  /** Two bytes for each end of a line: its kind, and how light it is by its direction. */
  looks: Uint8Array;
  /** For each line, how many commands of the file there are up to its end. */
  commands: Uint32Array;
  /** The ends, counted within the batch, of those lines that hide all others, two for each, as they follow each other. */
  shell: Uint32Array;
  /** Moves without plastic, six numbers each. */
  travel: Float32Array;
  /** For each layer its height, and where it ends among all lines and among all moves. */
  heights: Float32Array;
  printedEnds: Uint32Array;
  travelEnds: Uint32Array;
  /** Which kinds there are so far. */
  kinds: number[];
  /** Least x, y, z of the part so far, then greatest; what a printer wipes off beside it does not count. */
  box: [number, number, number, number, number, number];
}

/** Above so many bytes lines shorter than the second number are joined: nobody sees them, and memory has an end. */
const COARSE_BYTES = 24 * 2 ** 20;
const COARSE_MM = 0.6;
const FINE_MM = 0.03;
const ARC_STEP_MM = 0.5;
const RISES_MM = 0.01;
const INCH_MM = 25.4;

const MARKS = [";LAYER_CHANGE", ";LAYER:", "; CHANGE_LAYER"];
/** What a host keeps for itself (see `protocols/gcode/program.py`); the printer never counts it. */
const PAUSES: ReadonlySet<number> = new Set([0, 1, 25, 226, 600]);

const [LF, SEMICOLON, BRACKET, AT] = [10, 59, 40, 64];

/** Numbers one behind the other, of which nobody knows how many there will be. */
class Growing<Numbers extends Float32Array | Uint32Array | Uint8Array> {
  length = 0;
  constructor(private numbers: Numbers, private readonly larger: (size: number) => Numbers) {}

  add(...values: number[]): void {
    if (this.length + values.length > this.numbers.length) {
      const more = this.larger(this.numbers.length * 2);
      more.set(this.numbers);
      this.numbers = more;
    }
    for (const value of values) this.numbers[this.length++] = value;
  }

  /** Hand out all that is there, and begin anew. */
  taken(): Numbers {
    const found = this.numbers.slice(0, this.length) as Numbers;
    this.length = 0;
    return found;
  }
}

const floats = (): Growing<Float32Array> => new Growing(new Float32Array(4096), (size) => new Float32Array(size));
const wholes = (): Growing<Uint32Array> => new Growing(new Uint32Array(4096), (size) => new Uint32Array(size));
const small = (): Growing<Uint8Array> => new Growing(new Uint8Array(4096), (size) => new Uint8Array(size));

/** How far lines reach. */
class Extent {
  readonly low = [Infinity, Infinity, Infinity];
  readonly high = [-Infinity, -Infinity, -Infinity];

  get empty(): boolean {
    return this.low[0] === Infinity;
  }

  /** Take a line, by its two ends. */
  take(ends: Float64Array): void {
    for (let axis = 0; axis < 3; axis++) {
      this.low[axis] = Math.min(this.low[axis]!, ends[axis]!, ends[axis + 3]!);
      this.high[axis] = Math.max(this.high[axis]!, ends[axis]!, ends[axis + 3]!);
    }
  }
}

/** Where layers end among lines and moves, and how high they are. */
class Layers {
  readonly heights = floats();
  readonly printed = wholes();
  readonly travel = wholes();
}

/** The words that slicers have for what they print, as one of ours. */
export function kindOf(said: string): number {
  const word = said.trim().toLowerCase();
  const has = (...parts: string[]): boolean => parts.some((part) => word.includes(part));
  if (has("bridge", "overhang")) return 5;
  if (has("support")) return 6;
  if (has("skirt", "brim", "adhesion")) return 7;
  if (has("top", "ironing")) return 4;
  if (has("external perimeter", "outer", "external-perimeter")) return 0;
  if (has("perimeter", "inner", "wall")) return 1;
  if (has("solid", "bottom", "skin", "internal-solid")) return 3;
  if (has("infill", "fill", "sparse")) return 2;
  return OTHER;
}

/** Reads a file of so many bytes; `cut` is given each batch as soon as it is whole. */
export class Reader {
  private readonly printed = floats();
  private readonly looks = small();
  private readonly commands = wholes();
  private readonly travel = floats();
  private readonly marked = new Layers();
  private readonly byHeight = new Layers();
  private readonly kinds = new Set<number>();
  private readonly part = new Extent();
  private readonly all = new Extent();
  private readonly least_mm: number;
  /** The words of the command that is read: each letter's number, and whether it is there. */
  private readonly value = new Float64Array(26);
  private readonly given = new Uint8Array(26);
  private readonly place = [0, 0, 0];
  private e = 0;
  private count = 0;
  private kind: number = OTHER;
  private absolute = true;
  private absoluteE = true;
  private unit = 1;
  private top = -Infinity;
  private layerHeight = NaN;
  /** A line that may grow: its ends, its kind; it is kept once something else follows. */
  private readonly open = new Float64Array(6);
  private openKind = -1;
  private openCount = 0;

  /** What is being read; behind its last end of line stands what goes on with the next piece. */
  private bytes = new Uint8Array();
  private read_bytes = 0;
  private layersBefore = 0;
  private linesBefore = 0;
  private movesBefore = 0;
  private shellLines = 0;

  constructor(private readonly size_bytes: number, private readonly cut: (batch: Batch) => void) {
    this.least_mm = size_bytes > COARSE_BYTES ? COARSE_MM : FINE_MM;
  }

  feed(piece: Uint8Array): void {
    this.read_bytes += piece.length;
    const joined = new Uint8Array(this.bytes.length + piece.length);
    joined.set(this.bytes);
    joined.set(piece, this.bytes.length);
    this.bytes = joined;
    this.bytes = joined.subarray(this.lines(joined.lastIndexOf(LF) + 1));
  }

  /** All pieces were given. */
  end(): void {
    this.lines(this.bytes.length);
    this.close();
    this.ended(this.marked, this.layerHeight);
    this.ended(this.byHeight, this.top);
    // Where nobody marks layers, they begin where it gets higher.
    this.take(this.isMarked ? this.marked : this.byHeight);
  }

  private lines(upTo: number): number {
    const { bytes } = this;
    for (let at = 0; at < upTo;) {
      let end = bytes.indexOf(LF, at);
      if (end < 0 || end > upTo) end = upTo;
      while (at < end && bytes[at]! <= 32) at++;
      if (at < end) this.line(at, end);
      at = end + 1;
    }
    return upTo;
  }

  /** The first mark ends what came before the first layer. */
  private get isMarked(): boolean {
    return this.layersBefore > 0 || this.marked.heights.length > 1;
  }

  /** Hand out what is read so far; nothing is open. */
  private take(layers: Layers): void {
    const heights = layers.heights.taken();
    const printedEnds = layers.printed.taken();
    const travelEnds = layers.travel.taken();
    // Before the first layer of all there is what came before it, which belongs to it.
    const skipped = this.layersBefore ? 0 : 1;
    const looks = this.looks.taken();
    const ends = printedEnds.slice(skipped);
    const box = this.part.empty ? this.all : this.part;
    const batch: Batch = {
      layersBefore: this.layersBefore, linesBefore: this.linesBefore, movesBefore: this.movesBefore,
      printed: this.printed.taken(), looks, commands: this.commands.taken(), travel: this.travel.taken(),
      shell: this.shellOf(looks, ends), heights: heights.slice(skipped), printedEnds: ends, travelEnds: travelEnds.slice(skipped),
      kinds: [...this.kinds].sort((a, b) => a - b),
      box: (box.empty ? [0, 0, 0, 1, 1, 1] : [...box.low, ...box.high]) as Batch["box"],
    };
    this.layersBefore += ends.length;
    this.linesBefore += batch.printed.length / 6;
    this.movesBefore += batch.travel.length / 6;
    this.cut(batch);
  }

  private shellOf(looks: Uint8Array, ends: Uint32Array): Uint32Array {
    for (let at = 0; at < looks.length; at += 4) if (!INSIDE.has(looks[at]!)) this.shellLines++;
    // As many as there are going to be, if it goes on like this.
    const every = Math.ceil((this.shellLines * this.size_bytes) / Math.max(1, this.read_bytes) / SHELL_MAX) || 1;
    const shell = wholes();
    for (let layer = 0; layer < ends.length; layer++) {
      if ((this.layersBefore + layer) % every) continue;
      for (let line = (layer ? ends[layer - 1]! : this.linesBefore) - this.linesBefore; line < ends[layer]! - this.linesBefore; line++) {
        if (!INSIDE.has(looks[line * 4]!)) shell.add(line * 2, line * 2 + 1);
      }
    }
    return shell.taken();
  }

  private line(at: number, end: number): void {
    const first = this.bytes[at]!;
    if (first === SEMICOLON) this.comment(at, end);
    else if (first !== BRACKET && first !== AT) this.command(at, end);
  }

  private comment(at: number, end: number): void {
    const next = this.bytes[at + 1]! | 32;
    // Most comments are none of those that are looked for: `;TYPE:`, `;LAYER...`, `; ...`.
    if (next !== 116 && next !== 108 && next !== 32) return;
    const text = String.fromCharCode(...this.bytes.subarray(at, Math.min(end, at + 60))).trimEnd();
    if (text.startsWith(";TYPE:")) this.kind = kindOf(text.slice(6));
    else if (text.startsWith("; FEATURE:")) this.kind = kindOf(text.slice(10));
    else if (text.startsWith("; feature ")) this.kind = kindOf(text.slice(10));
    else if (MARKS.some((mark) => text.startsWith(mark)) || /^; layer \d/.test(text)) {
      this.close();
      this.ended(this.marked, this.layerHeight);
      this.layerHeight = NaN;
      const enough = this.layersBefore ? BATCH_LINES : 1;
      if (this.isMarked && this.printed.length / 6 >= enough) this.take(this.marked);
    }
  }

  private ended(layers: Layers, height: number): void {
    layers.heights.add(height);
    layers.printed.add(this.linesBefore + this.printed.length / 6);
    layers.travel.add(this.movesBefore + this.travel.length / 6);
  }

  private command(from: number, end: number): void {
    const { bytes, value, given } = this;
    given.fill(0);
    let at = from;
    let letter = 0;
    let number = -1;
    while (at < end) {
      const code = bytes[at]! & 0xdf;
      if (bytes[at] === SEMICOLON || bytes[at] === BRACKET || bytes[at] === 42) break;
      if (code < 65 || code > 90) {
        at++;
        continue;
      }
      at = this.number(at + 1, end);
      if (letter === 0) {
        if (code === 78) continue; // the number of a line
        letter = code;
        number = this.last;
        // Only moves and what changes their meaning have words that matter here.
        if (code !== 71) break;
      } else {
        value[code - 65] = this.last;
        given[code - 65] = 1;
      }
    }
    if (letter === 77 && PAUSES.has(number)) return;
    this.count++;
    if (letter === 71) this.does(number);
    else if (letter === 77 && (number === 82 || number === 83)) this.absoluteE = number === 82;
  }

  private last = 0;

  /** Read a number, its sign and blanks before it; it lies in `last`. */
  private number(at: number, end: number): number {
    const { bytes } = this;
    let sign = 1;
    let whole = 0;
    let scale = 0;
    for (; at < end; at++) {
      const code = bytes[at]!;
      if (code >= 48 && code <= 57) {
        whole = whole * 10 + code - 48;
        scale *= 10;
      } else if (code === 46) scale = 1;
      else if (code === 45) sign = -1;
      else if (code !== 43 && code !== 32) break;
    }
    this.last = (sign * whole) / (scale || 1);
    return at;
  }

  private does(number: number): void {
    const { value, given, place } = this;
    if (number <= 3) this.move(number);
    else if (number === 90 || number === 91) this.absolute = this.absoluteE = number === 90;
    else if (number === 20 || number === 21) this.unit = number === 20 ? INCH_MM : 1;
    else if (number === 28) {
      const all = !given[23] && !given[24] && !given[25];
      for (let axis = 0; axis < 3; axis++) if (all || given[23 + axis]) place[axis] = 0;
    } else if (number === 92) {
      for (let axis = 0; axis < 3; axis++) if (given[23 + axis]) place[axis] = value[23 + axis]! * this.unit;
      if (given[4]) this.e = value[4]!;
    }
  }

  private move(number: number): void {
    const { value, given, place, unit } = this;
    const [x, y, z] = [place[0]!, place[1]!, place[2]!];
    for (let axis = 0; axis < 3; axis++) {
      if (!given[23 + axis]) continue;
      const said = value[23 + axis]! * unit;
      place[axis] = this.absolute ? said : place[axis]! + said;
    }
    let extruded = 0;
    if (given[4]) {
      extruded = this.absoluteE ? value[4]! - this.e : value[4]!;
      this.e = this.absoluteE ? value[4]! : this.e + extruded;
    }
    const moved = place[0] !== x || place[1] !== y || place[2] !== z;
    if (number >= 2 && (given[8] || given[9])) this.arc([x, y, z], number === 2, extruded > 0);
    else if (moved) this.draw(x, y, z, place[0]!, place[1]!, place[2]!, extruded > 0);
  }

  private arc([x, y, z]: [number, number, number], clockwise: boolean, prints: boolean): void {
    const { place, value, given, unit } = this;
    const [i, j] = [given[8] ? value[8]! * unit : 0, given[9] ? value[9]! * unit : 0];
    const [middleX, middleY, radius] = [x + i, y + j, Math.hypot(i, j)];
    const begin = Math.atan2(-j, -i);
    let sweep = Math.atan2(place[1]! - middleY, place[0]! - middleX) - begin;
    if (clockwise && sweep >= -1e-9) sweep -= 2 * Math.PI;
    else if (!clockwise && sweep <= 1e-9) sweep += 2 * Math.PI;
    const steps = Math.max(1, Math.min(128, Math.ceil((Math.abs(sweep) * radius) / ARC_STEP_MM)));
    let from = [x, y, z] as const;
    for (let step = 1; step <= steps; step++) {
      const part = step / steps;
      const angle = begin + sweep * part;
      const to = step === steps ? [place[0]!, place[1]!, place[2]!] as const
        : [middleX + radius * Math.cos(angle), middleY + radius * Math.sin(angle), z + (place[2]! - z) * part] as const;
      this.draw(...from, ...to, prints);
      from = to;
    }
  }

  private draw(x: number, y: number, z: number, toX: number, toY: number, toZ: number, prints: boolean): void {
    if (!prints) {
      this.close();
      this.travel.add(x, y, z, toX, toY, toZ);
      return;
    }
    if (toZ > this.top + RISES_MM) {
      this.close();
      this.ended(this.byHeight, this.top);
      this.top = toZ;
    }
    if (Number.isNaN(this.layerHeight)) this.layerHeight = toZ;
    const { open } = this;
    const grows = this.openKind === this.kind && open[3] === x && open[4] === y && open[5] === z
      && Math.hypot(x - open[0]!, y - open[1]!) < this.least_mm;
    if (!grows) {
      this.close();
      open[0] = x;
      open[1] = y;
      open[2] = z;
    }
    open[3] = toX;
    open[4] = toY;
    open[5] = toZ;
    this.openKind = this.kind;
    this.openCount = this.count;
  }

  /** Keep the line that was open. */
  private close(): void {
    if (this.openKind < 0) return;
    const { open } = this;
    this.printed.add(open[0]!, open[1]!, open[2]!, open[3]!, open[4]!, open[5]!);
    (this.openKind === OTHER ? this.all : this.part).take(open);
    // Walls that look another way have another light: a heap of lines gets a shape.
    const light = 165 + 90 * Math.abs(Math.cos(Math.atan2(open[4]! - open[1]!, open[3]! - open[0]!) - 0.6));
    this.looks.add(this.openKind, light, this.openKind, light);
    this.kinds.add(this.openKind);
    this.commands.add(this.openCount);
    this.openKind = -1;
  }
}
