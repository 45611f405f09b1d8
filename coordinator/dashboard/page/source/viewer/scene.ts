/** A model on its stage, as large as an element of the page. */

import { Box3, Mesh, type Object3D } from "three";
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

  /** Show a model; return how large it is. */
  show(model: Object3D): Size {
    model.updateMatrixWorld(true);
    const { x, y, z } = this.stage.show(model, new Box3().setFromObject(model));
    return { x, y, z, triangles: triangles(model) };
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
