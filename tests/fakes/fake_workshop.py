"""A workshop that measures nothing; it can find faults, refuse, and be away."""

from pathlib import Path

from coordinator.domain.slicing import Drawn, Making, Printable
from coordinator.errors import Refused, Unavailable
from coordinator.ports import Progress

SIGN = b"solid"


class FakeWorkshop:
    """Implements `coordinator.ports.Workshop` for files that begin as text STL does, 20 mm long.

    Attributes:
        faults: what keeps all that is made from being printed.
        trouble: why nothing can be made.
        made: what was asked for, in order.
    """

    def __init__(self) -> None:
        self.faults: tuple[str, ...] = ()
        self.trouble = ""
        self.made: list[Making] = []

    async def make_printable(
        self, model: Path, making: Making, output: Path, progress: Progress
    ) -> Printable:
        if self.trouble:
            raise Unavailable("slicer_crashed", self.trouble)
        content = model.read_bytes()  # noqa: ASYNC240 - a few bytes
        if not content.startswith(SIGN):
            raise Refused("model_unsupported", f"{model.name} is not a model")
        self.made.append(making)
        progress(0.0, "loading")
        scale = making.longest_mm / 20.0 if making.longest_mm else making.scale or 1.0
        longest = 20.0 * scale
        (output / "model.3mf").write_bytes(content)
        (output / "model-64.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
        return Printable(
            format=".3mf",
            triangles=12,
            size_mm=(longest, longest, longest),
            scale=scale,
            watertight=True,
            volume_mm3=longest**3,
            wall_min_mm=longest,
            fits=() if self.faults else ("farmhand-220",),
            faults=self.faults,
            pictures=(Drawn(shows="model", width_px=64, path=output / "model-64.png"),),
        )

    async def as_stl(self, model: Path, output: Path) -> None:
        if self.trouble:
            raise Unavailable("slicer_crashed", self.trouble)
        content = model.read_bytes()  # noqa: ASYNC240 - a few bytes
        if not content.startswith(b"PK"):
            raise Refused("model_unsupported", f"{model.name} is not a model")
        output.write_bytes(SIGN + content)  # noqa: ASYNC240
