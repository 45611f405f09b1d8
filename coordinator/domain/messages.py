"""What the farm says to the outside: which lines of history are messages, and what they hold.

`TABLE` is the whole of it. A type, once published, keeps its meaning; a line that no row fits is
the farm's own business.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType

from coordinator.domain.generations import Generation
from coordinator.domain.history import FarmEvent, Line, Plain, event_of
from coordinator.domain.jobs import Job
from coordinator.domain.printers import Printer
from coordinator.domain.providing import Blame
from coordinator.domain.runs import Run
from coordinator.domain.updates import Rollout, UpdateState


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One row: the lines that it fits, and what they are called outside.

    Attributes:
        name: of the line.
        change: a field, and the value that it must have got with the line.
        fact: a fact that the line must have, with this value; `without` one that it must not have.
        words: what it means, for who reads the list of types.
    """

    type: str
    name: str
    change: tuple[str, Plain] | None = None
    fact: tuple[str, Plain] | None = None
    without: str = ""
    words: str


def _same(name: str, words: str) -> Kind:
    return Kind(type=name, name=name, words=words)


# The first row that fits a line counts.
TABLE: tuple[Kind, ...] = (
    _same("job.received", "an order was taken"),
    _same("job.ready", "it can be printed, or waits again for a printer"),
    _same("job.leased", "a printer is reserved for it"),
    _same("job.printing", "a copy of it is printed"),
    _same("job.paused", "somebody paused it"),
    _same("job.resumed", "somebody let it go on"),
    _same("job.material_wanted", "no printer holds the material that it needs"),
    _same("job.cancelling", "it was cancelled, and what prints is stopped"),
    _same("job.cancelled", "it was cancelled, and nothing of it prints any more"),
    _same("job.finished", "all copies are printed"),
    _same("job.failed", "it ended with copies missing"),
    _same("job.lost", "a person has to say how a run of it ended"),
    _same("run.printing", "a print began, or goes on after a pause"),
    _same("run.paused", "a print is paused"),
    _same("run.finished", "a print is finished"),
    _same("run.stopped", "a print was stopped, as somebody wanted"),
    _same("run.failed", "a print failed"),
    _same("run.lost", "nobody knows how a print ended: a person has to look"),
    _same("run.discarded", "a lost print was given up, and is printed again"),
    _same("plate.made", "a model was sliced for a class of printers"),
    _same("plate.refused", "a model can't be sliced for a class of printers"),
    _same("printer.needs_clearing", "a print has ended: its bed has to be cleared"),
    Kind(
        type="printer.needs_clearing",
        name="bed.unknown",
        words="nobody knows what lies on its bed",
    ),
    # What a run of ours brings onto the bed is no work for a person before it has ended.
    Kind(
        type="printer.needs_clearing",
        name="bed.occupied",
        without="run_id",
        words="something came onto its bed, or was not taken off it",
    ),
    Kind(type="printer.clearing", name="bed.clearing", words="somebody is at its bed"),
    Kind(type="printer.cleared", name="bed.clear", words="its bed was declared clear"),
    _same("printer.registered", "a new printer"),
    _same("printer.retired", "it was taken out of the farm for good"),
    _same("printer.restored", "it was retired, and is of the farm again"),
    _same("printer.out_of_service", "a person took it out of the farm's hands"),
    _same("printer.in_service", "a person gave it back"),
    _same("printer.quarantined", "nothing is printed on it until a person has looked"),
    _same("printer.claimed_twice", "two agents announce it"),
    Kind(
        type="printer.offline",
        name="printer.changed",
        change=("online", False),
        words="its agent is gone; what prints may go on",
    ),
    Kind(
        type="printer.online",
        name="printer.changed",
        change=("online", True),
        words="its agent is back",
    ),
    Kind(
        type="printer.faulted",
        name="printer.changed",
        change=("seen", "halted"),
        words="it stopped itself",
    ),
    Kind(
        type="printer.faulted",
        name="printer.changed",
        change=("seen", "attention"),
        words="it waits for a person",
    ),
    _same("agent.online", "an agent came"),
    _same("agent.offline", "an agent went"),
    _same("agent.unsupported", "an agent speaks another version"),
    _same("agent.enrolled", "an agent has a credential of its own from now on"),
    _same("agent.enrolled_again", "an agent has a new credential; the one before opens nothing"),
    _same("agent.revoked", "an agent is shut out"),
    _same("agent.retired", "an agent was taken out of the farm with its printers"),
    _same("agent.restored", "an agent was retired, and is heard again"),
    _same("agent.updated", "an agent keeps another version"),
    Kind(
        type="agent.rolled_back",
        name="agent.update_failed",
        fact=("state", UpdateState.ROLLED_BACK.value),
        words="an agent went back to the version before: the release is no good there",
    ),
    _same("agent.update_failed", "an agent refused a release, or is silent since it tried one"),
    Kind(
        type="rollout.begun",
        name="rollout.planned",
        words="a release goes to agents from now on, or once more",
    ),
    _same("rollout.halted", "a release goes to nobody else: a person has to look, or wanted it"),
    Kind(
        type="rollout.finished",
        name="rollout.done",
        words="a release is with all agents, but for those where it failed",
    ),
    *(
        Kind(
            type="generation.held_up",
            name="generation.wanted",
            fact=("blame", blame),
            words="its provider wants credit, or a key that is good: a person sees to it",
        )
        for blame in (Blame.QUOTA.value, Blame.AUTH_CONFIG.value)
    ),
    Kind(
        type="generation.finished",
        name="generation.done",
        words="a provider's model is there, and its job where one was wanted",
    ),
    _same("generation.failed", "nothing came of a request to a provider"),
    _same("generation.cancelled", "a request to a provider ended as somebody wanted"),
    _same("generation.unsure", "a person has to say whether a paid call happened"),
    _same("generation.awaiting_approval", "a person has to look at what was made"),
    _same("history.sealed", "old events are in an archive"),
    _same("webhook.disabled", "an endpoint is not asked any more"),
)

# What somebody sends to see whether it arrives; no line of history stands behind it.
TEST_TYPE = "webhook.test"

TYPES: Mapping[str, str] = MappingProxyType({row.type: row.words for row in reversed(TABLE)})

# What only agents and the coordinator need to know of each other.
_OURS = frozenset({"nonce", "journal_id", "bed_journal_id", "boot_id", "connection_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Things:
    """What a line is about, as it is stored now; None where the line is about no such thing."""

    job: Job | None = None
    run: Run | None = None
    printer: Printer | None = None
    generation: Generation | None = None
    rollout: Rollout | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing that the farm says.

    Attributes:
        message_id: the same whenever it is said.
        number: of the line of history; 0 for a test.
        body: JSON, as it is sent.
    """

    message_id: str
    number: int
    type: str
    body: bytes


def type_of(line: Line) -> str:
    """Return what a line is called outside; empty where it is the farm's own business.

    Raises:
        ValueError: the line is not what was written.
    """
    rows = [row for row in TABLE if row.name == line.name]
    if not rows:
        return ""
    event = event_of(line)
    return next((row.type for row in rows if _fits(row, event)), "")


def _fits(row: Kind, event: FarmEvent) -> bool:
    if row.without and row.without in event.facts:
        return False
    if row.fact is not None and event.facts.get(row.fact[0]) != row.fact[1]:
        return False
    return row.change is None or event.changes.get(row.change[0]) == row.change[1]


def wanted(types: Iterable[str], its_type: str) -> bool:
    """Whether one of the patterns, `job.*` say, fits a type."""
    return any(fnmatchcase(its_type, pattern) for pattern in types)


def message_of(line: Line, its_type: str, things: Things) -> Message:
    """Return what is said of a line."""
    event = event_of(line)
    data: dict[str, Plain] = {
        "number": line.number,
        "subject": line.subject,
        "id": line.subject_id,
        **_named(line, things),
        "actor": line.actor,
        "origin": line.origin,
        "cause": line.cause,
        "facts": {name: value for name, value in event.facts.items() if name not in _OURS},
        "changes": {name: value for name, value in event.changes.items() if name not in _OURS},
    }
    # A number is the same in every farm; a hash is not.
    message_id = f"evt-{line.number}-{line.hash[:16]}"
    return Message(
        message_id=message_id,
        number=line.number,
        type=its_type,
        body=encoded(its_type, line.at, data),
    )


def encoded(its_type: str, at: str, data: Mapping[str, Plain]) -> bytes:
    """Return a message's body."""
    document = {"type": its_type, "timestamp": at, "data": data}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _named(line: Line, things: Things) -> dict[str, Plain]:
    """Return the ids that belong to what a line is about; none of them ever changes."""
    named: dict[str, Plain] = {}
    if line.subject == "plate":
        named["job_id"], _, named["printer_class"] = line.subject_id.partition("/")
    if things.run is not None:
        named |= {
            "run_id": things.run.run_id,
            "job_id": things.run.job_id,
            "printer_id": things.run.printer_id,
        }
    if line.subject in ("job", "printer", "agent", "generation", "rollout"):
        named[f"{line.subject}_id"] = line.subject_id
    if things.job is not None:
        named["job_name"] = things.job.name
    if things.generation is not None:
        named["generation_name"] = things.generation.asked.name
    return named
