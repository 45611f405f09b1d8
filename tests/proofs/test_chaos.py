"""A short run of chaos, and a farm that breaks its promises: the judge must see it."""

from pathlib import Path

import pytest

from tests.proofs.chaos import LOST, STARTS, STUCK, Trial, prove


def test_a_short_run_of_chaos_keeps_every_promise(tmp_path: Path) -> None:
    outcome = prove(Trial(seed=4, minutes=0.15, agents=2, printers=2, every_s=1.5), tmp_path)
    assert outcome.verdicts == []
    assert outcome.starts >= outcome.runs["finished"] > 0
    assert outcome.faults.total() > 0
    assert len(outcome.reconciled_s) == 3


@pytest.mark.slow
def test_an_agent_that_prints_a_run_again_after_its_death_is_caught(tmp_path: Path) -> None:
    outcome = prove(
        Trial(
            seed=1,
            minutes=0.2,
            agents=1,
            printers=4,
            every_s=4.0,
            agent_module="tests.proofs.broken_agent",
            kinds={"agent killed": 1},
            quiet_s_max=1.0,
        ),
        tmp_path,
    )
    assert outcome.count(*STARTS) > 0
    assert outcome.count(*LOST, *STUCK) < len(outcome.verdicts)
