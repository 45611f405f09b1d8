/** The lines of a plate, drawn as far as one wants to look: all of them lie in the graphics memory once. Knows no page. */

import {
  BufferAttribute, BufferGeometry, Box3, Color, Group, LineBasicMaterial, LineSegments, ShaderMaterial, Vector3,
} from "three";
import { KINDS, PALETTE } from "./palette";
import { Stage } from "./stage";
import type { Batch } from "./toolpath";

/** From the lowest layer to the highest. */
const LOW = new Color("#3566c9");
const MIDDLE = new Color("#2fa36b");
const HIGH = new Color("#e0852b");
const AWAY = new Color("#8f9892");

export type Colours = "kind" | "height";

export interface Look {
  /** The first layer is 1. */
  layer: number;
  /** Of this layer only what is printed by so many commands of the file; all of it where it is null. */
  commands: number | null;
  travel: boolean;
  alone: boolean;
  colours: Colours;
}

const VERTEX = `
attribute vec2 look;
uniform vec3 palette[${KINDS.length}];
uniform vec3 low; uniform vec3 middle; uniform vec3 high; uniform vec3 away;
uniform float floor_mm; uniform float height_mm; uniform float byHeight; uniform float strength;
varying vec3 tint;
void main() {
  vec3 kind = palette[int(look.x + 0.5)];
  float part = clamp((position.z - floor_mm) / height_mm, 0.0, 1.0);
  vec3 raised = part < 0.5 ? mix(low, middle, part * 2.0) : mix(middle, high, part * 2.0 - 1.0);
  tint = mix(away, mix(kind, raised, byHeight) * (look.y / 255.0), strength);
  gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
}`;
const FRAGMENT = `
varying vec3 tint;
void main() {
  gl_FragColor = vec4(tint, 1.0);
  #include <colorspace_fragment>
}`;

/** Some layers, as the graphics memory has them: what is below is drawn as a shell, the layer that is looked at whole. */
interface Drawn {
  batch: Batch;
  below: LineSegments<BufferGeometry, ShaderMaterial>;
  here: LineSegments<BufferGeometry, ShaderMaterial>;
  moves: LineSegments<BufferGeometry, LineBasicMaterial>;
}

export class LayersScene {
  private readonly stage: Stage;
  private readonly all = new Group();
  private readonly batches: Drawn[] = [];
  private readonly below = material();
  private readonly here = material();
  private readonly moved = new LineBasicMaterial({ color: 0x9a62c7, transparent: true, opacity: 0.55 });

  /** Draw on a canvas; `element` tells what is done to it. Throws where the browser has no WebGL. */
  constructor(canvas: HTMLCanvasElement | OffscreenCanvas, element: HTMLElement) {
    this.stage = new Stage(canvas, element, { smooth: false });
  }

  /** Take further layers; it is shown in the middle of all that there is. */
  add(batch: Batch): void {
    const places = new BufferAttribute(batch.printed, 3);
    const looks = new BufferAttribute(batch.looks, 2);
    const lines = (of: ShaderMaterial): LineSegments<BufferGeometry, ShaderMaterial> => {
      const drawn = new LineSegments(new BufferGeometry().setAttribute("position", places).setAttribute("look", looks), of);
      drawn.frustumCulled = false;
      return drawn;
    };
    const below = lines(this.below);
    // What is inside of the layers below is hidden by what is around it: it need not be drawn.
    below.geometry.setIndex(new BufferAttribute(batch.shell, 1));
    const here = lines(this.here);
    const moves = new LineSegments(new BufferGeometry().setAttribute("position", new BufferAttribute(batch.travel, 3)), this.moved);
    moves.frustumCulled = false;
    this.batches.push({ batch, below, here, moves });
    this.all.add(below, here, moves);
    const box = new Box3(new Vector3(...batch.box.slice(0, 3)), new Vector3(...batch.box.slice(3)));
    for (const { uniforms } of [this.below, this.here]) {
      uniforms.floor_mm!.value = box.min.z;
      uniforms.height_mm!.value = Math.max(0.01, box.max.z - box.min.z);
    }
    this.stage.show(this.all, box);
  }

  /** Return how many lines of plastic are looked at, those inside of the layers below among them. */
  show({ layer, commands, travel, alone, colours }: Look): number {
    const shown = this.batches.findLast(({ batch }) => batch.layersBefore < layer)?.batch;
    if (!shown) return 0;
    const at = layer - shown.layersBefore - 1;
    const begin = at ? shown.printedEnds[at - 1]! : shown.linesBefore;
    const whole = shown.printedEnds[at] ?? begin;
    const end = commands === null ? whole : Math.max(begin, Math.min(whole, shown.linesBefore + first(shown.commands, commands + 1)));
    const newest = this.batches.at(-1)!.batch;
    const last = layer >= newest.layersBefore + newest.heights.length && commands === null;
    for (const { batch, below, here, moves } of this.batches) {
      const isHere = batch === shown;
      below.visible = !alone && batch.linesBefore < begin;
      below.geometry.setDrawRange(0, isHere ? first(batch.shell, (begin - batch.linesBefore) * 2) : Infinity);
      here.visible = isHere;
      if (isHere) here.geometry.setDrawRange((begin - batch.linesBefore) * 2, (end - begin) * 2);
      moves.visible = travel && isHere;
      const from = at ? shown.travelEnds[at - 1]! : shown.movesBefore;
      if (isHere) moves.geometry.setDrawRange((from - batch.movesBefore) * 2, ((batch.travelEnds[at] ?? from) - from) * 2);
    }
    for (const [{ uniforms }, strength] of [[this.below, last ? 1 : 0.3], [this.here, 1]] as const) {
      uniforms.byHeight!.value = colours === "height" ? 1 : 0;
      uniforms.strength!.value = strength;
    }
    this.stage.draw();
    return alone ? end - begin : end;
  }

  fit(width: number, height: number, ratio: number): void {
    this.stage.fit(width, height, ratio);
  }

  close(): void {
    this.stage.close();
  }
}

/** How many of the numbers, which only grow, are below a limit. */
function first(numbers: Uint32Array, limit: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

function material(): ShaderMaterial {
  return new ShaderMaterial({
    vertexShader: VERTEX,
    fragmentShader: FRAGMENT,
    uniforms: {
      palette: { value: PALETTE.map((each) => new Color(each)) },
      low: { value: LOW }, middle: { value: MIDDLE }, high: { value: HIGH }, away: { value: AWAY },
      floor_mm: { value: 0 }, height_mm: { value: 1 },
      byHeight: { value: 0 }, strength: { value: 1 },
    },
  });
}
