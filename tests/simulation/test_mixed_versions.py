"""Farms in which not all speak the same minor version: nothing is printed twice, none is lost."""

import pytest

from protocols.wire.codec import Message, encode
from protocols.wire.from_agent import Presence
from tests.protocols.wire.examples import EXAMPLES
from tests.simulation.farm import live_through
from tests.simulation.proof import in_words
from tests.simulation.versions import newer, older
from tests.simulation.wire import Topic, Translate


def all_older(topic: Topic, message: Message) -> Message:
    return older(message)


def one_agent_older(topic: Topic, message: Message) -> Message:
    return older(message) if topic[1] == "pi-a" else message


def all_newer(topic: Topic, message: Message) -> Message:
    return newer(message)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("translate", [all_older, one_agent_older, all_newer])
def test_versions_that_differ_keep_every_promise(seed: int, translate: Translate) -> None:
    ending = live_through(seed, 3.0, translate=translate)
    assert not ending.verdicts, in_words(ending)
    assert ending.starts > 0


def test_an_older_peer_knows_nothing_of_draining() -> None:
    presence = EXAMPLES["presence"]
    assert isinstance(presence, Presence)
    told = older(presence)
    assert isinstance(told, Presence)
    assert (told.draining, told.agent_id) == (False, presence.agent_id)
    assert b"draining" in encode(presence)


@pytest.mark.parametrize("kind", sorted(set(EXAMPLES) - {"presence"}))
def test_what_minor_version_0_knew_is_said_to_it_unchanged(kind: str) -> None:
    assert newer(EXAMPLES[kind]) == EXAMPLES[kind]
    told = older(EXAMPLES[kind])
    assert older(told) == told
