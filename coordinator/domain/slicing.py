"""What is asked of slicing, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from protocols.gcode.rules import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a model is, and where it fits.

    Attributes:
        size_mm: extent in x, y and z.
        fits: the printer classes whose bed takes it.
        warnings: for a person.
    """

    triangles: int
    size_mm: tuple[float, float, float]
    fits: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceWish:
    """What is to be sliced, and for whom; empty quality means the standard one.

    Attributes:
        copies: as many of them are put on the plate as have room.
    """

    model: Path
    name: str
    printer_class: str
    material: str
    quality: str = ""
    overrides: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    copies: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A PNG that lies beside the plate.

    Attributes:
        shows: `model` or `plate`.
        width_px: as wide as high.
    """

    shows: str
    width_px: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Sliced:
    """What the slicer made; estimates are the slicer's own, and of the whole plate."""

    copies: int = 1
    time_s: float | None
    filament_mm: float | None
    filament_g: float | None
    cost: float | None = None
    layer_count: int
    line_count: int
    engine: str
    pictures: tuple[Drawn, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What G-code amounts to, and what there is to say of it; None: it does not tell."""

    time_s: float | None = None
    filament_mm: float | None = None
    filament_g: float | None = None
    layer_count: int | None = None
    line_count: int | None = None
    findings: tuple[Finding, ...] = ()
