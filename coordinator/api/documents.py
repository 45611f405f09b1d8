"""The shapes of answers about the farm: what `render.py` makes, and the API's document tells.

Every key is always there and no others are. Times are RFC 3339 in UTC; what has a dimension has its
unit in the name.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

from pydantic import Field
from typing_extensions import TypedDict

from coordinator.domain.estimates import Source
from coordinator.domain.jobs import JobState
from coordinator.domain.plates import PlateState
from coordinator.domain.printers import BedState, PrinterStatus
from coordinator.domain.runs import RunState
from protocols.wire.vocabulary import BedPolicy, Level, Mode, PrinterState

Moment: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Ratio: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Facts: TypeAlias = Mapping[str, Any]

Item = TypeVar("Item")


class Items(TypedDict, Generic[Item]):
    """A list, all of it."""

    items: list[Item]


class Page(TypedDict, Generic[Item]):
    """A page of a list; `next` is the cursor of the page behind it, null at the end.

    `total` is how many there are on all pages, null where they are too many to be counted.
    """

    items: list[Item]
    next: str | None
    total: int | None


class EstimateDocument(TypedDict):
    """How long printing takes.

    `source` tells what it rests on: past runs of the `printer` or of its `class`, or the `slicer`.
    Null: `low_s` and `high_s`, between which 8 of 10 runs lie, where only the slicer tells.
    """

    seconds: float
    low_s: float | None
    high_s: float | None
    source: Source


class PlateDocument(TypedDict):
    """A plate, and what past runs say of its time. Null: what its file does not tell.

    `pictures` are addresses by what they show and their width: `plate-400`.
    """

    sha256: str
    url: str
    name: str
    size_bytes: int
    printer_class: str
    material: str
    copies: int
    time_s: float | None
    filament_mm: float | None
    estimate: EstimateDocument | None
    filament_g: float | None
    cost: float | None
    layer_count: int | None
    line_count: int | None
    engine: str
    remarks: list[str]
    pictures: dict[str, str]


class UnmadeDocument(TypedDict):
    """A plate that is `wanted` or `refused`. Null: `ratio` unless it is being sliced now."""

    printer_class: str
    material: str
    state: PlateState
    reason: str
    ratio: Ratio | None
    stage: str


class RunDocument(TypedDict):
    """One attempt to print a plate. Null: `started_at` and `ended_at` before they happened."""

    id: str
    job_id: str
    printer_id: str
    agent_id: str
    epoch: int
    plate_sha256: str
    copies: int
    state: RunState
    mode: Mode
    reason: str
    line: int
    layer: int
    facts: Facts
    leased_at: Moment
    started_at: Moment | None
    ended_at: Moment | None


class WholeRunDocument(RunDocument):
    """A run, with the last lines between host and printer where it ended badly."""

    dialogue: list[str]


class WaitDocument(TypedDict):
    """One reason why a job does not go on.

    Null: `printer_id` where it concerns no single printer, `estimate` of a copy there where no
    plate for it tells.
    """

    printer_id: str | None
    code: str
    words: str
    estimate: EstimateDocument | None


class ProvenanceDocument(TypedDict):
    """Where a part came from, by name: `prompt`, `author`, `licence` ...; empty for a file.

    The same stands at the end of each plate that was made, as comments.
    """

    facts: dict[str, str]


class TurnDocument(TypedDict):
    """By what a job is served among those of its priority: first `turn_due_at`, then `turn_at`.

    They are its due date and its arrival, unless somebody moved it; `turn_at` to the microsecond.
    Null: `turn_due_at` where it counts as not due, and comes after all that are.
    """

    turn_due_at: Moment | None
    turn_at: str


class JobDocument(TurnDocument):
    """A job with its plates, runs and reasons to wait.

    `estimate`, `filament_g` and `cost` are of all copies, one after the other, by the fastest
    plate. `late`: it is not finished, or was not, when it is due; `warnings` are spools
    that will not last for it. Null: `model_sha256` where plates
    were given ready, `model_id` and `model_version` where a file was brought, `printer_id` where
    any will do, `due_at` where nobody said, `preparing_ratio` where nothing is being sliced; and
    the three above where no plate tells.
    """

    id: str
    name: str
    state: JobState
    reason: str
    owner: str
    approved: bool
    held: bool
    copies: int
    copies_per_plate: int
    copies_finished: int
    copies_live: int
    preparing_ratio: Ratio | None
    material: str
    quality: str
    printer_class: str
    printer_group: str
    printer_tags: list[str]
    printer_id: str | None
    settings: Facts
    priority: int
    due_at: Moment | None
    late: bool
    warnings: list[str]
    retries_max: int
    model_sha256: str | None
    model_id: str | None
    model_version: int | None
    estimate: EstimateDocument | None
    filament_g: float | None
    cost: float | None
    plates: list[PlateDocument]
    unmade: list[UnmadeDocument]
    runs: list[RunDocument]
    waits: list[WaitDocument]
    created_at: Moment
    updated_at: Moment
    version: int


class BedDocument(TypedDict):
    """A printer's bed. Null: `changed_at` where nobody said anything of it yet."""

    policy: BedPolicy
    state: BedState
    changed_by: str
    changed_at: Moment | None


class NamedJobDocument(TypedDict):
    """The job that a printer works for."""

    id: str
    name: str
    held: bool


class StagedDocument(TypedDict):
    """A run that a printer holds in advance; `permitted`: it may start unheard."""

    run: RunDocument
    job: NamedJobDocument
    permitted: bool


class TemperatureDocument(TypedDict):
    """A reading. Null: `target_celsius` where it is unknown; 0 is off."""

    actual_celsius: float
    target_celsius: float | None


class LiveDocument(TypedDict):
    """What a printer last said of itself. Null: what it can't tell.

    `fan_ratio` is of the fan that cools the part; `speed_ratio` and `flow_ratio` are what the
    plate's own are multiplied by.
    """

    seen_at: Moment
    state: PrinterState
    run_id: str | None
    temperatures: dict[str, TemperatureDocument]
    line: int
    line_count: int
    layer: int
    layer_count: int
    progress_ratio: float
    remaining_s: float | None
    fan_ratio: float | None
    speed_ratio: float | None
    flow_ratio: float | None
    fan_rpm: float | None
    hotend_fan_rpm: float | None


class HostDocument(TypedDict):
    """The machine beside a printer. Null: everything that it does not tell."""

    under_voltage: bool | None
    under_voltage_seen: bool | None
    throttled: bool | None
    throttled_seen: bool | None
    cpu_celsius: float | None
    disk_free_bytes: int | None
    memory_free_bytes: int | None
    load_ratio: float | None


class FindingDocument(TypedDict):
    """One thing that is wrong now; it is about the `printer`, or about its `host`."""

    about: str
    rule: str
    level: Level
    words: str
    evidence: dict[str, float]


class NowDocument(TypedDict):
    """What is true of a printer only now. Null: see `PrinterDocument`.

    `commands` are what its agent does for it: `send`, `emergency_stop`, `picture` ... `away` says
    why nothing is heard of it and what to do; empty while it is `online`.
    """

    waits_for: str
    away: str
    live: LiveDocument | None
    host: HostDocument | None
    findings: list[FindingDocument]
    commands: list[str]


class StandingDocument(TypedDict):
    """What is written of a printer.

    `since` is when it last came or went, or was seen to be something else. Null: `run` and `job`
    where it holds no lease, `spool_id` where nobody loaded one, `since` where nobody wrote it down.
    """

    id: str
    agent_id: str
    name: str
    printer_class: str
    driver: str
    material: str
    spool_id: str | None
    printer_group: str
    tags: list[str]
    location: str
    notes: str
    status: PrinterStatus
    seen: PrinterState
    message: str
    online: bool
    foreign: bool
    in_service: bool
    quarantine: str
    since: Moment | None
    can_pause: bool
    epoch: int
    bed: BedDocument
    staged: list[StagedDocument]
    run: RunDocument | None
    job: NamedJobDocument | None


class PrinterDocument(StandingDocument, NowDocument):
    """A printer with what it does now.

    Null: `run` and `job` where it holds no lease, `live` where nothing was heard of it yet, `host`
    where the machine beside it tells nothing or is away.
    """
