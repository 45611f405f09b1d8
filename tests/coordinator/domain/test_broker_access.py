"""What agents may do at a broker, and the files that say so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain.broker_access import (
    access_list,
    hashes_in,
    is_password,
    may_hear,
    may_publish,
    password_file,
    password_hash,
)
from protocols.wire.topics import Topic, build, subscription
from protocols.wire.vocabulary import ID_PATTERN, AgentId, PrinterId

IDS = st.from_regex(ID_PATTERN, fullmatch=True)
COMMON = {Topic.COORDINATOR_STATUS, Topic.COORDINATOR_SYNC}


@given(me=IDS, other=IDS, printer=IDS, topic=st.sampled_from(Topic))
def test_only_what_has_ones_own_name_is_ones_own(
    me: str, other: str, printer: str, topic: Topic
) -> None:
    name = build(topic, AgentId(other), PrinterId(printer))
    mine = me == other
    assert may_publish(me, name) == (mine and topic.value.from_agent)
    heard = topic in COMMON or (mine and (not topic.value.from_agent or topic is Topic.PRESENCE))
    assert may_hear(me, name) == heard


@pytest.mark.parametrize(
    "wide", ["#", "+/#", "farmhand/v1/agents/+/commands", "farmhand/v1/agents/pi-a/#", "", "$SYS/#"]
)
def test_a_filter_that_means_more_than_ones_own_is_not_ones_own(wide: str) -> None:
    assert not may_hear("pi-a", wide)


def test_all_that_an_agent_subscribes_to_is_its_own() -> None:
    for topic in Topic:
        if not topic.value.from_agent:
            assert may_hear("pi-a", subscription(topic, AgentId("pi-a")))


def test_the_access_list_names_every_kind_of_topic_once() -> None:
    lines = access_list(["coordinator.link"]).splitlines()
    assert lines[lines.index("user coordinator.link") + 1] == "topic readwrite #"
    patterns = [line.split()[2] for line in lines if line.startswith("pattern ")]
    assert sorted(patterns) == sorted(subscription(topic, AgentId("%u")) for topic in Topic)
    assert "pattern write farmhand/v1/telemetry/+/%u" in lines


@given(password=st.text(max_size=40), guess=st.text(max_size=40), salt=st.binary(min_size=1))
def test_a_password_is_known_by_its_hash_and_no_other_is(
    password: str, guess: str, salt: bytes
) -> None:
    hashed = password_hash(password, salt)
    assert is_password(password, hashed)
    assert is_password(guess, hashed) == (guess == password)


@pytest.mark.parametrize("broken", ["", "$7$", "$6$101$eA==$eA==", "$7$101$?$?", "$7$x$eA==$eA=="])
def test_what_is_no_hash_of_ours_opens_nothing(broken: str) -> None:
    assert not is_password("", broken)


def test_a_password_file_says_what_was_written() -> None:
    hashes = {"pi-b": "$7$101$a$b", "coordinator.link": "$7$101$c$d"}
    assert hashes_in(password_file(hashes)) == hashes
