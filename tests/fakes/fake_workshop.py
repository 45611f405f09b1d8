"""A workshop that makes a mesh of everything, or what it is told."""

from dataclasses import dataclass, field
from pathlib import Path

from coordinator.domain.slicing import Drawn, Making, Printable
from coordinator.ports import Progress


@dataclass
class FakeWorkshop:
    """Implements `coordinator.ports.Workshop`.

    Attributes:
        errors: raised by the next calls.
        begin: how the mesh begins that it makes.
    """

    errors: list[Exception] = field(default_factory=list)
    begin: bytes = b"solid printable "
    faults: tuple[str, ...] = ()
    makings: list[Making] = field(default_factory=list)

    async def make_printable(
        self, model: Path, making: Making, output: Path, progress: Progress
    ) -> Printable:
        self.makings.append(making)
        progress(0.5, "mending")
        if self.errors:
            raise self.errors.pop(0)
        _write(self.begin, model, output)
        return Printable(
            format=".3mf",
            triangles=12,
            size_mm=(60.0, 20.0, 10.0),
            watertight=True,
            faults=self.faults,
            remarks=("a hole was closed",),
            pictures=(Drawn(shows="model", width_px=256, path=output / "picture.png"),),
        )


def _write(begin: bytes, model: Path, output: Path) -> None:
    (output / "model.3mf").write_bytes(begin + model.read_bytes())
    (output / "picture.png").write_bytes(b"\x89PNG")
