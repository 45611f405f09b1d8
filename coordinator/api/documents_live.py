"""The shapes of what live connections tell."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from coordinator.api.documents import Facts, Moment, PrinterDocument, Ratio, TurnDocument
from coordinator.api.documents_farm import EventDocument
from coordinator.domain.generations import GenerationState
from coordinator.domain.jobs import JobState
from coordinator.domain.printers import PrinterStatus


class JobGlanceDocument(TurnDocument):
    """A job as a list of many shows it; see `JobDocument`, which has all of it."""

    id: str
    name: str
    state: JobState
    reason: str
    held: bool
    copies: int
    copies_finished: int
    copies_live: int
    preparing_ratio: Ratio | None
    material: str
    printer_class: str
    printer_id: str | None
    approved: bool
    owner: str
    priority: int
    due_at: Moment | None
    created_at: Moment
    updated_at: Moment
    version: int


class GenerationGlanceDocument(TypedDict):
    """A generation as a list of many shows it; see `GenerationDocument`, which has all of it."""

    id: str
    state: GenerationState
    provider: str
    owner: str
    name: str
    progress: Ratio | None
    stage: str
    waits: str
    model_id: str
    job_id: str
    updated_at: Moment


class CountsDocument(TypedDict):
    """How many there are, by status and by state."""

    printers: dict[PrinterStatus, int]
    jobs: dict[JobState, int]


class GoneDocument(TypedDict):
    """What is told of no longer, by id: jobs and generations that have ended."""

    printers: list[str]
    jobs: list[str]
    generations: list[str]


class LiveMessage(TypedDict):
    """What a live connection tells; which parts there are follows from the permissions.

    A snapshot has `printers`, `jobs` and `generations` as lists, all of them (of jobs the open
    ones, a thousand at most, of generations the two hundred that came last). A delta has them
    by id, each with the fields that changed, or all fields where it is new; of a printer's `live`,
    its `temperatures` and `host`, where they were there, only what changed in them (a sensor that
    is null is gone); `gone` are ids. Deltas
    are numbered without a gap from the snapshot's `sequence` on: who misses one sends
    `{"kind": "resync"}` and gets a snapshot.
    """

    kind: Literal["snapshot", "delta"]
    stream: str
    sequence: int
    printers: NotRequired[list[PrinterDocument] | dict[str, Facts]]
    jobs: NotRequired[list[JobGlanceDocument] | dict[str, Facts]]
    generations: NotRequired[list[GenerationGlanceDocument] | dict[str, Facts]]
    counts: NotRequired[CountsDocument]
    gone: NotRequired[GoneDocument]
    history: NotRequired[list[EventDocument]]


class TicketDocument(TypedDict):
    """What opens a live connection once, soon, as `?ticket=`: browsers set no header there."""

    ticket: str
    expires_at: Moment
