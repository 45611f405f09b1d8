"""Topics are built and parsed by one table, and agents stay below their own names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import UnsupportedProtocol
from protocols.wire.compat import Majors, agree
from protocols.wire.topics import SHARDS, Address, Topic, build, parse, shard_of, subscription
from protocols.wire.vocabulary import ID_PATTERN, AgentId, PrinterId, is_id

IDS = st.from_regex(ID_PATTERN, fullmatch=True)


@given(st.sampled_from(Topic), IDS, IDS)
def test_a_topic_that_was_built_parses_to_what_it_was_built_from(
    topic: Topic, agent: str, printer: str
) -> None:
    name = build(topic, AgentId(agent), PrinterId(printer))
    pattern = topic.value.pattern
    assert parse(name) == Address(
        topic,
        AgentId(agent) if "{agent}" in pattern else None,
        PrinterId(printer) if "{printer}" in pattern else None,
    )


@given(st.text(max_size=80))
def test_any_text_parses_to_an_address_or_to_none(text: str) -> None:
    parse(text)
    parse("farmhand/v1/" + text)


@pytest.mark.parametrize("bad", ["", "a.b", "a/b", "+", "#", "A", "-a", "a-", "a" * 64, None])
def test_what_is_no_id_builds_no_topic(bad: str | None) -> None:
    with pytest.raises(ValueError, match="agent id"):
        build(Topic.PRESENCE, AgentId(bad) if bad is not None else None)
    assert bad is None or not is_id(bad)


def test_the_shard_of_an_agent_never_changes() -> None:
    assert [shard_of(AgentId(name)) for name in ("pi-1", "pi-2", "pi-3")] == [58, 0, 22]


@given(IDS)
def test_every_shard_is_within_range(agent: str) -> None:
    assert 0 <= shard_of(AgentId(agent)) < SHARDS


def test_subscriptions_use_wildcards_for_what_is_not_given() -> None:
    assert subscription(Topic.DESIRED, AgentId("pi-3")) == (
        "farmhand/v1/agents/pi-3/printers/+/desired"
    )
    assert subscription(Topic.TELEMETRY) == "farmhand/v1/telemetry/+/+"


@given(st.integers(1, 9), st.integers(0, 4), st.integers(1, 9), st.integers(0, 4))
def test_two_peers_speak_the_highest_version_that_both_know(
    low: int, more: int, their_low: int, their_more: int
) -> None:
    ours, theirs = Majors(low, low + more), Majors(their_low, their_low + their_more)
    both = set(range(low, low + more + 1)) & set(range(their_low, their_low + their_more + 1))
    if both:
        assert agree(theirs, ours) == max(both)
    else:
        with pytest.raises(UnsupportedProtocol, match="upgrade"):
            agree(theirs, ours)
