"""The judge of chaos over doctored logs and answers: each broken promise is seen as what it is."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.proofs.chaos_judge import PrinterLog, Wish, is_refused_start, judge
from tests.proofs.chaos_story import Story

BODY = ("G28", "G1 X1 Y1", "G1 X2 Y1")
CLEAR = "#note cleared"


def log(*lines: str, printer_id: str = "p-1") -> PrinterLog:
    made = PrinterLog(printer_id, Path("/nowhere"))
    for line in lines:
        made.take(line)
    return made


def printed(name: str, body: Iterable[str] = BODY) -> list[str]:
    """Return a log's lines of one print, with what an agent says on its own account."""
    return [f"1\tM117 {name}", "2\tM105", *(f"3\t{line}" for line in body), "9\tM400"]


def wish(name: str = "job-1", copies: int = 1, **changes: Any) -> Wish:
    return Wish(name, copies, (f"M117 {name}", *BODY), job_id=f"id-{name}", **changes)


def job(*states: str, name: str = "job-1", state: str = "finished", **changes: Any) -> Any:
    """Return a job with runs in these states, one after the other on the first printer."""
    runs = [
        {
            "id": f"run-{name}-{epoch}",
            "job_id": f"id-{name}",
            "printer_id": "p-1",
            "epoch": epoch,
            "state": run_state,
        }
        for epoch, run_state in enumerate(states, start=1)
    ]
    usual = {"id": f"id-{name}", "name": name, "state": state, "retries_max": 1, "reason": ""}
    return {**usual, "runs": runs, "waits": [], **changes}


def kinds(logs: list[PrinterLog], wishes: list[Wish], jobs: list[Any]) -> list[str]:
    found = judge(logs, {one.name: one for one in wishes}, jobs)
    return sorted({verdict.kind for verdict in found})


def test_a_farm_that_did_what_it_says_is_innocent() -> None:
    made = log("#boot", CLEAR, *printed("job-1"), CLEAR, *printed("job-2"), CLEAR)
    other = job("finished", name="job-2")
    other["runs"][0]["epoch"] = 7
    assert kinds([made], [wish(), wish("job-2")], [job("finished"), other]) == []


def test_a_start_without_a_run_of_its_own_is_a_double_start() -> None:
    made = log(CLEAR, *printed("job-1"), CLEAR, *printed("job-1"))
    assert kinds([made], [wish()], [job("finished")]) == ["double start"]


def test_a_start_on_another_printer_than_the_runs_is_a_double_start() -> None:
    elsewhere = log(CLEAR, *printed("job-1"), printer_id="p-2")
    made = log(CLEAR, *printed("job-1"))
    assert kinds([made, elsewhere], [wish()], [job("finished")]) == ["double start"]


def test_a_revoked_run_that_was_printed_is_a_double_start() -> None:
    made = log(CLEAR, *printed("job-1", BODY[:1]), CLEAR, *printed("job-1"))
    assert kinds([made], [wish()], [job("revoked", "finished")]) == ["double start"]


def test_a_start_on_what_still_lies_there_is_seen() -> None:
    made = log(CLEAR, *printed("job-1"), *printed("job-1"))
    jobs = [job("finished", "finished")]
    assert kinds([made], [wish(copies=2)], jobs) == ["uncleared bed"]
    assert kinds([log(*printed("job-1"))], [wish()], [job("finished")]) == ["uncleared bed"]


@pytest.mark.parametrize(
    "body",
    [BODY[:-1], (*BODY, BODY[-1]), (BODY[0], BODY[2], BODY[1]), (*BODY, "M104 S0")],
    ids=["a line short", "a line twice", "out of order", "one more at its end"],
)
def test_a_finished_run_whose_lines_are_not_the_plates_is_seen(body: tuple[str, ...]) -> None:
    made = log(CLEAR, *printed("job-1", body))
    assert kinds([made], [wish()], [job("finished")]) == ["wrong print"]


def test_a_finished_run_that_nothing_was_printed_for_is_seen() -> None:
    assert kinds([log(CLEAR)], [wish()], [job("finished")]) == ["wrong print"]


def test_a_whole_print_that_was_thrown_away_as_never_printed_is_seen() -> None:
    made = log(CLEAR, *printed("job-1"), CLEAR, *printed("job-1"))
    assert kinds([made], [wish()], [job("discarded", "finished")]) == ["double start"]


def test_a_line_that_the_cable_garbles_is_no_line_of_a_print() -> None:
    whole = printed("job-1")
    for garbled, kinds_seen in (
        ("-\tM!05", []),
        ("-\tM107", []),
        ("-\tN;38 M400", []),
        ("-\tO138 G1 X9", []),
        ("7\tN;38 M400", ["wrong print"]),
        ("7\tM107", ["wrong print"]),
        ("-\tM106", ["wrong print"]),
        ("-\tG1 X9", ["wrong print"]),
    ):
        made = log(CLEAR, *whole[:3], garbled, *whole[3:])
        assert kinds([made], [wish()], [job("finished")]) == kinds_seen


def test_broken_and_unbegun_runs_may_have_left_anything_on_the_bed() -> None:
    made = log(CLEAR, *printed("job-1", BODY[:2]), CLEAR, *printed("job-1"))
    for before in ("failed", "discarded", "stopped"):
        assert kinds([made], [wish()], [job(before, "finished")]) == []
        assert kinds([log(CLEAR, *printed("job-1"))], [wish()], [job(before, "finished")]) == []


def test_an_accepted_job_that_is_gone_is_lost() -> None:
    assert kinds([], [wish()], []) == ["lost job"]
    unheard = Wish("job-1", 1, BODY)
    assert kinds([], [unheard], []) == []


def test_a_job_that_nobody_ordered_or_that_is_there_twice_is_seen() -> None:
    made = log(CLEAR, *printed("job-1"))
    assert kinds([made], [wish()], [job("finished"), job(id="again")]) == ["copies", "double job"]
    assert kinds([], [], [job(state="cancelled")]) == ["double job"]


def test_what_does_not_end_is_stuck() -> None:
    assert kinds([log()], [wish()], [job("leased", state="leased")]) == ["stuck job"]
    made = log(CLEAR, *printed("job-1"))
    jobs = [job("finished", "lost")]
    assert kinds([made], [wish()], jobs) == ["stuck run"]


def test_copies_that_are_missing_or_too_many_are_seen() -> None:
    made = log(CLEAR, *printed("job-1"))
    assert kinds([made], [wish(copies=2)], [job("finished")]) == ["copies"]
    cancelled = [job("finished", state="cancelled")]
    assert kinds([made], [wish(copies=2)], cancelled) == ["copies"]
    assert kinds([made], [wish(copies=2, cancelled=True)], cancelled) == []


def test_a_job_fails_only_after_as_many_failed_runs_as_it_may_have() -> None:
    failed = [job("failed", state="failed")]
    assert kinds([log()], [wish()], failed) == ["copies"]
    assert kinds([log()], [wish()], [job("failed", "failed", state="failed")]) == []


def test_a_start_after_the_job_was_said_to_be_cancelled_is_seen() -> None:
    made = log(CLEAR, *printed("job-1", BODY[:1]))
    late = wish(cancelled=True, starts_at_end=0)
    stopped = [job("stopped", state="cancelled")]
    assert kinds([made], [late], stopped) == ["start after stop"]


def test_a_log_is_read_as_it_grows_and_never_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / "executed.log"
    made = PrinterLog("p-1", path)
    assert made.read() == []
    path.write_text("#note cleared\n1\tM117 job-1\n2\tG1 X")
    assert made.read() == ["a person clears its bed", "starts job-1"]
    assert made.on_bed is not None
    with path.open("a") as file:
        file.write("12\n#note cleared\n")
    made.read()
    assert made.prints[0].commands == ["M117 job-1", "G1 X12"]
    assert made.on_bed is None


def test_a_story_tells_of_whom_it_is_asked_and_of_the_faults_meanwhile(tmp_path: Path) -> None:
    story = Story(tmp_path / "story.txt")
    for text in ("p-1 starts job-1", "** agent killed: pi-2", "p-11 starts job-2", "p-1 reset"):
        story.tell(text)
    told = [line.split(maxsplit=1)[1] for line in story.about(["p-1"])]
    assert told == ["p-1 starts job-1", "** agent killed: pi-2", "p-1 reset"]
    assert len((tmp_path / "story.txt").read_text().splitlines()) == 4


def test_only_a_start_that_is_refused_for_a_full_disk_may_end_by_itself() -> None:
    words = (
        "farmhand coordinator: the database /a/farm.sqlite3 can't be written (disk I/O error): "
        "make room on its disk"
    )
    assert is_refused_start("coordinator", 1, words)
    assert not is_refused_start("pi-1", 1, words)
    assert not is_refused_start("coordinator", 2, words)
    assert not is_refused_start("coordinator", 1, "")
    assert not is_refused_start("coordinator", 1, f"{words}\nTraceback")
    assert not is_refused_start("coordinator", 1, words.replace("written", "opened"))
