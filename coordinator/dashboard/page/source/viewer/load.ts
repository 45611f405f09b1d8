/** Meshes of the formats that the farm keeps, as triangles to draw. Loaded only when somebody looks at one. */

import { BufferGeometry, Group, Mesh, MeshStandardMaterial, type Object3D } from "three";
import { ThreeMFLoader } from "three/addons/loaders/3MFLoader.js";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { OBJLoader } from "three/addons/loaders/OBJLoader.js";
import { PLYLoader } from "three/addons/loaders/PLYLoader.js";
import { STLLoader } from "three/addons/loaders/STLLoader.js";

export const PLASTIC = 0xc8711f;

function solid(geometry: BufferGeometry): Object3D {
  if (!geometry.hasAttribute("normal")) geometry.computeVertexNormals();
  return new Mesh(geometry, new MeshStandardMaterial({ color: PLASTIC, roughness: 0.75, flatShading: !geometry.index }));
}

/** Give what has no colour of its own that of plastic: white on light ground is hard to see. Metal would mirror a dark room. */
function tinted(group: Object3D): Object3D {
  group.traverse((each) => {
    if (!(each instanceof Mesh)) return;
    for (const material of [each.material].flat()) {
      if (material instanceof MeshStandardMaterial) material.metalness = 0;
      const { color, map, vertexColors } = material as MeshStandardMaterial;
      if (!map && !vertexColors && color?.getHex() === 0xffffff) color.set(PLASTIC);
    }
  });
  return group;
}

/** Return what is in a file, Z up, in the file's own unit. Throws where it can't be read. */
export async function load(bytes: ArrayBuffer, suffix: string): Promise<Object3D> {
  switch (suffix) {
    case "stl":
      return solid(new STLLoader().parse(bytes));
    case "ply":
      return solid(new PLYLoader().parse(bytes));
    case "3mf":
      return tinted(new ThreeMFLoader().parse(bytes));
    case "obj":
      return tinted(new OBJLoader().parse(new TextDecoder().decode(bytes)));
    case "glb": {
      const { scene } = await new GLTFLoader().parseAsync(bytes, "");
      scene.rotation.x = Math.PI / 2; // glTF has Y up
      return tinted(new Group().add(scene));
    }
    default:
      throw new Error(`files ending in .${suffix} can't be shown here`);
  }
}
