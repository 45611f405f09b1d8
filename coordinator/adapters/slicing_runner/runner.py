"""The ports `Slicer` and `Workshop`: `python -m slicing` once a request (slicing/README.md)."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import structlog

from coordinator.adapters.slicing_runner import verifying, workshop
from coordinator.adapters.slicing_runner.process import lines_of
from coordinator.domain.slicing import (
    Drawn,
    Inspection,
    Making,
    Printable,
    Sliced,
    SliceWish,
    Verified,
)
from coordinator.domain.stock import MaterialProfile
from coordinator.errors import Refused, Unavailable
from coordinator.ports import Progress
from protocols.wire.to_agent import Scalar

log = structlog.get_logger(__name__)

QUALITY_STANDARD = "standard"

# These say that this machine failed, not that the wish was wrong. All others, those of a newer
# slicing too, are an answer that does not change by asking again.
_TRY_LATER = frozenset(
    {
        "engine_unknown",
        "engine_missing",
        "engine_timed_out",
        "engine_failed",
        "output_unwritable",
        "cancelled",
    }
)

# And these, that it will fail again until a person mends it.
_NO_SLICER = frozenset(
    {"engine_unknown", "engine_missing", "slicer_not_started", "slicer_crashed", "slicer_garbled"}
)

# What slicing knows by one code and the API by three: which word of an order is unknown.
_UNKNOWN = {
    "printer class": "unknown_printer_class",
    "material": "unknown_material",
    "quality": "unknown_quality",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateCache:
    """Where slicing keeps plates for the next time, and how many bytes of them."""

    folder: Path
    bytes_max: int


def _ignore(_ratio: float, _stage: str) -> None:
    """Look at a model without telling how far that is."""


class ChildSlicer:
    """Slicing in child processes with limits; as many at once as there are callers."""

    def __init__(
        self,
        *,
        timeout_s: float,
        memory_bytes_max: int,
        cache: PlateCache | None = None,
        policy: Mapping[str, str] = MappingProxyType({}),
        command: Sequence[str] = (sys.executable, "-m", "slicing"),
    ) -> None:
        """Take the limits: wall time of a request, address space of each of its processes.

        Args:
            cache: where plates are kept for the next time; None: nowhere.
            policy: rule for G-code -> `refuse`, `warn` or `ignore`, where this farm differs.
        """
        self._cache = cache
        self._policy = policy
        self._timeout_s = timeout_s
        self._memory_bytes_max = memory_bytes_max
        self._command = tuple(command)
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why nothing can be sliced, by the last request that told; empty where it can."""
        return self._trouble

    async def probe(self) -> None:
        """Find out whether the slicer is there; `trouble` tells."""
        with suppress(Unavailable):
            await self._ask({"kind": "probe"}, _ignore)

    async def inspect(
        self,
        model: Path,
        *,
        printer_classes: Sequence[str],
        material: str,
        quality: str,
        overrides: Mapping[str, Scalar],
    ) -> Inspection:
        """Look at a model, and at what is wanted of it, before anything is stored."""
        request = {
            "kind": "inspect",
            "model_path": str(model),
            "name": model.name,
            "printers": list(printer_classes),
            "material": material,
            "quality": quality,
            "settings": dict(overrides),
        }
        result = await self._ask(request, _ignore)
        return Inspection(
            triangles=result["triangles"],
            size_mm=tuple(result["size_mm"]),
            fits=tuple(result["fits"]),
            warnings=tuple(result["warnings"]),
        )

    async def materials(self) -> Sequence[MaterialProfile]:
        """Return the materials that profiles describe."""
        result = await self._ask({"kind": "list"}, _ignore)
        return [MaterialProfile(**each) for each in result["materials"]]

    async def slice(self, wish: SliceWish, output: Path, progress: Progress) -> Sliced:
        """Make G-code at `output`, or nothing at all; see the port."""
        request: dict[str, Any] = {
            "kind": "slice",
            "model_path": str(wish.model),
            "name": wish.name,
            "printer": wish.printer_class,
            "material": wish.material,
            "quality": wish.quality or QUALITY_STANDARD,
            "settings": dict(wish.overrides),
            "output_path": str(output),
        }
        if wish.copies > 1:
            request["copies"] = wish.copies
        if wish.provenance:
            request["provenance"] = dict(wish.provenance)
        if self._cache is not None:
            request["cache_folder"] = str(self._cache.folder)
            request["cache_bytes_max"] = self._cache.bytes_max
        result = await self._ask(request, progress)
        return Sliced(
            copies=result.get("copies_on_plate", 1),
            time_s=result["time_s"],
            filament_mm=result["filament_mm"],
            filament_g=result["filament_g"],
            cost=result["cost"],
            layer_count=result["layers"],
            line_count=result["lines"],
            engine=f"{result['engine']} {result['engine_version']}",
            pictures=tuple(
                Drawn(shows=each["shows"], width_px=each["size_px"], path=Path(each["path"]))
                for each in result.get("pictures", ())
            ),
            warnings=tuple(result["warnings"]),
        )

    async def verify(
        self, gcode: Path, *, printer_class: str, material: str, text: Path | None = None
    ) -> Verified:
        """Hold G-code against a class of printers; see the port."""
        request = verifying.request_of(
            gcode,
            printer_class=printer_class,
            material=material,
            policy=self._policy,
            text=text,
        )
        return verifying.verified_of(await self._ask(request, _ignore))

    async def make_printable(
        self, model: Path, making: Making, output: Path, progress: Progress
    ) -> Printable:
        """Scale, turn, mend and look at a model; see the port."""
        request = workshop.request_of(model, making, output)
        return workshop.printable_of(await self._ask(request, progress))

    async def as_stl(self, model: Path, output: Path) -> None:
        """Write a model as a binary STL, just as it is; see the port."""
        await self._ask(workshop.conversion_of(model, output), _ignore)

    async def _ask(self, request: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
        """Return the result of a request, and remember what it tells of the slicer.

        Raises:
            Refused: the answer is no.
            Unavailable: there is none, or not in time.
        """
        try:
            result = await self._result(request, progress)
        except Unavailable as error:
            if error.code in _NO_SLICER:
                self._trouble = error.message
            raise
        self._trouble = ""
        return result

    async def _result(self, request: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
        ratio = 0.0
        limits = {"memory_bytes_max": self._memory_bytes_max, "engine_s_max": self._timeout_s}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                lines_of(
                    self._command,
                    {**request, "limits": limits},
                    memory_bytes_max=self._memory_bytes_max,
                ) as lines,
            ):
                async for said in lines:
                    match said.get("kind"):
                        case "progress":
                            # The engine's own bar goes back when it begins another pass.
                            ratio = max(ratio, min(1.0, float(said["ratio"])))
                            progress(ratio, str(said.get("stage", "")))
                        case "failed":
                            raise _failure(said)
                        case "result":
                            result: Mapping[str, Any] = said
                            return result
                        case other:
                            log.debug("slicing.said", kind=other)
        except TimeoutError as error:
            raise Unavailable(
                "slicing_timed_out",
                f"slicing took longer than {self._timeout_s:.0f} s: raise slicing_timeout_s, "
                "or choose a simpler model or thicker layers",
            ) from error
        raise AssertionError("a process that falls silent is a crash")


def _failure(said: Mapping[str, Any]) -> Refused | Unavailable:
    code, message = str(said.get("code", "unknown")), str(said.get("message", ""))
    if code in _TRY_LATER:
        return Unavailable(code, message)
    details = dict(said.get("details") or {})
    if code == "profile_unknown":
        code = _UNKNOWN.get(str(details.get("kind")), code)
    return Refused(code, message, details)
