"""The farm's store of files, and a slicer that takes its time and fails at times."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from coordinator.domain.slicing import Inspection, Sliced, SliceWish, Verified
from coordinator.domain.stock import MaterialProfile
from coordinator.errors import NotFound, Refused, Unavailable
from coordinator.ports import Progress
from protocols.wire.to_agent import Scalar
from tests.simulation.judge import Judge
from tests.simulation.world import Process

SLICE_S = (5.0, 1200.0)
# Of a slicing in troubled times: this class can't have it, and the slicer itself did not manage.
REFUSES = 0.1
FAILS = 0.05


@dataclass(eq=False)
class Files:
    """What lies in the store, and in the scratch folders of those who work."""

    kept: set[str] = field(default_factory=set)
    scratch: dict[Path, bytes] = field(default_factory=dict)


class SimulatedArtifacts:
    """Implements `coordinator.ports.ArtifactStore`, as far as slicing uses it, for one process."""

    def __init__(self, process: Process, files: Files) -> None:
        self._process = process
        self._files = files
        self._folders = 0

    @asynccontextmanager
    async def as_file(self, sha256: str, suffix: str = "") -> AsyncIterator[Path]:
        """Lend an artifact as a file."""
        if sha256 not in self._files.kept:
            raise NotFound("artifact", sha256)
        yield Path(sha256 + suffix)

    @asynccontextmanager
    async def scratch(self) -> AsyncIterator[Path]:
        """Lend an empty folder."""
        self._folders += 1
        yield Path(f"{self._process.name}-{self._folders}")

    @asynccontextmanager
    async def stage(self, suffix: str = "") -> AsyncIterator["SimulatedStaged"]:
        """Lend a file on its way into the store."""
        await self._process.step("stage a file")
        yield SimulatedStaged(self._process, self._files)

    async def delete(self, sha256: str) -> None:
        """Remove an artifact."""
        await self._process.step("delete a file")
        self._files.kept.discard(sha256)


class SimulatedStaged:
    """Implements `coordinator.ports.StagedFile`, as far as slicing uses it."""

    def __init__(self, process: Process, files: Files) -> None:
        self._process = process
        self._files = files
        self._content = b""

    @property
    def sha256(self) -> str:
        """Return the hash of what was written."""
        return sha256(self._content).hexdigest()

    @property
    def size_bytes(self) -> int:
        """Return how much was written."""
        return len(self._content)

    async def copy(self, source: Path) -> None:
        """Write a scratch file."""
        self._content = self._files.scratch.pop(source)

    async def keep(self) -> None:
        """Put it into the store."""
        await self._process.step("keep a file")
        self._files.kept.add(self.sha256)


async def copy(source: Path, staged: SimulatedStaged) -> None:
    """Stand in for `coordinator.usecases.storing.copy`, which reads real files in threads."""
    await staged.copy(source)


class SimulatedSlicer:
    """Implements `coordinator.ports.Slicer` for one process."""

    trouble = ""

    def __init__(self, process: Process, files: Files, judge: Judge) -> None:
        self._process = process
        self._files = files
        self._judge = judge

    async def probe(self) -> None:
        """Find it there."""

    async def inspect(
        self,
        model: Path,
        *,
        printer_classes: Sequence[str],
        material: str,
        quality: str,
        overrides: Mapping[str, Scalar],
    ) -> Inspection:
        """Nobody looks at models here: orders are stored as they are."""
        raise Unavailable("engine_missing", "it only slices")

    async def materials(self) -> Sequence[MaterialProfile]:
        """Nobody asks here."""
        return ()

    async def slice(self, wish: SliceWish, output: Path, progress: Progress) -> Sliced:
        """Make a plate that tells for whom it is; equal wishes make equal plates."""
        world = self._process.world
        await self._process.step("slice", world.random.uniform(*SLICE_S))
        progress(0.5, "slicing")
        if world.strikes(REFUSES):
            world.faults["model refused for a class"] += 1
            raise Refused("model_too_large", "it does not fit")
        if world.strikes(FAILS):
            world.faults["slicer failed"] += 1
            raise Unavailable("slicer_crashed", "slicing ended with SIGSEGV")
        content = f"{wish.model} {wish.printer_class} {wish.material}".encode()
        self._files.scratch[output] = content
        self._judge.made_for[sha256(content).hexdigest()] = wish.printer_class
        world.figures["plates sliced"] += 1
        return Sliced(
            copies=wish.copies,
            time_s=600.0,
            filament_mm=1.0,
            filament_g=1.0,
            layer_count=1,
            line_count=1,
            engine="simulated 1",
        )

    async def verify(
        self, gcode: Path, *, printer_class: str, material: str, text: Path | None = None
    ) -> Verified:
        """Nobody brings plates to look at here."""
        raise Unavailable("engine_missing", "it only slices")
