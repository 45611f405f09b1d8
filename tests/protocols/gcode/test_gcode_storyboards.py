"""Plays the text files of tests/storyboards: what is done, a rule, what comes of it."""

from pathlib import Path

import pytest

from protocols.gcode.connection import Connection
from protocols.gcode.events import Accepted, TemperaturesReported
from protocols.gcode.states import State

FOLDER = Path(__file__).parents[2] / "storyboards"


def connected() -> tuple[Connection, float]:
    host, now = Connection(), 0.0
    host.open(now)
    host.receive(b"ok\n", now)
    now += 1
    host.expire(now)
    for answer in (b"ok\n", b"ok\n", b"ok T:20 /0\n", b"Resend: 3\nok\n"):
        host.outbound()
        host.receive(answer, now)
    assert host.state is State.READY
    return host, now


def play(text: str) -> str:
    host, now = connected()
    out: list[str] = []
    for block in text.strip().split("\n\n"):
        doing = block.partition("\n----")[0]
        told: list[str] = []
        for line in doing.splitlines():
            verb, _, rest = line.partition(" ")
            events = []
            if verb == "submit":
                host.submit(rest, now, tag=rest)
            elif verb == "printer":
                events = host.receive(rest.encode() + b"\n", now)
            elif verb == "wait":
                now += float(rest.rstrip("s"))
                events = host.expire(now)
            elif verb != "#":
                raise AssertionError(f"no such verb: {line}")
            told += [
                f"Accepted {e.tag}" if isinstance(e, Accepted) else repr(e)
                for e in events
                if not isinstance(e, TemperaturesReported)
            ]
        sent = [f"> {line}" for line in host.outbound().decode().splitlines()]
        out.append("\n".join([doing, "----", *sent, *told]))
    return "\n\n".join(out)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_the_conversation_goes_as_written(path: Path) -> None:
    text = path.read_text()
    assert play(text) == text.strip()
