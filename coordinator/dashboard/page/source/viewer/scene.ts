/** A model on its stage, as large as an element of the page. */

import { Box3, Group, Mesh, Vector3, type Object3D } from "three";
import { Stage } from "./stage";

export interface Size {
  x: number;
  y: number;
  z: number;
  triangles: number;
}

export class ModelScene {
  private readonly stage: Stage;
  private readonly watcher: ResizeObserver;

  /** Draw into an element. Throws where the browser has no WebGL. */
  constructor(host: HTMLElement) {
    const canvas = document.createElement("canvas");
    host.append(canvas);
    this.stage = new Stage(canvas, canvas);
    const fit = (): void => this.stage.fit(host.clientWidth, host.clientHeight, window.devicePixelRatio);
    fit();
    this.watcher = new ResizeObserver(fit);
    this.watcher.observe(host);
  }

  /**
   * Show a model; return how large it is, in millimetres.
   *
   * Files have units of their own (GLB metres, 3MF any): `longest_mm` is what the farm found its longest side to be,
   * null where nobody looked, and then the file's numbers are taken for millimetres.
   */
  show(model: Object3D, longest_mm: number | null): Size {
    const whole = new Group().add(model);
    const { x, y, z } = new Box3().setFromObject(whole).getSize(new Vector3());
    const longest = Math.max(x, y, z);
    if (longest_mm && longest > 0) whole.scale.setScalar(longest_mm / longest);
    whole.updateMatrixWorld(true);
    const size = this.stage.show(whole, new Box3().setFromObject(whole));
    return { x: size.x, y: size.y, z: size.z, triangles: triangles(model) };
  }

  close(): void {
    this.watcher.disconnect();
    this.stage.close();
  }
}

function triangles(model: Object3D): number {
  let count = 0;
  model.traverse((each) => {
    if (!(each instanceof Mesh)) return;
    const { index, attributes } = each.geometry;
    count += (index ? index.count : attributes.position?.count ?? 0) / 3;
  });
  return Math.round(count);
}
