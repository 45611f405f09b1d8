"""Log ins under way are known to every coordinator with the farm's key, for ten minutes."""

from datetime import UTC, datetime, timedelta

import pytest

from coordinator.usecases.pending import PENDING_LIFE, Pending

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
KEY = b"a key for tests only, 32 bytes.."


def test_another_coordinator_takes_up_what_one_began() -> None:
    began = Pending(KEY).begin(NOW)
    assert Pending(KEY).take_up(began.state, NOW + timedelta(minutes=9)) == began


def test_what_took_too_long_is_not_taken_up() -> None:
    began = Pending(KEY).begin(NOW)
    assert Pending(KEY).take_up(began.state, NOW + PENDING_LIFE) is None


def test_who_has_not_the_key_makes_no_state_and_learns_nothing_of_the_verifier() -> None:
    began, other = Pending(KEY).begin(NOW), Pending().begin(NOW)
    assert Pending(KEY).take_up(other.state, NOW) is None
    assert Pending().take_up(began.state, NOW) is None
    assert len({began.state.rpartition(".")[2], began.nonce, began.verifier}) == 3


@pytest.mark.parametrize("at", [0, -1, 33])
def test_an_altered_state_is_not_taken_up(at: int) -> None:
    state = Pending(KEY).begin(NOW).state
    altered = bytearray(state.encode())
    altered[at] ^= 1
    assert Pending(KEY).take_up(altered.decode(), NOW) is None


@pytest.mark.parametrize("state", ["", ".", "..", "a.b.c", "é.1.2"])
def test_what_is_no_state_is_not_taken_up(state: str) -> None:
    assert Pending(KEY).take_up(state, NOW) is None
