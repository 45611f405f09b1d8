import os
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from agent.core.observation import RunState
from agent.printers.run_record import Beginning, RunRecord, kernel_boot_id
from protocols.wire.vocabulary import RunId


def beginning(first_number: int = 4) -> Beginning:
    return Beginning(
        run_id=RunId("r"),
        sha256="0" * 64,
        kernel_boot_id=kernel_boot_id(),
        first_number=first_number,
    )


@given(st.integers(0, 9999), st.lists(st.booleans()), st.data())
def test_the_last_number_of_a_firmware_tells_how_many_commands_of_the_plate_it_has(
    first: int, plates: list[bool], data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        record = RunRecord.begin(path, beginning(first))
        for number, plate in enumerate(plates, start=first):
            if not plate:
                record.note_own(number, "M105")
        heard = data.draw(st.integers(0, len(plates)))
        again = RunRecord.load(path)
        assert again is not None
        assert again.position_at(first + heard - 1) == sum(plates[:heard])
        again.note_adopted(first + heard)
        third = RunRecord.load(path)
        assert third is not None
        # What was numbered and never arrived counts no more: the numbers are the plate's now.
        assert third.position_at(first + heard + 4) == sum(plates[:heard]) + 5
        assert third.position_at(first - 2) is None


def test_a_pause_a_stop_and_an_end_are_found_again(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record = RunRecord.begin(path, beginning())
    record.note_paused("a spool is empty")
    record.note_resuming()
    loaded = RunRecord.load(path)
    assert loaded is not None
    assert (loaded.paused, loaded.resuming) == ("a spool is empty", True)
    record.note_resumed(17)
    record.note_stopping("enough")
    record.note_ended(RunState.STOPPED, "enough")
    loaded = RunRecord.load(path)
    assert loaded is not None
    assert (loaded.paused, loaded.resumed_at, loaded.stopping) == (None, 17, "enough")
    assert loaded.ended == (RunState.STOPPED, "enough")


def test_of_another_boot_of_the_kernel_nothing_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record = RunRecord.begin(path, beginning())
    assert record.exact
    path.write_text(path.read_text().replace(kernel_boot_id(), "another"))
    loaded = RunRecord.load(path)
    assert loaded is not None
    assert not loaded.exact


def test_a_record_that_is_torn_or_missing_is_none(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    assert RunRecord.load(path) is None
    RunRecord.begin(path, beginning()).note_own(9, "M105")
    path.write_text(path.read_text()[:-5])
    assert RunRecord.load(path) is None


def test_a_card_that_is_full_leaves_no_record_with_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record = RunRecord.begin(path, beginning())
    record._file = os.open("/dev/full", os.O_WRONLY)
    record.note_own(9, "M105")
    assert not record.exact
    assert not path.exists()
    assert record.position_at(9) == 5, "this process still knows"
