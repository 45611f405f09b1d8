/** Code of one's own: what a part is made of without asking anybody, with an example to begin with. */

import { useEffect, useRef, useState, type ReactNode } from "react";

const HOOK = `// An S-hook: one end goes over a rail, the other holds something.

// how thick the rail is, in mm
rail = 25; // [5:60]
// how wide the other end is, in mm
hook = 30; // [5:80]
// how wide the hook is, in mm
width = 15; // [5:40]
// how thick its walls are, in mm
wall = 4; // [2:0.5:10]

module bow(inside) {
    difference() {
        cube([inside + 2 * wall, inside + wall, width]);
        translate([wall, wall, -1]) cube([inside, inside + 1, width + 2]);
    }
}

bow(rail);
translate([rail + wall, 0, 0]) mirror([0, 1, 0]) translate([0, -wall, 0]) bow(hook);
`;

const PARAMS = `from dataclasses import dataclass


@dataclass
class Params:
    width: float = 60.0  # [20:200] how wide, in mm
    depth: float = 20.0  # [10:100] how deep, in mm
    height: float = 8.0  # [4:50] how high, in mm


`;

/** By the provider's language: something small that can be made at once, with measures to change. */
const EXAMPLES: Readonly<Record<string, string>> = {
  openscad: HOOK,
  build123d: `from build123d import *
${PARAMS}def build(params: Params):
    with BuildPart() as part:
        Box(params.width, params.depth, params.height)
        fillet(part.edges().filter_by(Axis.Z), radius=3)
    return part.part
`,
  cadquery: `import cadquery as cq
${PARAMS}def build(params: Params):
    return cq.Workplane().box(params.width, params.depth, params.height).edges("|Z").fillet(3)
`,
  freecad: `import Part
${PARAMS}def build(params: Params):
    return Part.makeBox(params.width, params.depth, params.height)
`,
};

interface Written {
  language: string;
  /** Nothing else can be asked for, so it stands open. */
  alone: boolean;
  changed: () => void;
}

export function OwnCode({ language, alone, changed }: Written): ReactNode {
  const [code, setCode] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  // An example is no typing: the form does not hear of it by itself.
  useEffect(changed, [code, changed]);
  const example = EXAMPLES[language];
  const editor = (
    <>
      <label>Code
        <textarea ref={field} name="code" rows={alone ? 16 : 10} className="code" spellCheck={false} value={code}
          onChange={(event) => setCode(event.target.value)} />
      </label>
      {example && !code && (
        <p><button type="button" onClick={() => {
          setCode(example);
          field.current?.focus();
        }}>Begin with an example</button></p>
      )}
      <p className="faint">It is rendered at the farm, shut in, and nobody is asked. Its measures become a form, with the comments beside them.</p>
    </>
  );
  if (alone) return <div className="own-code">{editor}</div>;
  return <details><summary>With code of your own{language && ` (${language})`}</summary>{editor}</details>;
}
