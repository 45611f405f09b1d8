"""How fast a plate of 100 MB is scanned, verified and timed; how far times are from the slicers'.

The plate is a real one, its layers repeated. CPU of one core, the best of some trials, against a
pass in plain Python over the same bytes in the same run.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slicing.cache import Cache
from slicing.catalogue import Catalogue
from slicing.errors import SlicingError
from slicing.look_ahead import estimate, machine_of
from slicing.registry import engine_names, open_engine
from slicing.remembering import key_of, make_or_fetch
from slicing.request import SliceRequest
from slicing.scan import scan
from slicing.verify import findings

ROOT = Path(__file__).parents[2]
BARN = ROOT / "configs" / "dev" / "barn.stl"
MODELS = ROOT.parent / "shared" / "data" / "models"
PLATE_BYTES = 100_000_000
REFERENCE_BYTES = 10_000_000
SCAN_MB_S_MIN = 40.0
VERIFY_MB_S_MIN = 25.0
ERROR_MAX = 0.10
HIT_MS_MAX = 50.0
PRINTER = Catalogue().printer("farmhand-220")
Line = tuple[bool | None, str]


def scanning(trials: int) -> Iterator[Line]:
    """Yield how fast a plate is scanned."""
    with large_plate() as path:
        yield from _speed("scan", path, lambda: scan(path), trials, SCAN_MB_S_MIN)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield None, f"scan: the process took {peak_mb:.0f} MB at most"


def verifying(trials: int) -> Iterator[Line]:
    """Yield how fast a plate is scanned and judged."""
    with large_plate() as path:
        judge = lambda: findings(scan(path), PRINTER)  # noqa: E731
        refused = [each for each in judge() if each.severity == "refuse"]
        yield not refused, f"verify: {len(refused)} findings refuse the plate {refused[:1]}"
        yield from _speed("verify", path, judge, trials, VERIFY_MB_S_MIN)


def estimating(trials: int) -> Iterator[Line]:
    """Yield how fast a plate is timed, and the error for every model, engine and quality."""
    with large_plate() as path:
        yield from _speed(
            "estimate", path, lambda: estimate(path, machine_of(PRINTER)), trials, None
        )
    errors = []
    with tempfile.TemporaryDirectory() as name:
        for engine in _installed():
            for model in [BARN, *sorted(MODELS.glob("*.stl"))]:
                for quality in ("draft", "standard", "fine"):
                    said = _sliced(model, Path(name) / "plate.gcode", quality, engine=engine)
                    if said["kind"] != "result" or said["time_source"] != "slicer":
                        yield None, f"estimate: {engine} {model.stem} {quality}: no time of its own"
                        continue
                    errors.append(said["planned_s"] / said["time_s"] - 1)
                    words = (
                        f"estimate: {engine} {model.stem} {quality}: {said['planned_s']:.0f} s, "
                    )
                    words += f"the slicer says {said['time_s']:.0f} s: {errors[-1]:+.1%}"
                    yield None, words
    worst = max(map(abs, errors), default=1.0)
    yield worst <= ERROR_MAX, f"estimate: {len(errors)} files, the worst is off by {worst:.1%}"


def hits(trials: int) -> Iterator[Line]:
    """Yield how long a plate takes that was made before, in a process that has begun."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        request = SliceRequest(
            kind="slice",
            model_path=BARN,
            printer=PRINTER.name,
            material="PLA",
            output_path=folder / "plate.gcode",
            cache_folder=folder / "cache",
        )
        times = []
        for _ in range(trials + 1):
            began = time.perf_counter()
            make_or_fetch(request, lambda _ratio, _stage: None)
            times.append(time.perf_counter() - began)
        plates = Cache(folder / "cache", bytes_max=request.cache_bytes_max)
        name_of_plate = key_of(request)
        looks = []
        for _ in range(trials):
            began = time.perf_counter()
            assert plates.get(name_of_plate, request.output_path) is not None
            looks.append(time.perf_counter() - began)
    best_ms, look_ms = min(times[1:]) * 1000, min(looks) * 1000
    yield None, f"hits: {times[0] * 1000:.0f} ms to make, {best_ms:.0f} ms to find again"
    words = f"hits: {best_ms:.0f} ms (at most {HIT_MS_MAX:.0f}), {look_ms:.1f} of them the cache; "
    yield best_ms <= HIT_MS_MAX, words + "most others find the engine among what is installed"


@contextmanager
def large_plate(size_bytes: int = PLATE_BYTES) -> Iterator[Path]:
    """Lend a plate of a real slicer with its layers repeated."""
    with tempfile.TemporaryDirectory() as name:
        small, large = Path(name) / "small.gcode", Path(name) / "large.gcode"
        said = _sliced(BARN, small, "standard")
        if said["kind"] != "result":
            raise SystemExit(f"no plate: {said['message']}")
        text = small.read_bytes()
        begin = text.index(b";LAYER_CHANGE")
        end = text.rindex(b";LAYER_CHANGE")
        with large.open("wb") as file:
            file.write(text[:begin])
            while file.tell() < size_bytes:
                file.write(text[begin:end])
            file.write(text[end:])
        yield large


def plain_pass(path: Path, size_bytes: int) -> tuple[float, int]:
    """Do in plain Python the least that a scan does: bounds and filament; return seconds, bytes."""
    low, high, place = [1e9] * 3, [-1e9] * 3, {"X": 0.0, "Y": 0.0, "Z": 0.0}
    filament, seen = 0.0, 0
    began = time.process_time()
    with path.open() as file:
        for line in file:
            seen += len(line)
            if line.startswith(("G1 ", "G0 ")):
                drawn = 0.0
                for word in line.partition(";")[0].split()[1:]:
                    if word[0] in place:
                        place[word[0]] = float(word[1:])
                    elif word[0] == "E":
                        drawn = float(word[1:])
                filament += drawn
                if drawn > 0:
                    for axis, value in enumerate(place.values()):
                        low[axis], high[axis] = min(low[axis], value), max(high[axis], value)
            if seen > size_bytes:
                break
    return time.process_time() - began, seen


def _speed(
    name: str, path: Path, work: Callable[[], Any], trials: int, least: float | None
) -> Iterator[Line]:
    work()  # what is imported and allocated once
    size_mb = path.stat().st_size / 1e6
    speeds = [(size_mb / cpu_s, size_mb / wall_s) for cpu_s, wall_s in _times(work, trials)]
    speed = max(by_cpu for by_cpu, _ in speeds)
    plain_s, seen = plain_pass(path, REFERENCE_BYTES)
    plain = seen / 1e6 / plain_s
    words = f"{name}: {speed:.0f} MB/s of {size_mb:.0f} MB by CPU time"
    words += f" ({min(by_cpu for by_cpu, _ in speeds):.0f} the slowest of {trials}), "
    words += f"{max(by_wall for _, by_wall in speeds):.0f} by wall time"
    words += f"; {speed / plain:.1f} times plain Python's {plain:.1f} MB/s"
    yield (None if least is None else speed >= least), words


def _times(work: Callable[[], Any], trials: int) -> Iterator[tuple[float, float]]:
    """Yield CPU and wall seconds, trial by trial."""
    for _ in range(trials):
        began = time.process_time(), time.monotonic()
        work()
        yield time.process_time() - began[0], time.monotonic() - began[1]


def _installed() -> list[str]:
    found = []
    for name in engine_names():
        try:
            open_engine(name).installation()
        except SlicingError:
            continue
        found.append(name)
    return found


def _sliced(
    model: Path, output: Path, quality: str, *, engine: str = "prusaslicer"
) -> dict[str, Any]:
    request = {
        "kind": "slice",
        "model_path": str(model),
        "printer": PRINTER.name,
        "material": "PLA",
        "quality": quality,
        "engine": engine,
        "output_path": str(output),
    }
    command = [sys.executable, "-m", "slicing"]
    ended = subprocess.run(
        command, input=json.dumps(request), capture_output=True, text=True, check=False
    )
    said: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return said
