"""Messages survive the wire, now and for ever; what is no message is refused with a reason."""

import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import MalformedMessage, ProtocolError, UnsupportedProtocol
from protocols.wire import codec
from protocols.wire.from_agent import Presence, Reported, RunEvent, Telemetry
from protocols.wire.to_agent import Desired
from tests.protocols.wire.examples import AGENT, EXAMPLES, PRINTER

HERE = Path(__file__).parent
GOLDEN = HERE.parents[1] / "golden" / "wire_v1"
SCHEMA = HERE.parents[2] / "protocols" / "wire" / "schema_v1.json"


def test_there_is_an_example_of_every_kind() -> None:
    assert set(EXAMPLES) == set(codec.KINDS)


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_a_message_comes_back_as_it_went(kind: str) -> None:
    message = EXAMPLES[kind]
    assert codec.decode(codec.encode(message), type(message)) == message


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_every_example_fills_every_field(kind: str) -> None:
    message = EXAMPLES[kind]
    bare = {f.name for f in dataclasses.fields(message) if getattr(message, f.name) in (None, ())}
    assert not bare


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_golden_payload_decodes_for_ever(path: Path) -> None:
    golden = json.loads(path.read_bytes())
    message = codec.decode(path.read_bytes(), codec.KINDS[golden["kind"]])  # type: ignore[type-var]
    said = json.loads(codec.encode(message))
    assert _without_what_is_newer(said, golden) == golden


def _without_what_is_newer(said: Any, golden: Any) -> Any:
    """Leave out the fields, at any depth, that the golden payload was too old to have."""
    if isinstance(said, dict) and isinstance(golden, dict):
        return {name: _without_what_is_newer(said[name], golden[name]) for name in golden}
    if isinstance(said, list) and isinstance(golden, list):
        pairs = zip(said, golden, strict=True)
        return [_without_what_is_newer(one, other) for one, other in pairs]
    return said


def test_every_kind_has_a_golden_payload() -> None:
    assert {path.stem.partition("-")[0] for path in GOLDEN.glob("*.json")} == set(EXAMPLES)


def test_the_committed_schema_is_that_of_the_code() -> None:
    assert json.loads(SCHEMA.read_text()) == codec.schema(), "run: python -m tests.golden.renew"


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_unknown_fields_of_a_newer_minor_version_are_ignored(kind: str) -> None:
    message = EXAMPLES[kind]
    payload = json.loads(codec.encode(message)) | {"new_in_minor_9": {"deep": [1]}}
    assert codec.decode(json.dumps(payload).encode(), type(message)) == message


def test_an_unknown_kind_is_refused_loudly() -> None:
    with pytest.raises(UnsupportedProtocol, match="teleport"):
        codec.decode(b'{"kind":"teleport"}', Desired)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "JSON"),
        (b"\xff\xfe", "JSON"),
        (b"[]", "object"),
        (b'{"kind":"desired"}', "printer_id"),
        (b'{"kind":"desired","printer_id":"p","epoch":"x","revision":1}', "epoch"),
        (b'{"kind":"desired","printer_id":"p","epoch":1,"revision":1,"mode":"fly"}', "mode"),
        (b" " * (codec.MESSAGE_BYTES_MAX + 1), "bytes"),
    ],
)
def test_a_broken_payload_is_refused_with_its_reason(payload: bytes, reason: str) -> None:
    with pytest.raises(MalformedMessage, match=reason):
        codec.decode(payload, Desired)


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="finite"):
        codec.decode(b'{"agent_id":"a","at_unix_s":NaN,"printers":[]}', Telemetry)


@given(st.binary(max_size=300))
def test_only_our_own_errors_leave_the_codec(payload: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        codec.decode(payload, Reported)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_a_message_with_any_field_replaced_decodes_or_is_refused(
    kind: str, data: st.DataObject
) -> None:
    message = EXAMPLES[kind]
    payload = json.loads(codec.encode(message))
    payload[data.draw(st.sampled_from(sorted(payload)))] = data.draw(_JSON)
    try:
        decoded = codec.decode(json.dumps(payload).encode(), type(message))
    except ProtocolError:
        return
    assert codec.decode(codec.encode(decoded), type(message)) == decoded


def test_a_message_is_received_only_on_its_own_topic() -> None:
    payload = codec.encode(EXAMPLES["presence"])
    name = f"farmhand/v1/agents/{AGENT}/presence"
    assert isinstance(codec.receive(name, payload), Presence)
    with pytest.raises(MalformedMessage, match="agent_id"):
        codec.receive("farmhand/v1/agents/another/presence", payload)
    with pytest.raises(MalformedMessage, match="topic"):
        codec.receive("farmhand/v2/agents/pi-3/presence", payload)


def test_a_report_about_another_printer_than_its_topic_says_is_refused() -> None:
    payload = codec.encode(EXAMPLES["reported"])
    root = f"farmhand/v1/agents/{AGENT}/printers"
    assert isinstance(codec.receive(f"{root}/{PRINTER}/reported", payload), Reported)
    with pytest.raises(MalformedMessage, match="printer_id"):
        codec.receive(f"{root}/other/reported", payload)


@pytest.mark.parametrize("printer_id", ["a/b", "#", "+", "", "P.1", "x" * 64])
def test_a_printer_whose_name_is_no_id_is_refused(printer_id: str) -> None:
    payload = json.loads(codec.encode(EXAMPLES["presence"]))
    payload["printers"][0]["printer_id"] = printer_id
    with pytest.raises(MalformedMessage, match="no id"):
        codec.decode(json.dumps(payload).encode(), Presence)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
def test_a_whole_number_that_no_database_holds_is_refused(number: int) -> None:
    for kind, path in (("desired", "epoch"), ("run_event", "number"), ("presence", "protocol_max")):
        payload = json.loads(codec.encode(EXAMPLES[kind]))
        payload[path] = number
        with pytest.raises(MalformedMessage, match="64 bits"):
            codec.decode(json.dumps(payload).encode(), type(EXAMPLES[kind]))
    with pytest.raises(MalformedMessage):
        codec.decode(b'{"printer_id":"p","epoch":1e30,"revision":1}', Desired)
    nested = json.loads(codec.encode(EXAMPLES["run_event"]))
    nested["facts"] = {"resends": number}
    with pytest.raises(MalformedMessage, match="64 bits"):
        codec.decode(json.dumps(nested).encode(), RunEvent)


def test_numbers_of_64_bits_and_long_digits_in_texts_are_taken() -> None:
    payload = json.loads(codec.encode(EXAMPLES["reported"]))
    payload |= {"sequence": 2**63 - 1, "revision": -(2**63), "message": "9" * 40}
    assert codec.decode(json.dumps(payload).encode(), Reported).sequence == 2**63 - 1
