"""Prove that nobody does harm with an upload.

Usage: ./farmhand prove uploads [--uploads N] [--seed N]

A real coordinator gets uploads that are wrong in every way of `bad_uploads`, drawn from a seed,
while others hold connections on which they say next to nothing. Each is refused in words, by the
caller's fault; in the end nothing of them lies on the disk but what became a job, the coordinator
took no more memory than a good upload takes, its log tells of no defect, and all who held a
connection were sent away.
"""

import argparse
import json
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from tests.fakes.processes import Coordinator, coordinator, until
from tests.proofs.bad_uploads import KINDS, Sending

UPLOAD_BYTES_MAX = 4 * 1024 * 1024
# What a good upload of that size takes, and some room for the allocator.
GROWTH_MIB_MAX = 64
ANSWER_S = 60.0
# A connection without a whole question is let go after 75 s; see `SILENT_S` in coordinator/app.py.
SENT_AWAY_S = 110.0
HOLDERS = 12


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 where the connection ended without a word."""

    status: int
    content_type: str = ""
    body: bytes = b""


@dataclass(slots=True)
class Found:
    """What a trial found.

    Attributes:
        statuses: how many of each kind were answered how.
        complaints: what must not be, in words.
        growth_mib: how far the coordinator's memory rose at its highest.
    """

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    growth_mib: float = 0.0


def prove(folder: Path, *, uploads: int, seed: int, holders: int = HOLDERS) -> Found:
    """Send so many uploads, each kind in turn, and tell what was wrong about their fate."""
    found = Found()
    limits = ("--upload-bytes-max", str(UPLOAD_BYTES_MAX), "--slicing-memory-mib", "1024")
    with coordinator(folder / "farm", *limits) as farm, ExitStack() as stack:
        before_mib = _peak_mib(farm)
        begun_s = time.monotonic()
        held = [stack.enter_context(_connected(farm)) for _ in range(holders)]
        for number, one in enumerate(held):
            one.sendall(_beginning(farm, number))
        random = Random(seed)
        for number in range(uploads):
            name = list(KINDS)[number % len(KINDS)]
            answer = asked(farm, KINDS[name](random))
            found.statuses[name, answer.status] += 1
            found.complaints += [f"{name}, upload {number}: {each}" for each in judged(answer)]
            _drip(held)
        found.complaints += _all_sent_away(held, begun_s + SENT_AWAY_S)
        found.complaints += _left(farm)
        found.growth_mib = _peak_mib(farm) - before_mib
    if found.growth_mib > GROWTH_MIB_MAX:
        found.complaints.append(f"the coordinator took {found.growth_mib:.0f} MiB more")
    return found


def judged(answer: Answer) -> Iterator[str]:
    """Yield what is wrong about an answer: refusals have words, and are the sender's fault."""
    if answer.status == 0 or 200 <= answer.status < 300:
        return
    if answer.status >= 500:
        yield f"{answer.status}: {answer.body[:300]!r}"
    elif answer.content_type == "application/problem+json":
        if not json.loads(answer.body).get("detail"):
            yield f"{answer.status} without a reason"
    # To slicers, and by the HTTP library to who speaks no HTTP.
    elif answer.content_type != "text/plain" or not answer.body:
        yield f"{answer.status} in {answer.content_type}: {answer.body[:300]!r}"


def asked(farm: Coordinator, sending: Sending) -> Answer:
    """Send a request, as far as anybody listens, and return what is answered."""
    with _connected(farm) as connection:
        try:
            head = f"{sending.head}\r\nHost: farm\r\nAuthorization: Bearer {farm.token}\r\n\r\n"
            connection.sendall(head.encode())
            for piece in sending.body:
                if select.select([connection], [], [], 0)[0]:
                    break
                connection.sendall(piece)
            else:
                if sending.hangs_up:
                    connection.shutdown(socket.SHUT_WR)
            return _answer(connection)
        except ConnectionError:
            return Answer(0)


def _connected(farm: Coordinator) -> socket.socket:
    parts = urlsplit(farm.url)
    assert parts.hostname is not None
    assert parts.port is not None
    return socket.create_connection((parts.hostname, parts.port), timeout=ANSWER_S)


def _answer(connection: socket.socket) -> Answer:
    said = b""
    while b"\r\n\r\n" not in said:
        if not (piece := connection.recv(65536)):
            return Answer(0)
        said += piece
    head, _, body = said.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines[1:])
    length = int(fields.get("content-length", "0"))
    while len(body) < length:
        if not (piece := connection.recv(65536)):
            break
        body += piece
    kind = fields.get("content-type", "").partition(";")[0]
    # Behind it may follow the answer to what was taken for the next question.
    return Answer(int(lines[0].split()[1]), kind, body[:length])


def _beginning(farm: Coordinator, number: int) -> bytes:
    """Return how somebody begins who never comes to an end: in the head, or in the body."""
    head = f"POST /api/v1/jobs HTTP/1.1\r\nHost: farm\r\nAuthorization: Bearer {farm.token}\r\n"
    if number % 2:
        return head.encode()
    kind = "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 900000\r\n\r\n"
    part = "--x\r\nContent-Disposition: form-data; name=file; filename=a.gcode\r\n\r\nG28"
    return f"{head}{kind}{part}".encode()


def _drip(held: Sequence[socket.socket]) -> None:
    """Have half of those who hold a connection say one more letter; the others are silent."""
    for one in held[: len(held) // 2]:
        with suppress(ConnectionError):
            one.sendall(b"X")


def _all_sent_away(held: Sequence[socket.socket], until_s: float) -> Iterator[str]:
    """Wait for the coordinator to hang up on all of them; yield a complaint where it does not."""
    left = list(held)
    while left and time.monotonic() < until_s:
        readable, _, _ = select.select(left, [], [], 1.0)
        for one in readable:
            if _ended(one):
                left.remove(one)
        _drip([one for one in held if one in left])
    if left:
        yield f"{len(left)} of {len(held)} still hold a connection on which they say nothing"


def _ended(connection: socket.socket) -> bool:
    try:
        return not connection.recv(65536)
    except ConnectionError:
        return True


def _left(farm: Coordinator) -> Iterator[str]:
    """Yield what is left of the refused, on the disk and in the log; and whether all is well."""
    staging = farm.folder / "artifacts" / ".staging"
    until(lambda: not list(staging.iterdir()), "what was on its way to the disk to be gone")
    jobs = json.dumps(farm.ask("jobs?limit=500")[1])
    for kept in farm.kept():
        if Path(kept).name not in jobs:
            yield f"{kept} lies in the store, and no job has it"
    words = farm.log.read_text()
    for sign in ("Traceback", '"level": "error"', '"level": "critical"'):
        if sign in words:
            yield f"the log tells of {sign}: {words[max(0, words.index(sign) - 200) :][:400]}"
    status, health = farm.ask("health")
    if status != 200 or health["status"] == "failing":
        yield f"the coordinator is not well: {health}"


def _peak_mib(farm: Coordinator) -> float:
    """Return the most memory that the coordinator ever had."""
    status = Path(f"/proc/{farm.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main(argv: Sequence[str]) -> int:
    """Run the proof; returns 0 where nobody did harm."""
    parser = argparse.ArgumentParser(prog="farmhand prove uploads", description=__doc__)
    parser.add_argument("--uploads", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args(argv)
    with TemporaryDirectory(prefix="farmhand-uploads-") as folder:
        found = prove(Path(folder), uploads=wanted.uploads, seed=wanted.seed)
    for (name, status), count in sorted(found.statuses.items()):
        sys.stdout.write(f"{name:40} {status or 'no word':>7} {count:5}\n")
    sys.stdout.write(f"memory rose by {found.growth_mib:.0f} MiB at most ({GROWTH_MIB_MAX})\n")
    sys.stdout.writelines(f"{each}\n" for each in found.complaints)
    return int(bool(found.complaints))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
