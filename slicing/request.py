"""What the child process is asked; the shapes of README.md as types."""

import json
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, ValidationError, field_validator, model_validator

from protocols.gcode.rules import RULES, Severity
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

FactName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]


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
        scale: what to multiply the file's numbers with; instead of both.
        up: the axis that points up; None for the format's.
    """

    model_path: Path
    name: str = ""
    unit: Unit | None = None
    fit_mm: Annotated[float, Field(gt=0)] | None = None
    scale: Annotated[float, Field(gt=0)] | None = None
    up: Up | None = None

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if sum(each is not None for each in (self.unit, self.fit_mm, self.scale)) > 1:
            raise ValueError("either the unit or the size to fit (fit_mm) or a scale can be given")
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
        orient: it will be turned to print, so that it fits where it does some way up.
    """

    kind: Literal["inspect"]
    printers: tuple[str | Bed, ...] = ()
    material: str = ""
    quality: str = ""
    settings: Overrides = Overrides()
    engine: str = "prusaslicer"
    orient: bool = False

    @property
    def turns(self) -> bool:
        """Whether it will be turned, by the request or by a person's setting."""
        return turns(self.orient, self.settings)


class SliceRequest(_Request):
    """Make a plate of a model for one class of printer.

    Attributes:
        output_path: where the G-code goes. Nothing appears there before it is whole.
        engine: a name of the registry.
        cache_folder: plates that were made before are taken from there, new ones kept; None: not.
        cache_bytes_max: how much may lie there; the least recently used go first.
        copies: of the model; as many go on the plate as have room.
        models: others that go on the same plate.
        orient: turn each part the way that prints best.
        repair: make torn surfaces whole.
        pictures: put PNGs of model and plate beside the output, named after it.
        provenance: where the part came from, written as comments at the plate's end; it makes no
            other plate, so that one that was made before serves.
        designer_settings: below the settings, take over a few that a 3MF brings. For people who may
            decide that; the designer is not one of them.
    """

    kind: Literal["slice"]
    printer: str
    material: str
    output_path: Path
    quality: str = "standard"
    settings: Overrides = Overrides()
    engine: str = "prusaslicer"
    cache_folder: Path | None = None
    cache_bytes_max: int = Field(default=2048 * MIB, gt=0)
    designer_settings: bool = False
    copies: Copies = 1
    models: Annotated[tuple[Model, ...], Field(max_length=100)] = ()
    orient: bool = False
    repair: bool = True
    pictures: bool = True
    provenance: Annotated[dict[FactName, str], Field(max_length=40)] = Field(default_factory=dict)

    @property
    def turns(self) -> bool:
        """Whether parts are turned, by the request or by a person's setting."""
        return turns(self.orient, self.settings)


class MakeRequest(_Request):
    """Make geometry that came from somewhere printable: scale, mend, turn it, and look at it.

    Attributes:
        output_folder: gets `model.3mf` or `model.stl` as the last act, and pictures before it.
        printers: as in `InspectRequest`: which of them can take it is told.
        orient: turn it the way that prints best.
        triangles_wanted: with more it is made coarser, as far as no print shows that.
        pictures: draw it.
        author, licence, source: written into the file, where its format has room.
    """

    kind: Literal["make"]
    output_folder: Path
    format: Literal["3mf", "stl"] = "3mf"
    printers: tuple[str | Bed, ...] = ()
    orient: bool = True
    triangles_wanted: int = Field(default=500_000, gt=0)
    pictures: bool = True
    author: str = ""
    licence: str = ""
    source: str = ""


class ConvertRequest(_Request):
    """Write a model as an STL, just as it is.

    Attributes:
        output_path: where the STL goes. Nothing appears there before it is whole.
    """

    kind: Literal["convert"]
    output_path: Path


class VerifyRequest(Shape):
    """Hold a ready plate against a class of printers.

    Attributes:
        gcode_path: `.gcode`, `.gco`, `.g` or `.bgcode`; its content decides which.
        material: what it is to be printed with; empty where that is open.
        policy: rule -> what a breach comes to, where the farm differs from the rules' own table.
        text_path: where the text of binary G-code goes, for printers that take only that.
    """

    kind: Literal["verify"]
    gcode_path: Path
    printer: str
    material: str = ""
    policy: dict[str, Severity] = Field(default_factory=dict)
    text_path: Path | None = None
    configs: Path | None = None
    limits: Limits = Limits()

    @field_validator("policy")
    @classmethod
    def _rules_known(cls, policy: dict[str, Severity]) -> dict[str, Severity]:
        if unknown := policy.keys() - RULES.keys():
            raise ValueError(f'there is no rule "{min(unknown)}"; there are {", ".join(RULES)}')
        return policy


class ListRequest(Shape):
    """Which profiles and settings are there?

    Attributes:
        configs: as in other requests; `limits` too, which it takes and does not need.
        vendor: list the vendors' printers on this machine too; takes a second.
        versions: ask each engine for its version; takes another.
    """

    kind: Literal["list"]
    configs: Path | None = None
    limits: Limits = Limits()
    vendor: bool = False
    versions: bool = False


class ShowRequest(Shape):
    """What does a profile hold?

    Attributes:
        name: of a printer class, a material or a quality; the first that has it is shown.
    """

    kind: Literal["show"]
    name: str
    configs: Path | None = None


class ImportRequest(Shape):
    """Take over a user's own profiles.

    Attributes:
        path: an INI, a bundle, G-code or a 3MF of PrusaSlicer; a JSON or a 3MF of Orca and Bambu.
        into: the configs folder that gets the files; nothing in it is replaced.
        beside: folders where parents of a JSON may lie.
        name: what the profiles are to be called; empty for their own names.
    """

    kind: Literal["import"]
    path: Path
    into: Path
    beside: tuple[Path, ...] = ()
    name: str = ""


Request: TypeAlias = (
    ProbeRequest
    | InspectRequest
    | SliceRequest
    | MakeRequest
    | ConvertRequest
    | VerifyRequest
    | ListRequest
    | ShowRequest
    | ImportRequest
)

# Not a union for pydantic to tell apart: it would build all of them for the one that is asked.
_KINDS: dict[str, type[Request]] = {
    "probe": ProbeRequest,
    "inspect": InspectRequest,
    "slice": SliceRequest,
    "make": MakeRequest,
    "convert": ConvertRequest,
    "verify": VerifyRequest,
    "list": ListRequest,
    "show": ShowRequest,
    "import": ImportRequest,
}


def turns(asked: bool, settings: Overrides) -> bool:
    """Whether a part is turned; a setting for the plate outranks the request."""
    return asked if settings.orient is None else settings.orient


def parse_request(text: bytes | str) -> Request:
    """Return the request in one JSON document.

    Raises:
        RequestInvalid: it is no JSON, or a field is missing, unknown or out of range.
        SettingInvalid: all is well but a setting, which a person chose.
    """
    try:
        return _shape_of(text).model_validate_json(text)
    except ValidationError as error:
        field_name, what = first_fault(error)
        if field_name.startswith("settings."):
            raise _setting_invalid(field_name.removeprefix("settings."), what) from error
        place = f' at "{field_name}"' if field_name else ""
        raise RequestInvalid(f"The slicing request is wrong{place}: {what}.") from error


def _shape_of(text: bytes | str) -> type[Request]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestInvalid(f"The slicing request is wrong: it is no JSON ({error}).") from error
    kind = document.get("kind") if isinstance(document, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        known = ", ".join(_KINDS)
        raise RequestInvalid(f'The slicing request is wrong at "kind": it is one of {known}.')
    return _KINDS[kind]


def _setting_invalid(name: str, what: str) -> SettingInvalid:
    known = tuple(Overrides.model_fields)
    if name.partition(".")[0] not in known:
        what = f"there is none of that name; choose from: {', '.join(known)}"
    return SettingInvalid(f'The setting "{name}" can\'t be used: {what}.', name=name, known=known)
