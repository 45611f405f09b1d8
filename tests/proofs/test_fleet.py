"""A short proof of updates: a good release, and bad ones, on real processes that print."""

from pathlib import Path

import pytest

from tests.proofs.fleet import Trial, prove

BAD = ("tampered with", "dies at its start", "changes the journal and dies")


@pytest.mark.slow
def test_a_good_release_reaches_everybody_and_a_bad_one_only_its_canary(tmp_path: Path) -> None:
    outcome = prove(Trial(seed=2, agents=3, bad=BAD), tmp_path)
    assert outcome.faults == []
    assert set(outcome.halts) == set(BAD)
    assert outcome.waves == 3
    assert outcome.trials >= 3
    assert outcome.runs["finished"] > 0
