"""A slicer that makes a few lines at once; it can refuse classes, and models."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from coordinator.domain.slicing import Drawn, Inspection, Sliced, SliceWish, Verified
from coordinator.domain.stock import MaterialProfile
from coordinator.errors import Refused, Unavailable
from coordinator.ports import Progress
from protocols.gcode.rules import Finding
from protocols.wire.to_agent import Scalar


class FakeSlicer:
    """Implements `coordinator.ports.Slicer`.

    Attributes:
        refused: printer class -> why no plate can be made for it.
        trouble: why the slicer can't be used.
        findings: what speaks against G-code, by printer class; `unknown` are no classes at all.
        verified: the classes that G-code was held against.
        drawn: what pictures of a plate hold, by what they show; all are 64 px wide.
        room: how many copies a plate takes.
        meanwhile: awaited while it slices, for what happens at the same time.
    """

    def __init__(self) -> None:
        self.wishes: list[SliceWish] = []
        self.inspected: list[tuple[str, ...]] = []
        self.refused: dict[str, str] = {}
        self.trouble = ""
        self.room = 1000
        self.findings: dict[str, tuple[Finding, ...]] = {}
        self.unknown: set[str] = set()
        self.verified: list[str] = []
        self.drawn: dict[str, bytes] = {}
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def probe(self) -> None:
        return

    async def inspect(
        self,
        model: Path,
        *,
        printer_classes: Sequence[str],
        material: str,
        quality: str,
        overrides: Mapping[str, Scalar],
    ) -> Inspection:
        if self.trouble:
            raise Unavailable("engine_missing", self.trouble)
        self.inspected.append(tuple(printer_classes))
        if not model.read_bytes().startswith(b"solid"):  # noqa: ASYNC240 - a few bytes
            raise Refused("model_unsupported", f"{model.name} is not a model")
        return Inspection(triangles=12, size_mm=(20.0, 20.0, 20.0), fits=tuple(printer_classes))

    async def materials(self) -> Sequence[MaterialProfile]:
        if self.trouble:
            raise Unavailable("engine_missing", self.trouble)
        return [
            MaterialProfile(
                name="pla",
                title="PLA",
                nozzle_celsius=210.0,
                bed_celsius=60.0,
                density_g_cm3=1.24,
                cost_per_kg=22.0,
            )
        ]

    async def slice(self, wish: SliceWish, output: Path, progress: Progress) -> Sliced:
        if self.trouble:
            raise Unavailable("engine_missing", self.trouble)
        if reason := self.refused.get(wish.printer_class):
            raise Refused("model_too_large", reason)
        self.wishes.append(wish)
        progress(0.5, "slicing")
        if self.meanwhile is not None:
            await self.meanwhile()
        lines = f"; {wish.printer_class} {wish.material}\nG28\nG1 X1\n"
        output.write_text(lines)  # noqa: ASYNC240 - a few bytes
        return Sliced(
            copies=min(wish.copies, self.room),
            time_s=60.0,
            filament_mm=10.0,
            filament_g=0.03,
            cost=0.01,
            layer_count=1,
            line_count=2,
            engine="fake 1",
            pictures=tuple(self._draw(output, shows) for shows in self.drawn),
        )

    async def verify(
        self, gcode: Path, *, printer_class: str, material: str, text: Path | None = None
    ) -> Verified:
        if printer_class in self.unknown:
            raise Refused("unknown_printer_class", f"there is no printer class {printer_class!r}")
        self.verified.append(printer_class)
        if text is not None:
            text.write_bytes(gcode.read_bytes().removeprefix(b"GCDE"))  # noqa: ASYNC240
        return Verified(time_s=120.0, line_count=2, findings=self.findings.get(printer_class, ()))

    def _draw(self, output: Path, shows: str) -> Drawn:
        path = output.with_suffix(f".{shows}-64.png")
        path.write_bytes(self.drawn[shows])
        return Drawn(shows=shows, width_px=64, path=path)
