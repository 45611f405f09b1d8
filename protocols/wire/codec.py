"""Bytes <-> messages. The only module that knows the validation library.

JSON, one object a message. Unknown fields are ignored (a newer minor version may add them),
unknown kinds are refused loudly.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from protocols.errors import MalformedMessage, UnsupportedProtocol
from protocols.wire import from_agent, to_agent, vocabulary
from protocols.wire.from_agent import CommandResult, Presence, Reported, RunEvent, Telemetry
from protocols.wire.to_agent import Command, CoordinatorStatus, Desired, Sync
from protocols.wire.topics import Topic, parse
from protocols.wire.vocabulary import is_id

Message = (
    Desired
    | Command
    | CoordinatorStatus
    | Sync
    | Presence
    | Reported
    | RunEvent
    | Telemetry
    | CommandResult
)
MessageType = TypeVar(
    "MessageType",
    Desired,
    Command,
    CoordinatorStatus,
    Sync,
    Presence,
    Reported,
    RunEvent,
    Telemetry,
    CommandResult,
)

# A report with every field at its longest stays below 8 KiB; an agent with 32 printers below 32.
MESSAGE_BYTES_MAX = 256 * 1024

# Journals and databases hold 64 bits; only what looks as if it had more is looked at closely. With
# all digits alike that is two plain searches: a tenth of what a regular expression takes, and it
# took most of the time of a message.
_ALIKE = bytes.maketrans(b"123456789E", b"000000000e")
_HUGE, _WITH_EXPONENT = b"0" * 19, b"0e0"

KINDS: dict[str, type[Message]] = {
    "desired": Desired,
    "command": Command,
    "coordinator_status": CoordinatorStatus,
    "sync": Sync,
    "presence": Presence,
    "reported": Reported,
    "run_event": RunEvent,
    "telemetry": Telemetry,
    "command_result": CommandResult,
}

# What each topic carries: a message of another kind there is malformed.
CARRIES: dict[Topic, type[Message]] = {
    Topic.DESIRED: Desired,
    Topic.REPORTED: Reported,
    Topic.EVENTS: RunEvent,
    Topic.PRESENCE: Presence,
    Topic.COMMANDS: Command,
    Topic.RESULTS: CommandResult,
    Topic.TELEMETRY: Telemetry,
    Topic.COORDINATOR_STATUS: CoordinatorStatus,
    Topic.COORDINATOR_SYNC: Sync,
}

# JSON has no word for a number that is none. The messages know nothing of this library, so its
# settings are put on them here.
for _module in (vocabulary, to_agent, from_agent):
    for _value in vars(_module).values():
        if isinstance(_value, type) and is_dataclass(_value):
            _value.__pydantic_config__ = ConfigDict(allow_inf_nan=False)  # type: ignore[attr-defined]

_ADAPTERS: dict[type[Message], TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in KINDS.values()
}


def encode(message: Message) -> bytes:
    """Return the message as JSON."""
    return _ADAPTERS[type(message)].dump_json(message)


def decode(payload: bytes, expected: type[MessageType]) -> MessageType:
    """Return the message in the bytes.

    Args:
        payload: what arrived.
        expected: the kind that belongs on the topic it arrived on; see `CARRIES`.

    Raises:
        MalformedMessage: too large, no JSON, a field missing or of the wrong type, a whole number
            that no database holds, a printer whose name can't stand in a topic.
        UnsupportedProtocol: a kind that we do not know.
    """
    if len(payload) > MESSAGE_BYTES_MAX:
        raise MalformedMessage(f"{len(payload)} bytes, of {MESSAGE_BYTES_MAX} at most")
    try:
        message: MessageType = _ADAPTERS[expected].validate_json(payload)
    except ValidationError as error:
        raise _reason(payload, error) from error
    if _may_be_huge(payload) and any(map(_is_huge, _whole_numbers(message))):
        raise MalformedMessage("a whole number does not fit into 64 bits")
    if isinstance(message, Presence):
        for printer in message.printers:
            if not is_id(printer.printer_id):
                raise MalformedMessage(f"the printer's name {printer.printer_id[:80]!r} is no id")
    return message


def receive(topic: str, payload: bytes) -> Message:
    """Return what arrived on a topic; the message's own ids must be those of the topic.

    Raises:
        MalformedMessage: not a topic of ours, or the payload is broken or says other ids.
        UnsupportedProtocol: a kind that we do not know.
    """
    address = parse(topic)
    if address is None:
        raise MalformedMessage("not a topic of this protocol", topic)
    try:
        message: Message = decode(payload, CARRIES[address.topic])  # type: ignore[type-var]
    except MalformedMessage as error:
        raise MalformedMessage(error.reason, topic) from error
    for name in ("agent_id", "printer_id"):
        said, meant = getattr(message, name, None), getattr(address, name)
        if said is not None and meant is not None and said != meant:
            raise MalformedMessage(f"{name} is {said!r}", topic)
    return message


def _may_be_huge(payload: bytes) -> bool:
    alike = payload.translate(_ALIKE, b"+")
    return _HUGE in alike or _WITH_EXPONENT in alike


def _whole_numbers(value: object) -> Iterator[int]:
    """Yield every whole number in a message."""
    if isinstance(value, int):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _whole_numbers(each)
    elif isinstance(value, tuple):
        for each in value:
            yield from _whole_numbers(each)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _whole_numbers(getattr(value, field.name))


def _is_huge(number: int) -> bool:
    return not -(2**63) <= number < 2**63


def _reason(payload: bytes, error: ValidationError) -> MalformedMessage | UnsupportedProtocol:
    """Tell an unknown kind from a broken message."""
    try:
        kind = json.loads(payload)["kind"]
    except (ValueError, KeyError, TypeError, RecursionError):
        kind = None
    if isinstance(kind, str) and kind not in KINDS:
        return UnsupportedProtocol(f"unknown kind of message {kind[:40]!r}")
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return MalformedMessage(f"{where}: {first['msg']}" if where else first["msg"])


def schema() -> dict[str, Any]:
    """Return the JSON Schema of all messages, as committed in schema_v1.json."""
    _, merged = TypeAdapter.json_schemas(
        [(name, "validation", _ADAPTERS[kind]) for name, kind in KINDS.items()],
        title="Farmhand wire protocol, version 1",
    )
    return merged
