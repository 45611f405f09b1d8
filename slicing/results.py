"""What the child process answers; the shapes of README.md as types."""

from dataclasses import dataclass, field
from typing import Any

from slicing.changes import Changes


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """An engine that is installed."""

    engine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLarge:
    """A printer that the model does not fit, and by how much in x, y, z (0 where it does)."""

    printer: str
    exceeds_mm: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectResult:
    """What a model is.

    Attributes:
        size_mm: extent in x, y, z.
        volume_mm3: enclosed volume; only a guess unless `watertight`.
        watertight: every edge belongs to exactly two triangles.
        fits: printers that can take it, turned by 90 degrees where that helps.
    """

    format: str
    triangles: int
    size_mm: tuple[float, float, float]
    volume_mm3: float
    watertight: bool
    fits: tuple[str, ...]
    too_large_for: tuple[TooLarge, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartResult:
    """One model of a plate.

    Attributes:
        copies_on_plate: how many of the copies asked for have room; `copies_left` have none.
        size_mm: of one copy, as it stands on the bed.
        turned: it was oriented otherwise than in its file.
        changes: what repair did.
    """

    name: str
    copies_on_plate: int
    copies_left: int
    size_mm: tuple[float, float, float]
    turned: bool
    changes: Changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A PNG beside the plate.

    Attributes:
        shows: `model` or `plate`.
        size_px: width and height.
    """

    shows: str
    size_px: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertResult:
    """A model that was written as an STL.

    Attributes:
        format: what it was.
    """

    output_path: str
    format: str
    triangles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeResult:
    """Geometry made printable, and what is to be said of it.

    Attributes:
        output_path: the mesh, in millimetres with Z up, its foot at z = 0.
        format: of the file that came in.
        scale: what its numbers were multiplied with, for its unit or the size that was wanted.
        watertight: every edge belongs to exactly two triangles.
        volume_mm3: None where the surface is open.
        bodies: closed ones, hollows within them apart.
        wall_min_mm: a hundredth of the surface belongs to walls that are thinner (walls.py).
        overhang_ratio: the part of the surface that hangs over by more than 45 degrees.
        faults: what keeps it from being printed.
        remarks: what was done to it, and what to look at.
    """

    output_path: str
    format: str
    triangles: int
    size_mm: tuple[float, float, float]
    scale: float
    watertight: bool
    volume_mm3: float | None
    bodies: int
    wall_min_mm: float | None
    overhang_ratio: float
    islands: int
    fits: tuple[str, ...]
    too_large_for: tuple[TooLarge, ...]
    faults: tuple[str, ...]
    remarks: tuple[str, ...]
    changes: Changes
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceResult:
    """A plate: where it lies, what it is, and what it needs.

    Attributes:
        settings: every value of the merged configuration that shaped it, `section.key`.
        time_s: print time without heating; `time_source` tells whose: `slicer` or `planner`.
        planned_s: our planner's, in any case; `layers_s`: when each layer ends, of `time_s`.
        bounds_mm: least and greatest x, y, z of what is extruded after the start code.
        cached: it was made before, for an equal request.
        copies_on_plate: of the request's own model; `copies_left` had no room.
        plates_needed: how many plates like this, the last maybe less full, all copies take.
        parts: every model, the request's own first.
    """

    output_path: str
    name: str
    printer: str
    material: str
    quality: str
    nozzle_mm: float
    bed_mm: tuple[float, float, float]
    engine: str
    engine_version: str
    time_s: float
    filament_mm: float
    filament_g: float
    cost: float
    layers: int
    z_max_mm: float
    bounds_mm: tuple[tuple[float, float, float], tuple[float, float, float]]
    lines: int
    size_bytes: int
    sha256: str
    settings: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    time_source: str = "slicer"
    planned_s: float = 0.0
    layers_s: tuple[float, ...] = ()
    cached: bool = False
    copies_on_plate: int = 1
    copies_left: int = 0
    plates_needed: int = 1
    parts: tuple[PartResult, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyResult:
    """What a ready plate amounts to, and what speaks against it.

    Attributes:
        accepted: no finding refuses it.
        findings: each with `line` (0: the whole file), `rule`, `severity` and `words`.
        slicer: name and version, empty where it does not tell; `material` and `nozzle_mm` likewise.
        time_s: print time without heating; `time_source` tells whose: `slicer` or `planner`.
        planned_s: our planner's, in any case.
        filament_mm: how far filament is drawn in; `filament_g` is the slicer's word.
        bounds_mm: least and greatest x, y, z of the part; None where nothing is printed.
        celsius: name of a heating command -> the hottest that it asks for.
        features: kinds of moves -> millimetres of filament.
        thumbnails: where pictures stand in the text.
        sha256: of the text; `size_bytes` and `lines` likewise.
        provenance: where the part came from, as far as the plate tells (provenance.py).
    """

    printer: str
    accepted: bool
    findings: tuple[dict[str, Any], ...]
    slicer: str
    material: str
    nozzle_mm: float | None
    time_s: float
    time_source: str
    planned_s: float
    filament_mm: float
    filament_g: float | None
    filament_by_tool_mm: dict[str, float]
    layers: int
    bounds_mm: tuple[tuple[float, float, float], tuple[float, float, float]] | None
    celsius: dict[str, float]
    tool_changes: int
    features: dict[str, float]
    objects: tuple[str, ...]
    thumbnails: tuple[dict[str, Any], ...]
    lines: int
    size_bytes: int
    sha256: str
    provenance: dict[str, str]
