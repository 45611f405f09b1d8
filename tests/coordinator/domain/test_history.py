"""The history as values: what is hashed, which events effects amount to, what can't have been."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain.effects import Effects, Note, Poke, RaiseEpoch, Save, Say, Work
from coordinator.domain.history import (
    NO_HASH,
    FarmEvent,
    Head,
    Row,
    Thing,
    digest,
    encoded,
    event_of,
    following,
    plain,
    row_of,
    thing_of,
)
from coordinator.domain.jobs import JobState
from coordinator.domain.plates import Artifact, ArtifactKind
from coordinator.domain.rebuilding import FAULTS_TOLD_MAX, Audit
from coordinator.domain.runs import RunState
from coordinator.domain.telling import Act, things_of, told
from protocols.wire.vocabulary import Epoch
from tests.fakes.values import JOB, NOW, PRINTER, RUN

ACT = Act(actor="user:anna", origin="request r1", at=NOW)
ARTIFACT = Artifact(
    sha256="a" * 64, kind=ArtifactKind.PLATE, name="x", size_bytes=1, created_at=NOW
)


def note(subject: str, subject_id: str, name: str) -> Note:
    return Note(subject=subject, subject_id=subject_id, name=name, cause="so", facts={"n": 1})


def job_note(name: str) -> Note:
    return note("job", JOB.job_id, name)


def tell(effects: Effects, *before: object) -> list[tuple[str, Row]]:
    """Return names and changes of the events of effects, on a farm where these values stand."""
    rows: dict[Thing, Row | None] = dict.fromkeys(things_of(effects))
    rows |= {thing_of(value): row_of(value) for value in before}  # type: ignore[arg-type]
    return [(event.name, dict(event.changes)) for event in told(effects, rows, ACT)[0]]


# The hash never changes: a history that was written once has to be provable for ever. These were
# made with `sha256sum` over 64 zeros (the first hash) and the array as the domain describes it.


def test_the_hash_of_a_line_is_the_same_for_ever() -> None:
    event = FarmEvent(
        subject="job",
        subject_id="job-1",
        name="job.leased",
        at=datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
        actor="user:ännä ⛵",
        origin="request req-1",
        cause='a "cause"\n',
        facts={"z": 1, "a": 0.1, "none": None, "flag": True, "ship": "⛵"},
        changes={"state": "leased"},
    )
    first, second = following(Head(), [event, event])
    assert first.at == "2026-01-02T03:04:05.000006+00:00"
    assert first.facts == '{"a":0.1,"flag":true,"none":null,"ship":"\\u26f5","z":1}'
    assert first.hash == "acb0d5251610c866563141bb1aea67048b303d20390ad497efa8837000adbfe9"
    assert second.hash == "488c8498a62985ed0f51e334a76f835929779aa1487cc8d102ef272244389945"
    assert digest(NO_HASH, replace(first, hash="")) == first.hash
    assert digest(first.hash, second) == second.hash


@given(st.text(min_size=1, max_size=20), st.text(max_size=20))
def test_what_moves_from_one_field_to_the_next_makes_another_hash(moved: str, rest: str) -> None:
    [line] = following(
        Head(), [FarmEvent(subject="s", subject_id="i", name="n", at=NOW, actor="a")]
    )
    one = digest(NO_HASH, replace(line, origin=moved + rest, cause=""))
    assert one != digest(NO_HASH, replace(line, origin=rest, cause=moved))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(st.dictionaries(st.text(), SCALARS | st.dictionaries(st.text(), SCALARS)))
def test_what_is_told_is_read_back_as_it_was(changes: dict[str, object]) -> None:
    event = FarmEvent(
        subject="job",
        subject_id="j",
        name="n",
        at=NOW,
        actor="a",
        changes=plain(changes),  # type: ignore[arg-type]
    )
    [line] = following(Head(), [event])
    assert event_of(line) == event
    assert encoded(event_of(line).changes) == line.changes


def test_a_value_is_told_alike_wherever_its_times_are_written() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    assert row_of(JOB) == row_of(replace(JOB, created_at=JOB.created_at.astimezone(east)))
    assert json.loads(encoded(row_of(PRINTER))) == row_of(PRINTER)
    assert row_of(PRINTER)["bed_state"] == "clear"


@pytest.mark.parametrize("wrong", ["[]", "no json", "{"])
def test_a_line_that_can_not_be_read_says_so(wrong: str) -> None:
    [line] = following(
        Head(), [FarmEvent(subject="s", subject_id="i", name="n", at=NOW, actor="a")]
    )
    with pytest.raises(ValueError, match=r"."):
        event_of(replace(line, facts=wrong))


# Effects and events.


def test_a_note_and_the_change_it_names_are_one_event() -> None:
    leased = replace(JOB, state=JobState.LEASED, version=1)
    effects: Effects = (Save(leased), job_note("job.leased"), Poke(Work.DISPATCH))
    assert tell(effects, JOB) == [("job.leased", {"state": "leased", "version": 1})]


def test_a_note_that_comes_first_names_the_change_that_follows() -> None:
    effects: Effects = (job_note("bed.occupied"), Save(RUN), Save(replace(JOB, priority=5)))
    names = tell(effects, JOB, RUN)
    assert names == [("bed.occupied", {"priority": 5})]


def test_a_note_does_not_take_a_change_that_another_one_names() -> None:
    ready = replace(JOB, state=JobState.LEASED)
    effects: Effects = (job_note("plate.refused"), Save(ready), job_note("job.leased"))
    assert tell(effects, JOB) == [("plate.refused", {}), ("job.leased", {"state": "leased"})]


def test_each_move_is_an_event_of_its_own() -> None:
    received = replace(JOB, state=JobState.RECEIVED)
    effects: Effects = (
        *(Save(received), job_note("job.received"), Save(ARTIFACT)),
        *(Save(JOB), job_note("job.ready")),
    )
    assert tell(effects) == [
        ("job.received", row_of(received)),
        ("artifact.added", row_of(ARTIFACT)),
        ("job.ready", {"state": "ready"}),
    ]


def test_a_change_that_nobody_noted_tells_itself_and_no_change_tells_nothing() -> None:
    effects: Effects = (Save(replace(JOB, held=True)), Save(RUN), Say(PRINTER.printer_id))
    assert tell(effects, JOB, RUN) == [("job.changed", {"held": True})]


def test_a_raised_epoch_belongs_to_the_change_that_follows() -> None:
    raised = RaiseEpoch(PRINTER.printer_id, PRINTER.epoch)
    epoch = PRINTER.epoch + 1
    moved = replace(PRINTER, epoch=Epoch(epoch), revision=PRINTER.revision + 1)
    changes = {"epoch": epoch, "revision": moved.revision}
    assert tell((raised, Save(moved)), PRINTER) == [("printer.changed", changes)]
    assert tell((raised,), PRINTER) == [("printer.changed", {"epoch": epoch})]


def test_an_epoch_that_was_not_raised_is_not_told_for_it_is_not_stored() -> None:
    assert tell((Save(replace(PRINTER, epoch=Epoch(99))),), PRINTER) == []


def test_an_artifact_that_is_known_stays_as_it_is() -> None:
    assert tell((Save(replace(ARTIFACT, name="other")),), ARTIFACT) == []


def test_events_say_who_did_it_and_through_what() -> None:
    [event] = told((job_note("job.moved"),), {}, ACT)[0]
    said = (event.actor, event.origin, event.at, event.cause, event.facts)
    assert said == ("user:anna", "request r1", NOW, "so", {"n": 1})


# What can't have been.


def history(*changes: tuple[str, str, Row], name: str = "changed") -> Audit:
    """Return an audit of a sound chain of events with these changes."""
    audit = Audit()
    events = [
        FarmEvent(
            subject=subject,
            subject_id=subject_id,
            name=f"{subject}.{name}",
            at=NOW,
            actor="farm",
            changes=changed,
        )
        for subject, subject_id, changed in changes
    ]
    for line in following(Head(), events):
        audit.take(line)
    return audit


@pytest.mark.parametrize(
    ("subject", "first", "then", "words"),
    [
        ("job", {"state": "finished"}, {}, "begins as finished, not as received"),
        ("job", {"state": "received"}, {"state": "printing"}, "can't go from received to printing"),
        ("run", {"state": "leased"}, {"state": "discarded"}, "can't go from leased to discarded"),
        ("run", {"state": "leased"}, {"state": "sleeping"}, "can't go from leased to sleeping"),
        ("printer", {"bed_state": "clear"}, {}, "begins as clear, not as unknown"),
        ("printer", {"epoch": 5}, {"epoch": 4}, "epoch falls from 5 to 4"),
        ("printer", {"revision": 5}, {"revision": "x"}, "revision falls from 5 to x"),
        ("job", {"version": 5}, {"version": 4}, "version falls from 5 to 4"),
    ],
)
def test_a_life_that_no_table_allows_is_found(
    subject: str, first: Row, then: Row, words: str
) -> None:
    audit = history((subject, "x", first), (subject, "x", then))
    assert [fault.code for fault in audit.faults] == ["unlawful"]
    assert words in audit.faults[0].words


def test_what_was_found_may_be_in_the_middle_of_its_life() -> None:
    assert not history(("run", "x", {"state": "printing"}), name="found").faults


def test_every_move_of_the_tables_is_allowed() -> None:
    lives = [
        ("run", "x", {"state": state.value}) for state in (RunState.LEASED, RunState.PERMITTED)
    ]
    assert not history(*lives, ("run", "x", {"state": RunState.LOST.value})).faults


def test_only_the_first_faults_are_told_but_all_are_counted() -> None:
    audit = Audit()
    audit.compare((("job", f"job-{number}"), {}) for number in range(100))
    assert (len(audit.faults), audit.faults_count) == (FAULTS_TOLD_MAX, 100)
