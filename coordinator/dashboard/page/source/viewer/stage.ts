/** Something on a bed of light, to be turned: plain three.js, drawn only when something moved. Knows no page. */

import { AmbientLight, Box3, BufferGeometry, Color, DirectionalLight, GridHelper, Mesh, PerspectiveCamera, Scene, Vector3, WebGLRenderer, type Material, type Object3D } from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";

const GRID_STEP_MM = 10;

export class Stage {
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(40, 1, 0.1, 100_000);
  private readonly renderer: WebGLRenderer;
  private readonly controls: OrbitControls;
  private grid: GridHelper | null = null;
  private frame = 0;
  /** Whether somebody turned it: then it is not turned by itself any more. */
  private turned = false;
  private width = 0;
  private height = 0;

  /**
   * Draw on a canvas. Throws where the browser has no WebGL.
   *
   * `smooth` costs four times the drawing: too much for a hundred thousand lines where no graphics card helps.
   */
  constructor(canvas: HTMLCanvasElement | OffscreenCanvas, private readonly element: HTMLElement, { smooth = true } = {}) {
    this.renderer = new WebGLRenderer({ canvas, antialias: smooth, alpha: true });
    this.camera.up.set(0, 0, 1);
    this.controls = new OrbitControls(this.camera, element);
    this.controls.addEventListener("change", () => this.draw());
    this.controls.addEventListener("start", () => { this.turned = true; });
    this.scene.add(new AmbientLight(0xffffff, 1.1));
    for (const [x, y, z, strength] of [[1, -1.5, 2, 2], [-2, 1, 1, 0.8]] as const) {
      const light = new DirectionalLight(0xffffff, strength);
      light.position.set(x, y, z);
      this.scene.add(light);
    }
  }

  /** Show something that fills a box, from above and before it; return how large it is. */
  show(model: Object3D, box: Box3): Vector3 {
    const size = box.getSize(new Vector3());
    const middle = box.getCenter(new Vector3());
    model.position.set(0, 0, 0).sub(new Vector3(middle.x, middle.y, box.min.z));
    this.scene.add(model);
    const reach = Math.max(size.x, size.y, size.z);
    this.lay(reach);
    if (this.turned) return size;
    this.controls.target.set(0, 0, size.z / 2);
    // Where there is less room beside it than above it, from further away.
    const away = reach * Math.max(1, (1.2 * this.height) / (this.width || 1));
    this.camera.position.set(away * 0.9, -away * 1.5, away * 1.1 + size.z / 2);
    this.camera.near = reach / 100;
    this.camera.far = reach * 50;
    this.camera.updateProjectionMatrix();
    this.controls.update();
    this.draw();
    return size;
  }

  /** The canvas is so large now, in the page's pixels, of which each has so many of the screen's. */
  fit(width: number, height: number, ratio: number): void {
    if (!width || !height) return;
    this.width = width;
    this.height = height;
    this.renderer.setPixelRatio(Math.min(ratio, 2));
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.draw();
  }

  /** Draw with the next frame; asked often, it is drawn once. */
  draw(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.renderer.render(this.scene, this.camera);
    });
  }

  close(): void {
    cancelAnimationFrame(this.frame);
    this.controls.dispose();
    this.scene.traverse((each) => {
      const { geometry, material } = each as Partial<Mesh>;
      if (geometry instanceof BufferGeometry) geometry.dispose();
      for (const one of [material ?? []].flat() as Material[]) one.dispose();
    });
    this.renderer.dispose();
    this.element.remove();
  }

  private lay(reach: number): void {
    const steps = Math.max(4, Math.ceil((reach * 1.6) / GRID_STEP_MM));
    if (this.grid) {
      this.scene.remove(this.grid);
      this.grid.dispose();
    }
    this.grid = new GridHelper(steps * GRID_STEP_MM, steps, new Color(0x7a857e), new Color(0xaab3ad));
    this.grid.rotation.x = Math.PI / 2;
    this.scene.add(this.grid);
  }
}
