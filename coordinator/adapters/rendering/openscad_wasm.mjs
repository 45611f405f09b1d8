// OpenSCAD compiled to WebAssembly, run once on the files of the current folder.
//
//     node openscad_wasm.mjs openscad.mjs LIBRARY_FOLDER...
//
// model.scad and parameters.json become model.stl. OpenSCAD sees a file system in memory that holds
// these two and the libraries that the code names, and nothing else.

import fs from "node:fs";
import path from "node:path";

const [engine, ...folders] = process.argv.slice(2);
const { createOpenSCAD } = await import(engine);
const source = fs.readFileSync("model.scad", "utf8");

const scad = (
  await createOpenSCAD({
    noInitialRun: true,
    print: (line) => console.error(line),
    printErr: (line) => console.error(line),
  })
).getInstance();

function copy(from, to) {
  scad.FS.mkdirTree(to);
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [here, there] = [path.join(from, entry.name), `${to}/${entry.name}`];
    if (entry.isDirectory()) copy(here, there);
    else if (entry.isFile()) scad.FS.writeFile(there, fs.readFileSync(here));
  }
}

// This build looks for fonts in /fonts, and has none.
function addFonts(folder, most) {
  scad.FS.mkdirTree("/fonts");
  const config = "<fontconfig><dir>/fonts</dir><cachedir>/tmp</cachedir></fontconfig>";
  scad.FS.writeFile("/fonts/fonts.conf", config);
  const names = fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true }) : [];
  for (const name of names.filter((each) => /\.(ttf|otf)$/i.test(each)).slice(0, most))
    scad.FS.writeFile(`/fonts/${path.basename(name)}`, fs.readFileSync(path.join(folder, name)));
}

for (const [, name] of source.matchAll(/(?:include|use)\s*<\s*([\w.-]+)\//g)) {
  const found = folders.map((folder) => path.join(folder, name)).find((each) => fs.existsSync(each));
  if (found && !scad.FS.analyzePath(`/${name}`).exists) copy(found, `/${name}`);
}
if (/\btext\s*\(/.test(source)) addFonts("/usr/share/fonts", 40);
scad.FS.writeFile("/model.scad", source);
scad.FS.writeFile("/parameters.json", fs.readFileSync("parameters.json"));

let status = 70;
try {
  status = scad.callMain([
    "--backend=manifold",
    "--export-format=binstl",
    ...["-p", "/parameters.json", "-P", "farm"],
    ...["-o", "/model.stl", "/model.scad"],
  ]);
  if (status === 0) fs.writeFileSync("model.stl", scad.FS.readFile("/model.stl"));
} catch (error) {
  console.error(`ERROR: OpenSCAD broke down: ${error?.message ?? error}`);
  status = status || 70;
}
process.exit(status);
