"""No bad model is called printable, no good one refused: `prove printable --bad 100 --good 60`.

Each goes through the process that a coordinator would start. A bad one has to be refused with its
code, or to be told with the words that belong to what is wrong with it. A good one has no fault,
keeps its volume (but where bodies overlapped), and comes back from a GLB (metres, Y up) as large.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from slicing import stl
from slicing.geometry import load
from slicing.request import Limits
from slicing.topology import volume
from tests.fakes.bad_files import FILES
from tests.fakes.bad_models import MESHES
from tests.fakes.good_models import generated, real
from tests.fakes.meshes import Corners

SIZE_TOLERANCE = 1e-3
BAD = (*MESHES, *FILES)


def said_of(path: Path, folder: Path, **wishes: object) -> dict[str, Any]:
    """Return the last line of a child process that makes a model printable."""
    request = {"kind": "make", "model_path": str(path), "output_folder": str(folder), **wishes}
    ended = subprocess.run(
        [sys.executable, "-m", "slicing"],
        input=json.dumps({"printers": ["farmhand-220"], "pictures": False, **request}),
        capture_output=True,
        text=True,
        check=False,
    )
    lines = ended.stdout.splitlines()
    if not lines:
        return {"kind": "crashed", "words": ended.stderr[-300:]}
    said: dict[str, Any] = json.loads(lines[-1])
    return said


def missed(name: str, folder: Path) -> str:
    """Return why a bad model was not caught for what is wrong with it; empty where it was."""
    path = folder / "bad.stl"
    if name in MESHES:
        bad = MESHES[name]
        stl.write(bad.draw(), path)
        code, fault, remark = "", bad.fault, bad.remark
    else:
        suffix, write, code = FILES[name]
        path = folder / f"bad{suffix}"
        write(path)
        fault = remark = ""
    said = said_of(path, folder)
    path.unlink()
    if code:
        refused = said["kind"] == "failed" and re.fullmatch(code, said["code"])
        return "" if refused else f"not refused with {code}: {said}"
    if said["kind"] != "result":
        return f"came to no result: {said}"
    told = " ".join(said["faults"])
    if fault and not re.search(fault, told):
        return f"its fault is told as {told or 'none'!r}"
    if not fault and told:
        return f"it could be mended, yet {told!r}"
    told = " ".join(said["remarks"])
    return f"it is remarked on as {told!r}" if remark and not re.search(remark, told) else ""


def good_models(names: Iterable[str]) -> Iterator[tuple[str, Path | Corners]]:
    """Yield good models by name."""
    drawn = generated()
    files = {path.name: path for path in real()}
    for name in names:
        yield name, files[name] if name in files else drawn[name]


def good_names() -> list[str]:
    """Return the names of all good models, those that people made first."""
    return [path.name for path in real()] + list(generated())


def wronged(model: Path | Corners, folder: Path) -> str:
    """Return what is wrong about the verdict on a good model; empty where nothing is."""
    path = model if isinstance(model, Path) else folder / "good.stl"
    if not isinstance(model, Path):
        stl.write(model, path)
    corners = load(path, limits=Limits()).corners
    there = said_of(path, folder)
    if there["kind"] != "result" or there["faults"]:
        return f"it is told: {there.get('faults', there)}"
    merged = there["changes"]["shells_merged"]  # bodies that overlapped counted twice
    if not merged and not np.isclose(there["volume_mm3"], volume(corners), rtol=SIZE_TOLERANCE):
        return f"its volume became {there['volume_mm3']}, and was {volume(corners):.3f} mm³"
    back = said_of(as_glb(corners, folder / "good.glb"), folder, orient=False)
    if back["kind"] != "result" or back["faults"]:
        return f"as GLB it is told: {back.get('faults', back)}"
    size = np.ptp(corners.reshape(-1, 3), axis=0)
    if not np.allclose(back["size_mm"], size, rtol=SIZE_TOLERANCE):
        return f"from a GLB it comes back as {back['size_mm']}, and was {size.tolist()}"
    return ""


def as_glb(corners: Corners, path: Path) -> Path:
    """Write a model as its format has it: in metres, with Y up."""
    turned = corners[:, :, (0, 2, 1)] * np.array((1.0, 1.0, -1.0)) / 1000
    mesh = trimesh.Trimesh(**trimesh.triangles.to_kwargs(turned))
    path.write_bytes(mesh.export(file_type="glb"))
    return path


def main(argv: Sequence[str]) -> int:
    """Run the proof; returns 0 where no model was judged wrongly, else 1."""
    parser = argparse.ArgumentParser(prog="farmhand prove printable", description=__doc__)
    parser.add_argument("--bad", type=int, default=len(BAD), help="how many, at most all")
    parser.add_argument("--good", type=int, default=len(good_names()), help="how many")
    parser.add_argument("--seed", type=int, default=1, help="which, where not all")
    wanted = parser.parse_args(argv)
    chance = random.Random(wanted.seed)
    bad = chance.sample(BAD, min(wanted.bad, len(BAD)))
    names = good_names()
    good = chance.sample(names, min(wanted.good, len(names)))
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in bad:
            if why := missed(name, Path(folder)):
                wrong.append(f"bad, {name}: {why}")
        sys.stdout.write(f"{len(bad)} bad models, {len(wrong)} not caught\n")
        caught = len(wrong)
        for name, model in good_models(good):
            if why := wronged(model, Path(folder)):
                wrong.append(f"good, {name}: {why}")
        sys.stdout.write(f"{len(good)} good models, {len(wrong) - caught} judged wrongly\n")
    sys.stdout.write("".join(f"wrong: {each}\n" for each in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
