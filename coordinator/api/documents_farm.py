"""The shapes of answers about the farm as a whole: its health, its history, what was said."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from coordinator.api.documents import Facts
from coordinator.domain.rebuilding import FaultCode


class TroubleDocument(TypedDict):
    """What is wrong with a part of the coordinator, and what to do."""

    part: str
    words: str


class CountDocument(TypedDict):
    """How many there are, and how many of them are well."""

    all: int
    well: int


class OutboxDocument(TypedDict):
    """Documents that printers' agents were not told yet, 1000 where there are more."""

    waiting: int
    oldest_s: float


class FiguresDocument(TypedDict):
    """How much of everything there is. Null: `disk_free_bytes` where nobody can look."""

    agents: CountDocument
    webhooks: CountDocument
    providers: CountDocument
    printers: dict[str, int]
    jobs: dict[str, int]
    outbox: OutboxDocument
    disk_free_bytes: int | None


class ProbeDocument(TypedDict):
    """What a probe gets: whether the coordinator lives, or can answer."""

    status: Literal["ok", "failing"]


class HealthDocument(TypedDict):
    """How the coordinator and its parts are.

    Null: `troubles` and `figures` for strangers: words name places and addresses; `figures` also
    without a database.
    """

    status: Literal["ok", "degraded", "failing"]
    version: str
    database: Literal["ok", "failing"]
    history: Literal["ok", "failing"]
    broker: Literal["ok", "failing"]
    slicer: Literal["ok", "failing"]
    disk: Literal["ok", "failing"]
    webhooks: Literal["ok", "failing"]
    providers: Literal["ok", "failing"]
    troubles: list[TroubleDocument] | None
    figures: FiguresDocument | None


class EventDocument(TypedDict):
    """One line of the history; `at` to the microsecond, as it was hashed.

    Null: `facts` and `changes` where somebody made them unreadable.
    """

    number: int
    at: str
    actor: str
    origin: str
    cause: str
    subject: str
    subject_id: str
    name: str
    facts: Facts | None
    changes: Facts | None
    hash: str


class EventsPage(TypedDict):
    """Lines of history, and the cursor to go on from as `after`."""

    items: list[EventDocument]
    next: int


class HeadDocument(TypedDict):
    """Where the history ends: to be kept elsewhere."""

    number: int
    hash: str


class FaultDocument(TypedDict):
    """What is wrong with the history. Null: `number` where it is about no line."""

    code: FaultCode
    number: int | None
    words: str


class AuditDocument(TypedDict):
    """What became of an audit. Null: `checkpoint` where nothing was archived."""

    ok: bool
    head: HeadDocument
    checkpoint: Facts | None
    rows_compared: int
    faults_count: int
    faults: list[FaultDocument]


class CommandedDocument(TypedDict):
    """What a printer answered, in its words."""

    name: str
    words: str


class FieldErrorDocument(TypedDict):
    """What is wrong with one field; `pointer` is a JSON pointer into the request: `/copies`."""

    pointer: str
    detail: str


class ProblemDocument(TypedDict):
    """Why not, after RFC 9457; `code` is stable, for programs, and `type` a page about it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[FieldErrorDocument]
    facts: NotRequired[Facts]


class CodeDocument(TypedDict):
    """One code of a problem, and what it means."""

    code: str
    status: int
    words: str
