"""Measure making models printable: seconds and memory by size, beside trimesh's load and export.

Usage: ./farmhand bench printable [part ...] [--trials n]
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from slicing import stl
from tests.benchmarks.slicing import run_parts
from tests.benchmarks.slicing_pipeline import TELLING, Cost, run, sliced
from tests.fakes.meshes import ball, stored

Line = tuple[bool | None, str]

# Rings of a bumpy ball that has so many triangles: 4 x rings x (rings - 1).
SIZES = {"20k": 71, "200k": 224, "2M": 708}

# What trimesh alone does: read the file, make equal corners one, write it as 3MF.
_PEER = (
    "import resource, sys, trimesh; trimesh.load_mesh(sys.argv[1]).export(sys.argv[2])\n"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
)

# A clip for a rail, as people write them: rounded, with holes.
_SCAD = """
$fn = 96;
module rounded(x, y, z, r) {
    hull() for (a = [r, x - r], b = [r, y - r]) translate([a, b, 0]) cylinder(h = z, r = r);
}
difference() {
    union() {
        rounded(60, 40, 6, 5);
        translate([10, 15, 0]) rounded(40, 10, 35, 4);
        translate([30, 20, 35]) rotate([90, 0, 0]) cylinder(h = 10, r = 14, center = true);
    }
    translate([30, 20, 35]) rotate([90, 0, 0]) cylinder(h = 30, r = 8, center = true);
    for (a = [8, 52], b = [8, 32]) translate([a, b, -1]) cylinder(h = 9, r = 2.2);
}
"""


def wish(model: Path, folder: Path, **changes: object) -> str:
    """Return a request for a printable model."""
    request = {
        "kind": "make",
        "model_path": str(model),
        "output_folder": str(folder),
        "printers": ["farmhand-220"],
        **changes,
    }
    return json.dumps(request)


def sizes(trials: int, *, rings: dict[str, int] | None = None) -> Iterator[Line]:
    """Yield CPU seconds and peak memory by the number of triangles, and the ratio to trimesh's."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        model = folder / "potato.stl"
        ours = [sys.executable, "-c", TELLING]
        for words, count in (rings or SIZES).items():
            corners = stored(ball(30.0, count, 0.3))
            stl.write(corners, model)
            run(ours, said=wish(model, folder))  # what is compiled once
            made = [run(ours, said=wish(model, folder)) for _ in range(trials)]
            plain = [
                run([sys.executable, "-c", _PEER, model, folder / "peer.3mf"])
                for _ in range(trials)
            ]
            mine, theirs = (median(one.cpu_s for one in some) for some in (made, plain))
            peaks = (_peak_mib(made, 4), _peak_mib(plain, 1))
            told = f"{words:>5}: {len(corners):,} triangles: "
            told += f"{mine:.2f} CPU s, {peaks[0]:,.0f} MiB; "
            told += f"trimesh load and export {theirs:.2f} CPU s, {peaks[1]:,.0f} MiB; "
            told += f"ratio {mine / theirs:.2f}, memory {peaks[0] / peaks[1]:.2f}"
            yield None, told


def openscad(trials: int) -> Iterator[Line]:
    """Yield how long OpenSCAD's STL takes to a plate, step by step."""
    program = shutil.which("openscad")
    if program is None:
        yield None, "openscad: not installed"
        return
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "clip.scad").write_text(_SCAD)
        drawn = folder / "clip.stl"
        ours = [sys.executable, "-m", "slicing"]
        costs: dict[str, list[Cost]] = {"openscad": [], "make printable": [], "slice": []}
        for _ in range(trials):
            drawing = run([program, "-o", drawn, folder / "clip.scad"])
            costs["openscad"].append(drawing)
            costs["make printable"].append(run(ours, said=wish(drawn, folder)))
            costs["slice"].append(run(ours, said=sliced(folder / "model.3mf", folder)))
        for words, some in costs.items():
            cpu_s, wall_s = (
                median(figure) for figure in zip(*((o.cpu_s, o.wall_s) for o in some), strict=True)
            )
            yield None, f"{words:>15}: {cpu_s:6.2f} CPU s {wall_s:6.2f} s"


def _peak_mib(costs: Sequence[Cost], words: int) -> float:
    """Return the middle peak of memory, which is the first of a process's last so many words."""
    return median(int(one.errors.split()[-words]) / 1024 for one in costs)


PARTS: dict[str, Callable[[int], Iterator[Line]]] = {"sizes": sizes, "openscad": openscad}


def main(argv: Sequence[str]) -> int:
    """Run the benchmark; returns 0 when no target was missed, else 1."""
    return run_parts("farmhand bench printable", __doc__ or "", PARTS, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
