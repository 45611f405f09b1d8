// CuraEngine compiled to WebAssembly, run once: a model and arguments in, G-code out.
//
//     node curawasm.mjs CuraEngine.js arguments.json model.stl plate.gcode
//
// The engine sees a file system in memory with one file in it. What it says goes to standard output.

import fs from "node:fs";
import { createRequire } from "node:module";

const [engine, commands, model, output] = process.argv.slice(2);

// It calls these whether somebody listens or not.
globalThis["cura-wasm-progress-callback"] = () => undefined;
globalThis["cura-wasm-metadata-callback"] = () => undefined;

// The file is written for bundlers: half a module, half a script.
const source = fs.readFileSync(engine, "utf8").replace(/export default CuraEngine;\s*$/, "return CuraEngine;");
const load = new Function("require", "__filename", "__dirname", source);

try {
  const cura = await load(createRequire(import.meta.url), engine, ".")({
    noInitialRun: true,
    print: (line) => console.log(line),
    printErr: (line) => console.log(line),
  });
  cura.FS.writeFile("/model.stl", fs.readFileSync(model));
  cura.callMain(JSON.parse(fs.readFileSync(commands, "utf8")));
  fs.writeFileSync(output, cura.FS.readFile("/plate.gcode"));
} catch (error) {
  console.log(`failed: ${error?.message ?? error}`);
  process.exitCode = error?.status || 70;
}
