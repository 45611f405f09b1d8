"""The farm's history: one line for each change, each bound to the one before it by a hash.

A line holds what changed, not the whole value: for something new all its fields, from then on the
fields that differ. So a change of a table without a line stays visible: no later line covers it.

What is hashed is text, exactly as it is stored: SHA-256 over the hash of the line before, as 64
hex digits, followed by a JSON array of ten strings, ASCII only and without spaces: number, at,
actor, origin, cause, subject, subject id, name, facts, changes. Number is decimal, the time is
ISO 8601 in UTC with microseconds, facts and changes are JSON objects with sorted keys. The first
line follows 64 zeros. Nothing is parsed or encoded anew to check it, so that no migration, no
other database and no other version of a library can break it. This never changes.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from math import isfinite
from typing import TypeAlias, cast

from coordinator.domain.accounts import ApiKey, User
from coordinator.domain.jobs import Job
from coordinator.domain.library import Model, ModelVersion, Project
from coordinator.domain.plates import Artifact, Plate
from coordinator.domain.printers import Agent, Printer
from coordinator.domain.runs import Run
from coordinator.domain.stock import Spool
from coordinator.domain.upkeep import Upkeep

Plain: TypeAlias = bool | int | float | str | list["Plain"] | dict[str, "Plain"] | None
Row: TypeAlias = dict[str, Plain]
Value: TypeAlias = (
    Job
    | Run
    | Printer
    | Agent
    | Plate
    | Artifact
    | User
    | ApiKey
    | Project
    | Model
    | ModelVersion
    | Spool
    | Upkeep
)

# What a line tells of: `job` and its id.
Thing: TypeAlias = tuple[str, str]

# What the first line follows.
NO_HASH = "0" * 64

# What most fields are: JSON has it as it is.
_PLAIN = frozenset({bool, int, str, type(None)})

# Who is meant by a word for many, by how their names begin: people, also through their keys.
MANY: Mapping[str, tuple[str, ...]] = {"people": ("user:", "key:"), "agents": ("agent:",)}

# How the names of lines end that tell of what was there before there was a history of it.
FOUND = ".found"


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmEvent:
    """One line of the farm's history; stored in the transaction of what it tells.

    Attributes:
        subject: `job`, `run`, `printer`, `agent`, `plate`, `artifact`, `user`, `key`, `project`,
            `model`, `version` (of a model: `model-1/3`), `spool` or `maintenance`, with its id.
        name: what happened: `job.leased`, `bed.cleared`.
        actor: who did it: `user:anna`, `agent:pi-3`, `farm`.
        origin: the request, report, event or decision that led to it: `request req-7`, `dispatch`.
        cause: why, for a person.
        facts: what was said with it.
        changes: the fields that changed, with what they are now, as `plain` has them.
    """

    subject: str
    subject_id: str
    name: str
    at: datetime
    actor: str
    origin: str = ""
    cause: str = ""
    facts: Mapping[str, Plain] = field(default_factory=dict)
    changes: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An event as it is stored: texts, which are hashed as they stand.

    Attributes:
        number: 1 for the first, without gaps.
        facts: a JSON object, as `changes` is.
        hash: of this line and, through the one before it, of all before.
    """

    number: int
    at: str
    actor: str
    origin: str
    cause: str
    subject: str
    subject_id: str
    name: str
    facts: str
    changes: str
    hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesMeant:
    """Which lines somebody looks for; what is empty or None does not matter.

    Attributes:
        before: only lower numbers; `until` only what happened earlier.
        actor: who did it, all of the name: `user:anna`; or a word of `MANY`.
        name: what happened, as it is called; `job.*` for all that begins so.
        subject: what it happened to: `printer`; `subject_id` to which one.
    """

    before: int | None = None
    until: datetime | None = None
    actor: str = ""
    name: str = ""
    subject: str = ""
    subject_id: str = ""

    def admits(self, line: Line) -> bool:
        """Whether a line is one of them."""
        begins = self.name.removesuffix("*") if self.name.endswith("*") else None
        return (
            (self.before is None or line.number < self.before)
            and (self.until is None or line.at < moment(self.until))
            and (
                line.actor.startswith(MANY[self.actor])
                if self.actor in MANY
                else self.actor in ("", line.actor)
            )
            and (
                line.name.startswith(begins) if begins is not None else self.name in ("", line.name)
            )
            and self.subject in ("", line.subject)
            and self.subject_id in ("", line.subject_id)
        )


ANY_LINE = LinesMeant()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where a history ends: the number and hash of its last line."""

    number: int = 0
    hash: str = NO_HASH


def digest(previous: str, line: Line) -> str:
    """Return the hash of a line that follows the one with the hash `previous`."""
    texts = [
        str(line.number),
        line.at,
        line.actor,
        line.origin,
        line.cause,
        line.subject,
        line.subject_id,
        line.name,
        line.facts,
        line.changes,
    ]
    array = json.dumps(texts, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}{array}".encode("ascii")).hexdigest()


def following(head: Head, events: Sequence[FarmEvent]) -> list[Line]:
    """Return the lines that continue a history with these events."""
    lines = []
    for event in events:
        head, line = _following(head, event)
        lines.append(line)
    return lines


def _following(head: Head, event: FarmEvent) -> tuple[Head, Line]:
    texts: dict[str, str] = {
        "at": moment(event.at),
        "actor": event.actor,
        "origin": event.origin,
        "cause": event.cause,
        "subject": event.subject,
        "subject_id": event.subject_id,
        "name": event.name,
        "facts": encoded(event.facts),
        "changes": encoded(event.changes),
    }
    number = head.number + 1
    hashed = digest(head.hash, Line(number=number, **texts))
    return Head(number=number, hash=hashed), Line(number=number, hash=hashed, **texts)


def event_of(line: Line) -> FarmEvent:
    """Return what a line says.

    Raises:
        ValueError: it is not what was written.
    """
    facts, changes = json.loads(line.facts), json.loads(line.changes)
    if not isinstance(facts, dict) or not isinstance(changes, dict):
        raise ValueError("facts and changes are JSON objects")
    return FarmEvent(
        subject=line.subject,
        subject_id=line.subject_id,
        name=line.name,
        at=datetime.fromisoformat(line.at),
        actor=line.actor,
        origin=line.origin,
        cause=line.cause,
        facts=facts,
        changes=changes,
    )


def encoded(values: Mapping[str, Plain]) -> str:
    """Return facts or changes as the text that is stored."""
    return json.dumps(plain(values), sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def moment(at: datetime) -> str:
    """Return a time as history has it; texts of equal length, so that they sort as times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def thing_of(value: Value) -> Thing:
    """Return what a line about a value tells of."""
    match value:
        case Job():
            return "job", value.job_id
        case Run():
            return "run", value.run_id
        case Printer():
            return "printer", value.printer_id
        case Agent():
            return "agent", value.agent_id
        case Plate():
            return "plate", f"{value.job_id}/{value.printer_class}"
        case Artifact():
            return "artifact", value.sha256
        case User():
            return "user", value.user_id
        case ApiKey():
            return "key", value.key_id
        case Project():
            return "project", value.project_id
        case Model():
            return "model", value.model_id
        case ModelVersion():
            return "version", f"{value.model_id}/{value.number}"
        case Spool():
            return "spool", value.spool_id
        case Upkeep():
            return "maintenance", value.upkeep_id


def row_of(value: Value) -> Row:
    """Return a value's fields, those of a value within it as `bed_state`."""
    row: Row = {}
    for each in fields(value):
        inner = getattr(value, each.name)
        if is_dataclass(inner):
            within = fields(inner)
            row |= {f"{each.name}_{sub.name}": plain(getattr(inner, sub.name)) for sub in within}
        else:
            row[each.name] = plain(inner)
    return row


def plain(value: object) -> Plain:
    """Return a field's value as JSON has it, alike for what is the same.

    Raises:
        TypeError: there is no such thing in JSON.
    """
    if type(value) in _PLAIN:
        return cast(Plain, value)
    match value:
        case Enum():
            return plain(value.value)
        case float() if not isfinite(value):
            return str(value)  # JSON has no such number
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return moment(value)
        case Mapping():
            return {str(key): plain(inner) for key, inner in value.items()}
        case list() | tuple() | frozenset():
            return [plain(inner) for inner in value]
        case _:
            raise TypeError(f"history can't hold {value!r}")
