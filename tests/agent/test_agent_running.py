"""What tells other processes that an agent runs, and what they make of it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.drain_command import (
    EXIT_DRAINED,
    EXIT_ENDED_OTHERWISE,
    EXIT_NOT_RUNNING,
    EXIT_STILL_PRINTING,
    drain,
)
from agent.draining import words_of
from agent.running import DRAINED, FILE, Lock, Running, look

PROGRAM = """
import signal, sys
from pathlib import Path
from agent.running import Lock
signal.signal(signal.SIGUSR1, lambda *_: print("asked", flush=True))
lock = Lock(Path(sys.argv[1]))
print("runs", flush=True)
for line in sys.stdin:
    lock.note(line.strip())
    print("noted", flush=True)
"""


class Other:
    """Another process that holds the lock as an agent does."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.heard()

    def heard(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def note(self, words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        while self.heard() != "noted":
            pass

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Other]:
    other = Other(tmp_path)
    yield other
    other.end()


def test_an_agent_is_found_while_it_lives_and_its_last_words_after_it(
    tmp_path: Path, other: Other
) -> None:
    other.note("printing: p1 at 5%")
    words = "printing: p1 at 5%"
    assert look(tmp_path) == (Running(pid=other.process.pid, waits_for=words), words)
    other.end()
    assert look(tmp_path) == (None, words)
    lock = Lock(tmp_path)
    assert look(tmp_path) == (Running(pid=os.getpid()), "")
    lock.release()


def test_where_no_agent_ever_ran_none_is_found(tmp_path: Path) -> None:
    assert look(tmp_path) == (None, "")
    assert drain(tmp_path, timeout_s=1.0, say=lambda _: None) == EXIT_NOT_RUNNING


def test_a_folder_that_can_t_be_written_hinders_no_agent(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "missing")
    lock.note("anything")
    lock.release()
    assert not (tmp_path / "missing" / FILE).exists()


@pytest.mark.parametrize(
    ("ends", "last", "code", "words"),
    [
        (True, DRAINED, EXIT_DRAINED, "nothing prints"),
        (True, "printing: p1 at 9%", EXIT_ENDED_OTHERWISE, "next start"),
        (False, "printing: p1 at 9%", EXIT_STILL_PRINTING, "goes on draining"),
    ],
)
def test_draining_says_what_it_waits_for_and_how_it_ended(
    tmp_path: Path, other: Other, ends: bool, last: str, code: int, words: str
) -> None:
    said: list[str] = []
    passed = iter(range(100))
    other.note("printing: p1 at 5%")

    def sleep(_: float) -> None:
        other.note(last)
        if ends:
            other.end()

    ended = drain(tmp_path, timeout_s=3.0, say=said.append, now=lambda: next(passed), sleep=sleep)
    assert ended == code
    assert said[0] == "printing: p1 at 5%"
    assert words in said[-1]


def test_who_asks_for_draining_sends_the_signal_that_drains(tmp_path: Path, other: Other) -> None:
    drain(tmp_path, timeout_s=0.0, say=lambda _: None)
    assert other.heard() == "asked"
    other.process.send_signal(signal.SIGTERM)


def test_what_is_waited_for_is_told_printer_by_printer() -> None:
    assert words_of({"b": 0.5, "a": None}) == "printing: a, b at 50%"
    assert words_of({}) == "nothing prints"
