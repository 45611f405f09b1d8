"""The life of a run, as its table tells it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.run import NONCES_KEPT, TABLE, Happened, Run, advance
from agent.errors import IllegalTransition
from protocols.wire.to_agent import PlateReference
from protocols.wire.vocabulary import Epoch, JobId, Nonce, RunId, RunPhase

AT = datetime(2026, 1, 1, tzinfo=UTC)
RUN = Run(
    run_id=RunId("r1"),
    job_id=JobId("j1"),
    epoch=Epoch(1),
    plate=PlateReference(sha256="0" * 64, size_bytes=1, url="/p", name="p"),
)


def lived(run: Run, *happenings: Happened) -> Run:
    for index, happened in enumerate(happenings):
        nonce = Nonce(f"n{index}") if happened is Happened.ARMED else None
        run = advance(run, happened, at=AT, nonce=nonce)
    return run


@given(st.lists(st.sampled_from(Happened), max_size=30))
def test_no_history_reaches_printing_without_one_commitment_and_one_start(
    happenings: list[Happened],
) -> None:
    run, legal = RUN, []
    for happened in happenings:
        try:
            run = lived(run, happened)
        except IllegalTransition:
            continue
        legal.append(happened)
    assert legal.count(Happened.STARTED) <= 1
    if run.phase in (RunPhase.PRINTING, RunPhase.PAUSED, RunPhase.STOPPING):
        assert legal.index(Happened.COMMITTED) < legal.index(Happened.STARTED)
    if legal.count(Happened.COMMITTED) > 1:  # each one but the last was surely no start
        assert legal.count(Happened.NOT_STARTED) >= legal.count(Happened.COMMITTED) - 1


def test_nothing_leads_out_of_an_end() -> None:
    assert not [pair for pair in TABLE if pair[0].is_end]


def test_every_phase_can_be_reached_and_every_other_has_a_way_out() -> None:
    reached = {RunPhase.FETCHING, *TABLE.values()}
    assert reached == set(RunPhase)
    assert {phase for phase, _ in TABLE} == {phase for phase in RunPhase if not phase.is_end}


def test_what_can_not_happen_changes_nothing_and_says_so() -> None:
    with pytest.raises(IllegalTransition, match="r1 is fetching: it can't be started"):
        lived(RUN, Happened.STARTED)
    with pytest.raises(IllegalTransition, match="nonce"):
        advance(RUN, Happened.FETCHED, at=AT, nonce=Nonce("n"))


def test_a_start_that_failed_spends_its_nonce_and_keeps_the_proof_of_it() -> None:
    run = lived(RUN, Happened.FETCHED, Happened.ARMED, Happened.COMMITTED, Happened.NOT_STARTED)
    assert (run.phase, run.nonce, run.nonces_before) == (RunPhase.READY, None, ("n1",))
    assert lived(run, Happened.ARMED).nonces_before == ("n1",)


def test_a_run_that_is_armed_for_ever_does_not_grow_for_ever() -> None:
    run = lived(RUN, Happened.FETCHED, *[Happened.ARMED] * (3 * NONCES_KEPT))
    assert len(run.nonces_before) == NONCES_KEPT
