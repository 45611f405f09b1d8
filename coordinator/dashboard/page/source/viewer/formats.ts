/** The formats that the viewer shows. STEP and AMF are meshed at the farm, not here. */
export const SHOWN: ReadonlySet<string> = new Set(["stl", "3mf", "glb", "obj", "ply"]);
