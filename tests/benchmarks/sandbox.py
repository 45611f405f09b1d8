"""Measure what the sandbox costs, and how long code takes to become geometry.

Usage: ./farmhand bench sandbox [--runs N] [--no-parts]

Starts `true` bare and at each level that this machine has, in turns, so that what else runs here
falls on all of them. Then a small part in each language and engine that is installed, and words to
a mesh with a language model that answers at once: what is left is ours.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from coordinator.adapters.providers.coding.provider import openscad as openscad_provider
from coordinator.adapters.rendering.cad_python import CadPython
from coordinator.adapters.rendering.openscad import OpenScad
from coordinator.adapters.rendering.values import Rendered, Renderer
from coordinator.adapters.sandbox import levels
from coordinator.adapters.sandbox.jobs import job_folder
from coordinator.adapters.sandbox.levels import Level
from coordinator.adapters.sandbox.limits import Limits
from coordinator.adapters.sandbox.sandbox import Sandbox
from coordinator.domain.providing import Kind, Phase, Wish
from coordinator.ports_providers import Tools
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.fake_llm import FakeLlm
from tests.fakes.manual_clock import ManualClock
from tests.fakes.paid_service import served

# Beside the seconds that rendering takes nobody notices it; a machine half as fast keeps it too.
STARTED_MS_MAX = 100.0
LIMITS = Limits(wall_s=300.0, cpu_s=300, memory_mib=3072)
PARTS_RUNS = 3

_SIEVE = "difference() { cube([35, 25, 4]); for (x = [5:10:25], y = [5:10:15]) translate([x, y, 2])"
_SIEVE += " sphere(d = 6, $fn = 24); }"
CODES = {
    "cube": "cube(10);",
    "BOSL2 box": "include <BOSL2/std.scad>\n$fn = 32;\ncuboid([60, 20, 8], rounding = 3);",
    "6 spheres": _SIEVE,
}
CAD = {
    "build123d": "from build123d import *\nresult = fillet(Box(60, 20, 8).edges(), 3)",
    "cadquery": "import cadquery as cq\nresult = cq.Workplane().box(60, 20, 8).edges().fillet(3)",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: what was done, and the milliseconds of each run."""

    name: str
    runs_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        return statistics.median(self.runs_ms)


def main(argv: Sequence[str]) -> int:
    """Run the benchmark; returns 0 when no target was missed, else 1."""
    parser = argparse.ArgumentParser(prog="farmhand bench sandbox", description=__doc__)
    parser.add_argument("--runs", type=int, default=40, help="starts of each level (40)")
    parser.add_argument("--no-parts", action="store_true", help="only the starts")
    wanted = parser.parse_args(argv)
    with TemporaryDirectory(prefix="farmhand-sandbox-") as folder:
        starts = asyncio.run(started(Path(folder), wanted.runs))
        say(starts)
        if not wanted.no_parts:
            asyncio.run(parts(Path(folder)))
    added_ms = starts[-1].median_ms - starts[0].median_ms
    kept = added_ms <= STARTED_MS_MAX
    words = f"{starts[-1].name} adds {added_ms:.1f} ms (at most {STARTED_MS_MAX:.0f})"
    sys.stdout.write(f"{'PASS' if kept else 'FAIL'}  {words}\n")
    return int(not kept)


async def started(folder: Path, runs: int) -> list[Figure]:
    """Return how long `true` takes, bare first, then at each level, the best last."""
    ways: dict[str, Callable[[], Awaitable[object]]] = {"bare": _bare}
    for level in (Level.RLIMITS, Level.BWRAP, Level.BWRAP_SECCOMP):
        found = levels.find(best=level)
        if found.level is level:
            ways[level.value] = _Start(Sandbox(found), folder)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            times[name].append(await _timed_ms(way))
    return [Figure(name, tuple(each)) for name, each in times.items()]


async def parts(folder: Path) -> None:
    """Tell how long code takes in each language and engine that is there."""
    sandbox = Sandbox(levels.find())
    for engine in ("native", "wasm"):
        renderer = OpenScad(sandbox, folder, engine=engine)
        for name, code in CODES.items():
            await _tell(f"openscad {engine}: {name}", renderer, code)
    for library, code in CAD.items():
        await _tell(f"{library}: box with fillets", CadPython(sandbox, folder, library), code)
    async with _words(folder) as ask:
        say([Figure("words -> OpenSCAD -> STL", tuple([await _timed_ms(ask) for _ in range(3)]))])


async def _tell(name: str, renderer: Renderer, code: str) -> None:
    if renderer.trouble:
        sys.stdout.write(f"{name:<32}  not here: {renderer.trouble}\n")
        return

    async def render() -> None:
        found = await renderer.render(code, {}, LIMITS)
        assert isinstance(found, Rendered), found

    say([Figure(name, tuple([await _timed_ms(render) for _ in range(PARTS_RUNS)]))])


class _Start:
    """Runs `true` in the sandbox."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._sandbox = sandbox
        self._folder = folder

    async def __call__(self) -> None:
        async with job_folder(self._folder) as job:
            ended = await self._sandbox.run(["true"], job, limits=Limits(), needs=Level.RLIMITS)
        assert not ended.fault, ended


@asynccontextmanager
async def _words(folder: Path) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """Lend what makes a mesh of words."""
    async with served(FakeLlm()) as server:
        options = {"base_url": server.base_url, "api_key": server.key, "model": server.model}
        tools = Tools(clock=ManualClock(), artifacts=FakeArtifacts(folder), folder=folder)
        provider = openscad_provider("writer", options, tools)

        async def ask() -> None:
            wish = Wish(kind=Kind.TEXT, prompt="a cube")
            submitted = await provider.submit(wish, "gen-1", lambda _part, _stage: None)
            assert submitted.look is not None
            assert submitted.look.phase is Phase.SUCCEEDED

        try:
            yield ask
        finally:
            await provider.close()


async def _bare() -> None:
    process = await asyncio.create_subprocess_exec("true")
    assert await process.wait() == 0


async def _timed_ms(way: Callable[[], Awaitable[object]]) -> float:
    begun_s = time.perf_counter()
    await way()
    return (time.perf_counter() - begun_s) * 1000


def say(figures: Sequence[Figure]) -> None:
    """Write figures, one a line: the median, the least and the most."""
    sys.stdout.writelines(f"{line}\n" for line in readable(figures))
    sys.stdout.flush()


def readable(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield figures as lines."""
    for each in figures:
        least, most = min(each.runs_ms), max(each.runs_ms)
        yield f"{each.name:<32}  {each.median_ms:9.1f} ms  ({least:.1f} to {most:.1f})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
