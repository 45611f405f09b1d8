"""The whole farm through hours of trouble: every seed is a story in which all promises hold."""

import pytest

from tests.simulation.farm import live_through
from tests.simulation.proof import in_words, main

# 150 stories of 8 h of trouble and the calm after it: over 2,000 farm-hours.
SEEDS_PER_TEST = 10


@pytest.mark.parametrize("first", range(0, 150, SEEDS_PER_TEST))
def test_no_promise_is_broken_whatever_happens(first: int) -> None:
    for seed in range(first, first + SEEDS_PER_TEST):
        ending = live_through(seed)
        assert not ending.verdicts, in_words(ending)
        assert ending.hours > 8.0


def test_one_seed_is_one_story() -> None:
    one, same, other = live_through(7), live_through(7), live_through(8)
    assert (one.story, one.faults, one.hours) == (same.story, same.faults, same.hours)
    assert one.story != other.story


def test_the_proof_tells_what_was_simulated(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2", "--from", "3", "--hours", "2"]) == 0
    said = capsys.readouterr().out
    assert "2 stories" in said
    assert "farm-hours" in said
    assert "message lost" in said
