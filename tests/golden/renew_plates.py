"""What each engine made of real models; `python -m tests.golden.renew_plates` writes it anew.

One file for each version of an engine on one kind of machine, and only for what is installed here.
A change of ours that moves a figure shows in the review of these files.
"""

import hashlib
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from slicing.errors import EngineMissing
from slicing.pipeline import make_plate
from slicing.registry import engine_names, open_engine
from slicing.request import SliceRequest

GOLDEN = Path(__file__).parent / "plates"
_BARN = Path(__file__).parents[2] / "configs" / "dev" / "barn.stl"
MODELS = {path.name: path for path in (_BARN, *(GOLDEN / "models").glob("*.[s3]*"))}

_MOVES = (b"G0 ", b"G1 ", b"G2 ", b"G3 ")


def path_of(engine: str) -> Path:
    """Return the file for an engine as it is installed here.

    Raises:
        EngineMissing: it is not.
    """
    version = open_engine(engine).version()
    return GOLDEN / f"{engine}-{version}-{platform.machine()}.json"


def facts(engine: str, model: Path) -> dict[str, Any]:
    """Slice a model and return what there is to say of the plate, ready for JSON."""
    with TemporaryDirectory() as folder:
        request = SliceRequest(
            kind="slice",
            model_path=model,
            printer="farmhand-220",
            material="PLA",
            quality="draft",
            engine=engine,
            output_path=Path(folder) / "plate.gcode",
            pictures=False,
        )
        with _one_core():
            made = make_plate(request, lambda _ratio, _stage: None)
        found: dict[str, Any] = {
            "layers": made.layers,
            "lines": made.lines,
            "bounds_mm": [[round(one, 3) for one in corner] for corner in made.bounds_mm],
            "filament_mm": round(made.filament_mm, 2),
            "time_s": round(made.time_s, 1),
            "planned_s": round(made.planned_s, 1),
        }
        if open_engine(engine).capabilities.deterministic:
            found["moves_sha256"] = _moves_sha256(request.output_path)
    return found


@contextmanager
def _one_core() -> Iterator[None]:
    """Keep engines to one core: on several, PrusaSlicer's islands change places now and then."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _moves_sha256(path: Path) -> str:
    """Return the hash of all moves; dates and settings in comments are none of them."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for line in file:
            if line.startswith(_MOVES):
                digest.update(line.partition(b";")[0].rstrip() + b"\n")
    return digest.hexdigest()


def main() -> None:
    """Write the file of every engine that is installed."""
    for engine in engine_names():
        try:
            path = path_of(engine)
        except EngineMissing:
            continue
        document = {name: facts(engine, model) for name, model in sorted(MODELS.items())}
        path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
