"""What a slicing process costs, beside the engine alone on the same mesh and settings."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from slicing import stl
from slicing.catalogue import Catalogue
from slicing.geometry import load
from slicing.mesh import placed
from slicing.profiles import Overrides, merge
from slicing.prusaslicer_ini import ini
from slicing.request import Limits
from tests.fakes.meshes import ball

ROOT = Path(__file__).parents[2]

# Of the bare engine's CPU, for a model like the Benchy: 60 mm long, 225,000 triangles.
OVERHEAD_MAX = 0.15
_BENCHY_RINGS = 238
_LARGE_RINGS = 708

# Its last words are peaks in KiB and CPU seconds: its own, its children's.
TELLING = (
    "import resource, sys; from slicing.__main__ import main; status = main()\n"
    "used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]\n"
    "peaks, cpu = [u.ru_maxrss for u in used], [u.ru_utime + u.ru_stime for u in used]\n"
    "print(*peaks, *cpu, file=sys.stderr); sys.exit(status)"
)

# A farm compiles what it imports once, and so does this, whatever the shell that calls it says.
_KEEPING = {name: word for name, word in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

Line = tuple[bool | None, str]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command cost: CPU of it and of all that it started, wall time, and its last words."""

    cpu_s: float
    wall_s: float
    errors: str


def run(command: Sequence[str | Path], *, said: str = "") -> Cost:
    """Run a command to its end and return what it cost."""
    with TemporaryDirectory() as folder:
        errors = Path(folder) / "errors"
        (asked := Path(folder) / "said").write_text(said)
        begun_s = time.monotonic()
        with asked.open() as stdin, errors.open("w") as stderr:
            child = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                cwd=ROOT,
                env=_KEEPING,
            )
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        words = errors.read_text()
        assert child.returncode == 0, words
        return Cost(used.ru_utime + used.ru_stime, time.monotonic() - begun_s, words)


def potato(folder: Path, rings: int) -> Path:
    """Write a bumpy model 60 mm long, of some 4 x rings x rings triangles."""
    path = folder / "potato.stl"
    stl.write(ball(30.0, rings, 0.3), path)
    return path


def sliced(model: Path, folder: Path, **changes: Any) -> str:
    """Return a request for a plate of a model."""
    request = {
        "kind": "slice",
        "model_path": str(model),
        "printer": "farmhand-220",
        "material": "PLA",
        "quality": "standard",
        "output_path": str(folder / "plate.gcode"),
        **changes,
    }
    return json.dumps(request)


def bare(model: Path, folder: Path) -> list[str | Path]:
    """Return the engine's own command for the same plate."""
    catalogue = Catalogue(None)
    settings = merge(
        catalogue.printer("farmhand-220"),
        catalogue.material("PLA"),
        catalogue.quality("standard"),
        Overrides(),
    )
    mesh = placed(load(model, limits=Limits()), 110, 110, turned=False)
    stl.write(mesh.corners, folder / "bare.stl")
    (folder / "flat.ini").write_text(ini(settings, part_height_mm=mesh.size_mm[2]))
    command: list[str | Path] = ["prusa-slicer", "--export-gcode", "--dont-arrange"]
    command += ["--load", folder / "flat.ini", "--output", folder / "bare.gcode"]
    return [*command, folder / "bare.stl"]


def overhead(trials: int, *, rings: int = _BENCHY_RINGS) -> Iterator[Line]:
    """Yield the CPU of a slicing process against the bare engine's, taking turns.

    Judged is what the process itself takes, against the engine within it: both at the same time,
    where turns of ten seconds meet the machine at different speeds.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        model = potato(folder, rings)
        engine = bare(model, folder)
        ours = [sys.executable, "-c", TELLING]
        run(ours, said=sliced(model, folder))  # what is compiled once
        costs: dict[str, list[float]] = {"bare": [], "pipeline": [], "without pictures": []}
        shares = []
        for _ in range(trials):
            costs["bare"].append(run(engine).cpu_s)
            made = run(ours, said=sliced(model, folder))
            costs["pipeline"].append(made.cpu_s)
            own_s, engine_s = (float(one) for one in made.errors.split()[-2:])
            shares.append(own_s / engine_s)
            plain = sliced(model, folder, pictures=False)
            costs["without pictures"].append(run(ours, said=plain).cpu_s)
        cpu_s = {name: median(some) for name, some in costs.items()}
        triangles = load(model, limits=Limits()).triangles
    yield None, f"overhead: {triangles:,} triangles, medians of {trials}"
    for name, spent_s in cpu_s.items():
        yield (
            None,
            f"{name:>20} {spent_s:7.2f} CPU s  {spent_s / cpu_s['bare']:.3f} of the bare engine",
        )
    share = median(shares)
    words = f"overhead: {share:.1%} of its engine's CPU, trial by trial "
    words += f"{min(shares):.1%} to {max(shares):.1%} (at most {OVERHEAD_MAX:.0%})"
    yield share <= OVERHEAD_MAX, words


def memory(_trials: int, *, rings: int = _LARGE_RINGS) -> Iterator[Line]:
    """Yield the peak memory of a slicing process and of its engine, for a sound and a torn mesh."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for torn in (False, True):
            corners = ball(30.0, rings, 0.3)
            model = folder / "large.stl"
            stl.write(corners[1:] if torn else corners, model)
            cost = run([sys.executable, "-c", TELLING], said=sliced(model, folder))
            own, engine = (int(one) / 1024 for one in cost.errors.split()[-4:-2])
            what = f"{len(corners):,} triangles, {'one lost' if torn else 'sound'}"
            peaks = f"slicing process {own:,.0f} MiB, engine {engine:,.0f} MiB"
            yield None, f"memory: {what}: {peaks}, {cost.cpu_s:.1f} CPU s"
