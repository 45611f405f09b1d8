"""Generations: one request to a provider of models, from the wish to a model's version.

Theory. A generation is one durable row, and what costs money happens between two of its states.
SUBMITTING is stored before the provider is called, and the task's handle in the same transaction
that leaves SUBMITTING. So whoever dies in between leaves a row that says that the call may have
happened: it becomes UNSURE, unless the provider promises that the same call does no harm twice.
UNSURE is asked for at the provider, where it can tell, and put to a person where it can't; it is
never sent again on a guess. From RUNNING on nothing costs any more: looking, fetching and making
are repeated as often as it takes.

A task that was run and failed may be followed by another (REPEAT), which is a further paid call:
only within what the request may cost. Where an address of a result is no longer good, the task is
looked at once more (LOOK). What was made waits for approval where the farm wants it so, becomes a
job where one was wanted (ORDERING), and is DONE.

An answer to a paid call that comes after others gave the call up still counts (START or SUCCEED of
a row that is UNSURE or WANTED again): what was paid for is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from coordinator.domain.history import Plain
from coordinator.domain.machine import Machine
from coordinator.domain.providing import Blame, Handle, Kind
from coordinator.errors import IllegalTransition

Setting: TypeAlias = str | int | float | bool


class GenerationState(StrEnum):
    """Where a generation stands."""

    WANTED = "wanted"
    SUBMITTING = "submitting"
    UNSURE = "unsure"
    RUNNING = "running"
    FETCHING = "fetching"
    MAKING = "making"
    AWAITING_APPROVAL = "awaiting_approval"
    ORDERING = "ordering"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class GenerationEvent(StrEnum):
    """What moves a generation."""

    SUBMIT = "submit"  # said before the paid call
    PUT_OFF = "put_off"  # the call certainly made nothing
    LOSE = "lose"  # nobody knows whether it did
    START = "start"  # there is a task
    SUCCEED = "succeed"  # there is a result to be fetched
    REPEAT = "repeat"  # the task failed, and another may be paid for
    LOOK = "look"  # the result's address is no longer good
    KEEP = "keep"  # the result is in our store
    AWAIT = "await"  # a person has to approve it
    ORDER = "order"  # a job is to be made of it
    FINISH = "finish"
    FAIL = "fail"
    CANCEL = "cancel"


_S, _E = GenerationState, GenerationEvent

MACHINE = Machine(
    "generation",
    _S.WANTED,
    {
        (_S.WANTED, _E.SUBMIT): _S.SUBMITTING,
        (_S.WANTED, _E.START): _S.RUNNING,
        (_S.WANTED, _E.SUCCEED): _S.FETCHING,
        # What exists already is used: no call is made.
        (_S.WANTED, _E.AWAIT): _S.AWAITING_APPROVAL,
        (_S.WANTED, _E.ORDER): _S.ORDERING,
        (_S.WANTED, _E.FINISH): _S.DONE,
        (_S.WANTED, _E.FAIL): _S.FAILED,
        (_S.WANTED, _E.CANCEL): _S.CANCELLED,
        (_S.SUBMITTING, _E.PUT_OFF): _S.WANTED,
        (_S.SUBMITTING, _E.LOSE): _S.UNSURE,
        (_S.SUBMITTING, _E.START): _S.RUNNING,
        (_S.SUBMITTING, _E.SUCCEED): _S.FETCHING,
        (_S.SUBMITTING, _E.FAIL): _S.FAILED,
        (_S.UNSURE, _E.PUT_OFF): _S.WANTED,
        (_S.UNSURE, _E.START): _S.RUNNING,
        (_S.UNSURE, _E.SUCCEED): _S.FETCHING,
        (_S.UNSURE, _E.FAIL): _S.FAILED,
        (_S.UNSURE, _E.CANCEL): _S.CANCELLED,
        (_S.RUNNING, _E.SUCCEED): _S.FETCHING,
        (_S.RUNNING, _E.REPEAT): _S.WANTED,
        (_S.RUNNING, _E.FAIL): _S.FAILED,
        (_S.RUNNING, _E.CANCEL): _S.CANCELLED,
        (_S.FETCHING, _E.LOOK): _S.RUNNING,
        (_S.FETCHING, _E.KEEP): _S.MAKING,
        (_S.FETCHING, _E.FAIL): _S.FAILED,
        (_S.FETCHING, _E.CANCEL): _S.CANCELLED,
        (_S.MAKING, _E.AWAIT): _S.AWAITING_APPROVAL,
        (_S.MAKING, _E.ORDER): _S.ORDERING,
        (_S.MAKING, _E.FINISH): _S.DONE,
        (_S.MAKING, _E.FAIL): _S.FAILED,
        (_S.MAKING, _E.CANCEL): _S.CANCELLED,
        (_S.AWAITING_APPROVAL, _E.ORDER): _S.ORDERING,
        (_S.AWAITING_APPROVAL, _E.FINISH): _S.DONE,
        (_S.AWAITING_APPROVAL, _E.CANCEL): _S.CANCELLED,
        (_S.ORDERING, _E.FINISH): _S.DONE,
    },
)

ENDED = frozenset({_S.DONE, _S.FAILED, _S.CANCELLED})
# What takes one of a provider's places. What is UNSURE may run there too, but must not keep others
# out until a person comes: the provider itself says where it is full.
AT_PROVIDER = frozenset({_S.SUBMITTING, _S.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A picture that a wish came with, as an artifact."""

    sha256: str
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Printing:
    """How what is made is to be printed; empty means that any will do, as in a job."""

    copies: int = 1
    material: str = ""
    quality: str = ""
    printer_class: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asked for; never changed.

    Attributes:
        name: of the model; `named`: somebody chose it, else the source's own name for it counts.
        project_id, model_id: where the version belongs; empty for a model of its own.
        continues: the generation whose result this one changes, in a conversation.
        printing: None where no job is wanted.
        reuse: what the same request brought before is good enough.
        cost_max: what all paid calls together may cost, in the provider's unit; None leaves it to
            the provider's settings.
        others: as in `Wish`.
    """

    kind: Kind
    name: str
    prompt: str = ""
    pictures: tuple[Sheet, ...] = ()
    continues: str = ""
    code: str = ""
    parameters: Mapping[str, Setting] = field(default_factory=dict)
    url: str = ""
    mesh_sha256: str = ""
    size_mm: float | None = None
    seed: int | None = None
    options: Mapping[str, Setting] = field(default_factory=dict)
    project_id: str = ""
    model_id: str = ""
    printing: Printing | None = None
    reuse: bool = False
    cost_max: Decimal | None = None
    named: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A piece of a result on its way into our store; as `Piece`, but for the bytes.

    Attributes:
        sha256: empty until it is there.
    """

    role: str
    name: str
    suffix: str
    url: str = field(default="", repr=False)
    size_bytes: int | None = None
    expires_at: datetime | None = None
    own: bool = False
    item: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What went wrong last, for a person and for programs; as `ProviderFault`."""

    blame: Blame
    code: str
    message: str
    request_id: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One request to a provider.

    Attributes:
        provider: its name in the settings; `service` is what it is.
        owner: whose it is, as history names them.
        approved: nobody has to approve what comes of it.
        fingerprint: the same for requests that ask the same of the same.
        handle: the task at the provider; None while there is none.
        submits: how many paid calls were begun, those that certainly made nothing not counted.
        tries: failures in a row of what is being tried now.
        looks: how often the task was looked at; `renewals` how often for fresh addresses.
        recalls: how often the provider was asked for a lost task.
        next_at: when there is something to do; None waits for a person, or has ended.
        deadline_at: what was not reached by then is given up.
        cancel_wanted: it ends where that is possible.
        doubtful: the present call was made, its answer lost, and it is said again under its key.
        waits: why nothing happens now, for a person.
        progress, stage, queue_position: as the provider told last.
        parcels: the pieces of the result.
        versions: what came of it: model and number; of a report what it is about.
        job_ids: of the jobs that were made of it, in the order of its models.
        said, told: as in `Look`.
        remarks: what there is to say of what was made, for a person.
        worker, leased_until: who works on it, and how long nobody else does.
        version: grows with every change.
    """

    generation_id: str
    provider: str
    service: str
    owner: str
    approved: bool = True
    asked: Asked
    fingerprint: str = ""
    state: GenerationState = GenerationState.WANTED
    handle: Handle | None = None
    submits: int = 0
    tries: int = 0
    looks: int = 0
    renewals: int = 0
    recalls: int = 0
    next_at: datetime | None = None
    submitted_at: datetime | None = None
    deadline_at: datetime | None = None
    cancel_wanted: bool = False
    doubtful: bool = False
    waits: str = ""
    progress: float | None = None
    stage: str = ""
    queue_position: int | None = None
    parcels: tuple[Parcel, ...] = ()
    versions: tuple[tuple[str, int], ...] = ()
    job_ids: tuple[str, ...] = ()
    said: str = ""
    told: Mapping[str, Plain] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    trouble: Trouble | None = None
    worker: str = ""
    leased_until: datetime | None = None
    created_at: datetime
    updated_at: datetime
    version: int = 0

    @property
    def key(self) -> str:
        """What the provider is given to know the present paid call by."""
        return f"{self.generation_id}-{max(self.submits, 1)}"

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in ENDED


def advance(generation: Generation, event: GenerationEvent, now: datetime) -> Generation:
    """Return the generation after an event; what ends has nothing more to do.

    Raises:
        IllegalTransition: the table has no such move.
    """
    state = MACHINE.after(generation.state, event)
    moved = replace(generation, state=state, tries=0, waits="", next_at=now, updated_at=now)
    if state in ENDED or state is GenerationState.AWAITING_APPROVAL:
        return replace(moved, next_at=None, stage="", progress=None, queue_position=None)
    return moved


def require(generation: Generation, state: GenerationState) -> None:
    """Go on only where a generation still is where its worker saw it.

    Raises:
        IllegalTransition: somebody ended it, settled it or took it over meanwhile.
    """
    if generation.state is not state:
        raise IllegalTransition(MACHINE.name, generation.state, f"work on what was {state}")
