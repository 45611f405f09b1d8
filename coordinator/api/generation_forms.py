"""What requests about generations bring, checked."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from coordinator.api.names import NAME_CHARACTERS_MAX
from coordinator.api.queries import LIMIT, LIMIT_MAX, Query, Word
from coordinator.domain.generations import Asked, GenerationState, Printing, Setting, Sheet
from coordinator.domain.providing import Kind
from coordinator.usecases.generating import Settlement

PROMPT_CHARACTERS_MAX = 20_000
CODE_CHARACTERS_MAX = 262_144
URL_CHARACTERS_MAX = 2000
PICTURES_MAX = 8
SETTINGS_MAX = 64
# A house; longer than every bed, and the workshop says so.
SIZE_MM_MAX = 10_000.0
# What a model is called where nobody says: its first words.
TITLE_CHARACTERS_MAX = 60

_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Id = Annotated[str, Field(max_length=64)]
_Text = Annotated[str, Field(max_length=PROMPT_CHARACTERS_MAX)]
_Value = Annotated[str, Field(max_length=2000)] | bool | int | float
_Settings = Annotated[
    dict[Annotated[str, Field(max_length=64)], _Value], Field(max_length=SETTINGS_MAX)
]
_STRICT = ConfigDict(
    extra="forbid", strict=True, str_strip_whitespace=True, allow_inf_nan=False, defer_build=True
)


class PrintForm(BaseModel):
    """How what is made is to be printed; empty means that any will do."""

    model_config = _STRICT

    copies: int = Field(default=1, ge=1, le=100_000)
    material: str = Field(default="", max_length=64)
    quality: str = Field(default="", max_length=64)
    printer_class: str = Field(default="", max_length=64)


class NewGenerationForm(BaseModel):
    """A request to a provider; without `kind` it follows from what is there.

    `pictures` are hashes that `POST /generation-pictures` answered with.
    """

    model_config = _STRICT

    provider: str = Field(default="", max_length=64)
    kind: Literal["text", "image", "multiview", "code", "link", "mesh"] | None = None
    prompt: _Text = Field(default="", examples=["a hook for a 25 mm rail"])
    name: str = Field(default="", max_length=NAME_CHARACTERS_MAX)
    pictures: list[_Sha256] = Field(default_factory=list, max_length=PICTURES_MAX)
    code: str = Field(default="", max_length=CODE_CHARACTERS_MAX)
    parameters: _Settings = Field(default_factory=dict)
    url: str = Field(default="", max_length=URL_CHARACTERS_MAX)
    mesh_sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    size_mm: float | None = Field(default=None, gt=0, le=SIZE_MM_MAX)
    seed: int | None = Field(default=None, ge=0, lt=2**63)
    options: _Settings = Field(default_factory=dict)
    project_id: _Id = ""
    model_id: _Id = ""
    print: PrintForm | None = None
    reuse: bool = False
    cost_max: float | None = Field(default=None, gt=0, le=1e9)


class MessageForm(BaseModel):
    """What is said next in a conversation."""

    model_config = _STRICT

    prompt: str = Field(min_length=1, max_length=PROMPT_CHARACTERS_MAX)
    pictures: list[_Sha256] = Field(default_factory=list, max_length=PICTURES_MAX)
    parameters: _Settings = Field(default_factory=dict)
    print: PrintForm | None = None


class VariantForm(BaseModel):
    """What is to be different where code is rendered again; `parameters` not named stay."""

    model_config = _STRICT

    parameters: _Settings = Field(default_factory=dict, examples=[{"width": 30}])
    print: PrintForm | None = None
    reuse: bool = True


class PictureForm(BaseModel):
    """A picture needs nothing said beside its file."""

    model_config = _STRICT


class RejectForm(BaseModel):
    """Why it is rejected."""

    model_config = _STRICT

    reason: str = Field(default="", max_length=1000)


class SettleGenerationForm(BaseModel):
    """What became of a paid call whose answer was lost; `task_id` goes with `happened`."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)

    outcome: Settlement
    task_id: str = Field(default="", max_length=200)


class GenerationsQuery(Query):
    """Which generations, and which page of them, the newest first."""

    state: list[GenerationState] = Field(default=[], description="any of these; may be repeated")
    provider: Word = ""
    model_id: Word = ""
    owner: Word = Field(default="", description="as history names them: user:anna")
    mine: bool = Field(default=False, description="only one's own")
    text: str = Field(default="", max_length=200, description="in name, words or address")
    limit: int = Field(default=LIMIT, ge=1, le=LIMIT_MAX)
    cursor: str = Field(default="", max_length=200, description="`next` of the page before")


def asked_of(form: NewGenerationForm, sheets: tuple[Sheet, ...]) -> Asked:
    """Return what a form asks for."""
    return Asked(
        kind=_kind_of(form),
        name=form.name or _title(form),
        named=bool(form.name),
        prompt=form.prompt,
        pictures=sheets,
        code=form.code,
        parameters=_settings(form.parameters),
        url=form.url,
        mesh_sha256=form.mesh_sha256,
        size_mm=form.size_mm,
        seed=form.seed,
        options=_settings(form.options),
        project_id=form.project_id,
        model_id=form.model_id,
        printing=printing_of(form.print),
        reuse=form.reuse,
        cost_max=None if form.cost_max is None else Decimal(str(form.cost_max)),
    )


def printing_of(form: PrintForm | None) -> Printing | None:
    """Return how something is to be printed, None where no job is wanted."""
    return Printing(**form.model_dump()) if form is not None else None


def _settings(given: dict[str, Setting]) -> dict[str, Setting]:
    return dict(given)


def _kind_of(form: NewGenerationForm) -> Kind:
    if form.kind is not None:
        return Kind(form.kind)
    if form.pictures:
        return Kind.IMAGE if len(form.pictures) == 1 else Kind.MULTIVIEW
    for given, kind in ((form.url, Kind.LINK), (form.mesh_sha256, Kind.MESH)):
        if given:
            return kind
    return Kind.CODE if form.code and not form.prompt else Kind.TEXT


def _title(form: NewGenerationForm) -> str:
    words = " ".join((form.prompt or form.url.rpartition("/")[2]).split())
    if len(words) <= TITLE_CHARACTERS_MAX:
        return words or "generated"
    return words[:TITLE_CHARACTERS_MAX].rpartition(" ")[0] or words[:TITLE_CHARACTERS_MAX]
