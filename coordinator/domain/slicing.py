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
        provenance: where the model came from (`provenance.facts_of`), written into the G-code.
    """

    model: Path
    name: str
    printer_class: str
    material: str
    quality: str = ""
    overrides: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    copies: int = 1
    provenance: Mapping[str, str] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How geometry that came from somewhere is made printable.

    Attributes:
        longest_mm: scaled so that its longest side is so long; None keeps the size that it has.
        scale: in its place, what its numbers are multiplied with; None for what its unit says.
        unit: what its numbers are: `mm`, `cm`, `m`, `in`; empty finds out by format and size.
        up: which axis points up in it: `y` or `z`; empty finds out by format.
        lay_flat: turn it onto the side it stands on best.
        title: what to call it; empty for the file's name.
        author, licence, source: written into what is made, where its format has room.
    """

    longest_mm: float | None = None
    scale: float | None = None
    unit: str = ""
    up: str = ""
    lay_flat: bool = True
    title: str = ""
    author: str = ""
    licence: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printable:
    """What geometry became, and what is to be said of it.

    Attributes:
        format: suffix of what was written: `.3mf`.
        scale: what its numbers were multiplied with.
        volume_mm3: None where it encloses none.
        wall_min_mm: a hundredth of its surface belongs to walls that are thinner; None where no
            wall was met.
        overhang_ratio: the part of its surface that hangs over by more than 45 degrees.
        fits: the printer classes whose bed takes it.
        faults: what keeps it from being printed, for a person: it is open, it is flat, too large.
        remarks: what was done to it and what to look at, for a person.
    """

    format: str
    triangles: int
    size_mm: tuple[float, float, float]
    watertight: bool
    scale: float = 1.0
    volume_mm3: float | None = None
    bodies: int = 1
    wall_min_mm: float | None = None
    overhang_ratio: float = 0.0
    fits: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    pictures: tuple[Drawn, ...] = ()
