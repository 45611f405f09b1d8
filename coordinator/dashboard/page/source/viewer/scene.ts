/** A model on a bed of light, to be turned: plain three.js, drawn only when something moved. */

import {
  AmbientLight, Box3, BufferGeometry, Color, DirectionalLight, GridHelper, Mesh, PerspectiveCamera, Scene, Vector3,
  WebGLRenderer, type Material, type Object3D,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";

export interface Size {
  x: number;
  y: number;
  z: number;
  triangles: number;
}

const GRID_STEP_MM = 10;

export class ModelScene {
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(40, 1, 0.1, 100_000);
  private readonly renderer: WebGLRenderer;
  private readonly controls: OrbitControls;
  private readonly watcher: ResizeObserver;
  private frame = 0;

  /**
   * Draw into an element, as large as that is. Throws where the browser has no WebGL.
   *
   * `smooth` costs four times the drawing: too much for a hundred thousand lines where no graphics card helps.
   */
  constructor(private readonly host: HTMLElement, { smooth = true } = {}) {
    this.renderer = new WebGLRenderer({ antialias: smooth, alpha: true });
    this.renderer.setPixelRatio(Math.min(window.devicePixelRatio, 2));
    host.append(this.renderer.domElement);
    this.camera.up.set(0, 0, 1);
    this.controls = new OrbitControls(this.camera, this.renderer.domElement);
    this.controls.addEventListener("change", () => this.draw());
    this.scene.add(new AmbientLight(0xffffff, 1.1));
    for (const [x, y, z, strength] of [[1, -1.5, 2, 2], [-2, 1, 1, 0.8]] as const) {
      const light = new DirectionalLight(0xffffff, strength);
      light.position.set(x, y, z);
      this.scene.add(light);
    }
    this.watcher = new ResizeObserver(() => this.fit());
    this.watcher.observe(host);
  }

  /** Show a model from above and before it; return how large it is. */
  show(model: Object3D): Size {
    model.updateMatrixWorld(true);
    const box = new Box3().setFromObject(model);
    const size = box.getSize(new Vector3());
    const middle = box.getCenter(new Vector3());
    model.position.sub(new Vector3(middle.x, middle.y, box.min.z));
    this.scene.add(model);
    const reach = Math.max(size.x, size.y, size.z);
    const steps = Math.max(4, Math.ceil((reach * 1.6) / GRID_STEP_MM));
    const grid = new GridHelper(steps * GRID_STEP_MM, steps, new Color(0x7a857e), new Color(0xaab3ad));
    grid.rotation.x = Math.PI / 2;
    this.scene.add(grid);
    this.controls.target.set(0, 0, size.z / 2);
    // Where there is less room beside it than above it, from further away.
    const away = reach * Math.max(1, (1.2 * this.host.clientHeight) / (this.host.clientWidth || 1));
    this.camera.position.set(away * 0.9, -away * 1.5, away * 1.1 + size.z / 2);
    this.camera.near = reach / 100;
    this.camera.far = reach * 50;
    this.controls.update();
    this.fit();
    return { x: size.x, y: size.y, z: size.z, triangles: triangles(model) };
  }

  close(): void {
    this.watcher.disconnect();
    cancelAnimationFrame(this.frame);
    this.controls.dispose();
    this.scene.traverse((each) => {
      const { geometry, material } = each as Partial<Mesh>;
      if (geometry instanceof BufferGeometry) geometry.dispose();
      for (const one of [material ?? []].flat() as Material[]) one.dispose();
    });
    this.renderer.dispose();
    this.renderer.domElement.remove();
  }

  private fit(): void {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!width || !height) return;
    this.renderer.setSize(width, height);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.draw();
  }

  /** Draw with the browser's next frame; asked often, it is drawn once. */
  draw(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.renderer.render(this.scene, this.camera);
    });
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
