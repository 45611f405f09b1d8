/** The lines of a plate, drawn as far as one wants to look: all of them lie in the graphics memory once. */

import {
  BufferAttribute, BufferGeometry, Box3, Color, Group, LineBasicMaterial, LineSegments, ShaderMaterial, Vector3,
} from "three";
import { ModelScene } from "./scene";
import { KINDS, type Toolpath } from "./toolpath";

/** One colour for each of `KINDS`, to be told apart on light and on dark ground. */
export const PALETTE = ["#d9731a", "#b58900", "#3f8fd2", "#5b6fd6", "#2e9e62", "#c4456b", "#7a8b3d", "#3fa7a0", "#8a8f8c"] as const;
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

export class LayersScene {
  private readonly stage: ModelScene;
  private readonly below: LineSegments<BufferGeometry, ShaderMaterial>;
  private readonly here: LineSegments<BufferGeometry, ShaderMaterial>;
  private readonly moves: LineSegments<BufferGeometry, LineBasicMaterial>;

  /** Draw into an element. Throws where the browser has no WebGL. */
  constructor(host: HTMLElement, private readonly path: Toolpath) {
    this.stage = new ModelScene(host, { smooth: false });
    const box = new Box3(new Vector3(...path.box.slice(0, 3)), new Vector3(...path.box.slice(3)));
    const places = new BufferAttribute(path.printed, 3);
    const looks = new BufferAttribute(path.looks, 2);
    const lines = (): LineSegments<BufferGeometry, ShaderMaterial> => {
      const geometry = new BufferGeometry().setAttribute("position", places).setAttribute("look", looks);
      geometry.boundingBox = box;
      const drawn = new LineSegments(geometry, material(box));
      drawn.frustumCulled = false;
      return drawn;
    };
    this.below = lines();
    // What is inside of the layers below is hidden by what is around it: it need not be drawn.
    this.below.geometry.setIndex(new BufferAttribute(path.shell, 1));
    this.here = lines();
    const moved = new BufferGeometry().setAttribute("position", new BufferAttribute(path.travel, 3));
    moved.boundingBox = box;
    this.moves = new LineSegments(moved, new LineBasicMaterial({ color: 0x9a62c7, transparent: true, opacity: 0.55 }));
    this.moves.frustumCulled = false;
    this.stage.show(new Group().add(this.below, this.here, this.moves));
  }

  /** Return how many lines of plastic are looked at, those inside of the layers below among them. */
  show({ layer, commands, travel, alone, colours }: Look): number {
    const { printedEnds, travelEnds } = this.path;
    const begin = layer > 1 ? printedEnds[layer - 2]! : 0;
    const whole = printedEnds[layer - 1] ?? 0;
    const end = commands === null ? whole : Math.max(begin, Math.min(whole, first(this.path.commands, commands + 1)));
    const last = layer >= printedEnds.length && commands === null;
    this.below.geometry.setDrawRange(0, first(this.path.shell, begin * 2));
    this.below.visible = !alone;
    this.here.geometry.setDrawRange(begin * 2, (end - begin) * 2);
    for (const [lines, strength] of [[this.below, last ? 1 : 0.3], [this.here, 1]] as const) {
      lines.material.uniforms.byHeight!.value = colours === "height" ? 1 : 0;
      lines.material.uniforms.strength!.value = strength;
    }
    const from = layer > 1 ? travelEnds[layer - 2]! : 0;
    this.moves.geometry.setDrawRange(from * 2, ((travelEnds[layer - 1] ?? 0) - from) * 2);
    this.moves.visible = travel;
    this.stage.draw();
    return alone ? end - begin : end;
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

function material(box: Box3): ShaderMaterial {
  return new ShaderMaterial({
    vertexShader: VERTEX,
    fragmentShader: FRAGMENT,
    uniforms: {
      palette: { value: PALETTE.map((each) => new Color(each)) },
      low: { value: LOW }, middle: { value: MIDDLE }, high: { value: HIGH }, away: { value: AWAY },
      floor_mm: { value: box.min.z }, height_mm: { value: Math.max(0.01, box.max.z - box.min.z) },
      byHeight: { value: 0 }, strength: { value: 1 },
    },
  });
}
