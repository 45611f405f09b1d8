"""What the child process is asked, and what it answers; the shapes of README.md as types."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from slicing.changes import Changes
from slicing.errors import RequestInvalid, SettingInvalid
from slicing.profiles import Overrides
from slicing.shapes import Shape, first_fault

MIB = 1024 * 1024

Unit: TypeAlias = Literal["mm", "cm", "m", "inch"]
Up: TypeAlias = Literal["y", "z"]


class Limits(Shape):
    """What one request may cost. The defaults suit a coordinator on a small machine.

    Attributes:
        model_bytes_max: of the file as it lies on the disk.
        unpacked_bytes_max: of all members of an archive, by its directory. A 3.9 MB 3MF can hold
            1.6 GB of XML, which takes 5.8 GB to parse.
        triangles_max: 2 million take 1.3 GB and a minute; more adds no printable detail.
        memory_bytes_max: address space of this process and, separately, of the engine.
        engine_s_max: wall time of the engine. A large part with fine layers takes minutes.
        output_bytes_max: of one file that is written. The longest plates have some 150 MB.
    """

    model_bytes_max: int = Field(default=512 * MIB, gt=0)
    unpacked_bytes_max: int = Field(default=512 * MIB, gt=0)
    triangles_max: int = Field(default=3_000_000, gt=0)
    memory_bytes_max: int = Field(default=4096 * MIB, gt=0)
    engine_s_max: float = Field(default=900.0, gt=0)
    output_bytes_max: int = Field(default=1024 * MIB, gt=0)


# More don't fit on any bed, and a job of more is several plates anyway.
Copies: TypeAlias = Annotated[int, Field(ge=1, le=500)]


class Bed(Shape):
    """A build volume without a profile: what inspecting needs of a printer.

    Attributes:
        name: how answers call it.
        size_mm: x, y, z.
    """

    name: str
    size_mm: tuple[
        Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]
    ]


class Source(Shape):
    """A model's file, and how its numbers are meant.

    Attributes:
        model_path: the model's file.
        name: what people call it; its suffix is a hint where the path has none.
        unit: of the file's numbers; None for what file or format say.
        fit_mm: the longest side to scale to, for models without a size; instead of `unit`.
        up: the axis that points up; None for the format's.
    """

    model_path: Path
    name: str = ""
    unit: Unit | None = None
    fit_mm: Annotated[float, Field(gt=0)] | None = None
    up: Up | None = None

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if self.unit is not None and self.fit_mm is not None:
            raise ValueError("either the unit or the size to fit (fit_mm) can be given")
        return self

    @property
    def title(self) -> str:
        """What to call it."""
        return self.name or self.model_path.stem


class Model(Source):
    """One more model on the same plate, and how often."""

    copies: Copies = 1


class _Request(Source):
    """What both requests share.

    Attributes:
        configs: the folder with printers, materials and profiles; None for the one that ships.
        limits: what it may cost.
    """

    configs: Path | None = None
    limits: Limits = Limits()


class ProbeRequest(Shape):
    """Is the engine installed on this machine?"""

    kind: Literal["probe"]
    engine: str = "prusaslicer"
    limits: Limits = Limits()


class InspectRequest(_Request):
    """Look at a model: what is it, and which printers can take it.

    Attributes:
        printers: printer classes by name, or beds given outright; empty for all classes known.
        material: what it is to be sliced for, with `quality` and `settings`; what is unknown is
            refused now and not when the slicing begins. Empty where that is open.
        engine: what it is to be sliced with; it must be installed.
    """

    kind: Literal["inspect"]
    printers: tuple[str | Bed, ...] = ()
    material: str = ""
    quality: str = ""
    settings: Overrides = Overrides()
    engine: str = "prusaslicer"


class SliceRequest(_Request):
    """Make a plate of a model for one class of printer.

    Attributes:
        output_path: where the G-code goes. Nothing appears there before it is whole.
        engine: a name of the registry.
        copies: of the model; as many go on the plate as have room.
        models: others that go on the same plate.
        orient: turn each part the way that prints best.
        repair: make torn surfaces whole.
        pictures: put PNGs of model and plate beside the output, named after it.
    """

    kind: Literal["slice"]
    printer: str
    material: str
    output_path: Path
    quality: str = "standard"
    settings: Overrides = Overrides()
    engine: str = "prusaslicer"
    copies: Copies = 1
    models: Annotated[tuple[Model, ...], Field(max_length=100)] = ()
    orient: bool = False
    repair: bool = True
    pictures: bool = True


Request: TypeAlias = ProbeRequest | InspectRequest | SliceRequest

_REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="kind")])


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
class SliceResult:
    """A plate: where it lies, what it is, and what it needs.

    Attributes:
        settings: every value of the merged configuration that shaped it, `section.key`.
        time_s: print time as the engine estimates it, heating left out.
        bounds_mm: least and greatest x, y, z of what is extruded after the start code.
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
    copies_on_plate: int = 1
    copies_left: int = 0
    plates_needed: int = 1
    parts: tuple[PartResult, ...] = ()
    pictures: tuple[Picture, ...] = ()


def parse_request(text: bytes | str) -> Request:
    """Return the request in one JSON document.

    Raises:
        RequestInvalid: it is no JSON, or a field is missing, unknown or out of range.
        SettingInvalid: all is well but a setting, which a person chose.
    """
    try:
        return _REQUEST.validate_json(text)
    except ValidationError as error:
        where, what = first_fault(error)
        field_name = where.partition(".")[2]  # the first step is the request's kind
        if field_name.startswith("settings."):
            raise _setting_invalid(field_name.removeprefix("settings."), what) from error
        place = f' at "{field_name}"' if field_name else ""
        raise RequestInvalid(f"The slicing request is wrong{place}: {what}.") from error


def _setting_invalid(name: str, what: str) -> SettingInvalid:
    known = tuple(Overrides.model_fields)
    if name.partition(".")[0] not in known:
        what = f"there is none of that name; choose from: {', '.join(known)}"
    return SettingInvalid(f'The setting "{name}" can\'t be used: {what}.', name=name, known=known)
