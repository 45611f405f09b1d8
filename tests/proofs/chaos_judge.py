"""The judge of chaos: what the printers executed, held against what the farm says of its runs.

A printer's log is the truth. It falls into prints, each begun by the plate's first command, which
names the job; a person's notes tell when the bed was cleared. A printer's runs come in the order
of their epochs, one at a time, so that prints and runs must pair off in order: what is left over
on either side is a broken promise.
"""

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from protocols.gcode.lines import parse
from tests.proofs.crash import difference, is_own

MARKER = "M117 "
CLEARED = "cleared"
POLL = "M105"
UNNUMBERED = "-"
_NOTE = "#note "
_BOOT = ("#boot", "#reset", "#halted")

# JSON documents of the API.
Document = Mapping[str, Any]

ENDED = ("finished", "failed", "cancelled")
_REFUSED_START = re.compile(
    r"farmhand coordinator: the database \S+ can't be written \(.+\): make room on its disk"
)
RUN_ENDED = ("finished", "stopped", "failed", "revoked", "discarded")


@dataclass
class Print:
    """One print that a firmware began: a plate's first command, and all up to the next one's.

    Attributes:
        on_clear_bed: somebody cleared the bed since the print before.
        broken: the board restarted, or halted, before the next print.
        began_at_s: monotonic, when it was read.
    """

    job: str
    on_clear_bed: bool
    commands: list[str]
    broken: bool = False
    began_at_s: float = 0.0


@dataclass
class PrinterLog:
    """What one printer executed so far, read as it grows.

    Attributes:
        prints: in order.
        changed_at_s: monotonic, when anything but a host's own talk was executed last.
    """

    printer_id: str
    path: Path
    prints: list[Print] = field(default_factory=list)
    changed_at_s: float = 0.0
    _bed_is_clear: bool = False
    _offset: int = 0
    _rest: str = ""

    @property
    def on_bed(self) -> Print | None:
        """The print that lies on the bed, None where it is clear."""
        return self.prints[-1] if self.prints and not self._bed_is_clear else None

    def read(self) -> list[str]:
        """Take in what was added; return what is worth telling."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._offset)
            added = file.read()
        self._offset += len(added)
        *lines, self._rest = (self._rest + added.decode("latin-1")).split("\n")
        return [words for line in lines if (words := self.take(line))]

    def take(self, line: str) -> str:
        """Take in one line of the log; return what is worth telling of it, else nothing."""
        if line.startswith("#"):
            return self._mark(line)
        number, _, command = line.partition("\t")
        if not command or is_own(command) or (number == UNNUMBERED and is_garbled(command)):
            return ""
        self.changed_at_s = time.monotonic()
        if command.startswith(MARKER):
            job = command.removeprefix(MARKER)
            self.prints.append(
                Print(job, self._bed_is_clear, [command], began_at_s=self.changed_at_s)
            )
            self._bed_is_clear = False
            return f"starts {job}"
        if self.prints:
            self.prints[-1].commands.append(command)
        return ""

    def _mark(self, line: str) -> str:
        if line == f"{_NOTE}{CLEARED}":
            self._bed_is_clear = True
            return "a person clears its bed"
        if line.startswith(_BOOT):
            if self.prints:
                self.prints[-1].broken = True
            return line[1:]
        return ""


def is_refused_start(name: str, code: int, only_words: str) -> bool:
    """Whether a process on a full disk could not start and said so; a service manager tries again.

    Args:
        only_words: the one line that it said; nothing where there were more, or none.
    """
    refused = _REFUSED_START.fullmatch(only_words) is not None
    return name == "coordinator" and code == 1 and refused


@dataclass(frozen=True)
class Verdict:
    """One broken promise; the names tell what to look for in the story."""

    kind: str
    words: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wish:
    """What was ordered.

    Attributes:
        commands: of the plate.
        job_id: None where the answer to the order was never heard: it may be there or not.
        cancelled: a person wanted it no more.
        starts_at_end: how often it had started when it was seen to be cancelled.
    """

    name: str
    copies: int
    commands: Sequence[str]
    job_id: str | None = None
    cancelled: bool = False
    starts_at_end: int | None = None


def judge(
    logs: Sequence[PrinterLog], wishes: Mapping[str, Wish], jobs: Sequence[Document]
) -> list[Verdict]:
    """Return every broken promise of a farm that had time to come to rest.

    Args:
        logs: of all printers.
        wishes: by the name of their jobs.
        jobs: as the API tells them, with their runs.
    """
    verdicts: list[Verdict] = []
    names = {str(job["id"]): str(job["name"]) for job in jobs}
    for log in logs:
        runs = [run for job in jobs for run in job["runs"] if run["printer_id"] == log.printer_id]
        runs.sort(key=lambda run: int(run["epoch"]))
        verdicts += _of_bed(log) + _Pairing(log, runs, names, wishes).verdicts()
    starts = Counter(made.job for log in logs for made in log.prints)
    verdicts += _of_orders(wishes, jobs)
    for job in jobs:
        if (wish := wishes.get(str(job["name"]))) is not None:
            verdicts += _of_job(job, wish, starts[wish.name])
    return verdicts


def is_garbled(command: str) -> bool:
    """Whether a line without number is what a cable made of another.

    Where a bit of the N is flipped, or of a poll, which has neither number nor checksum, a firmware
    finds no command that it knows, or one beside M105; the line itself comes again.
    """
    flips = [ord(one) ^ ord(other) for one, other in zip(command, POLL, strict=False)]
    is_poll = len(command) == len(POLL) and sum(flip.bit_count() for flip in flips) == 1
    known = parse(command)
    return is_poll or known is None or known.name[0] not in "GMT"


def is_whole(made: Print, wish: Wish) -> bool:
    """Whether a print is the plate's commands, all and nothing else."""
    return not difference(list(wish.commands), made.commands)


def _of_bed(log: PrinterLog) -> list[Verdict]:
    return [
        Verdict(
            "uncleared bed",
            f"{log.printer_id} starts {made.job} on a bed that nobody cleared "
            f"since {before.job if before else 'the beginning'}",
            (log.printer_id, made.job),
        )
        for before, made in zip([None, *log.prints], log.prints, strict=False)
        if not made.on_clear_bed
    ]


@dataclass(frozen=True)
class _Pairing:
    """One printer's prints and runs, each in order, to be paired off."""

    log: PrinterLog
    runs: Sequence[Document]
    names: Mapping[str, str]
    wishes: Mapping[str, Wish]

    def verdicts(self) -> list[Verdict]:
        """Pair each run with one print at most; return what is left over, or does not match."""
        found: list[Verdict] = []
        paired = {0}  # how many prints may belong to the runs so far
        for run in self.runs:
            after = {count for count in paired if run["state"] != "finished"}
            after |= {count + 1 for count in paired if self._may_be(run, count)}
            if not after:
                count, wrong = self._without_its_print(run, max(paired))
                found += wrong
                after = {count}
            paired = after
        return found + self._of_no_run(self.log.prints[max(paired) :])

    def _may_be(self, run: Document, number: int) -> bool:
        """Whether a print, if there is one with this number, may be of a run."""
        if number >= len(self.log.prints):
            return False
        made, name = self.log.prints[number], self.names[str(run["job_id"])]
        if made.job != name or name not in self.wishes:
            return False
        match run["state"]:
            case "finished":
                return is_whole(made, self.wishes[name])
            case "revoked":
                return False
            case "discarded":
                return not is_whole(made, self.wishes[name])
            case _:
                return True

    def _without_its_print(self, run: Document, count: int) -> tuple[int, list[Verdict]]:
        """Return how many prints are paired after a finished run that the next one is not of."""
        prints, name = self.log.prints, self.names[str(run["job_id"])]
        for later in range(count, len(prints)):
            if self._may_be(run, later):
                return later + 1, self._of_no_run(prints[count:later])
        words, there = f"{run['id']} of {name} is finished, but", self.log.printer_id
        if count < len(prints) and prints[count].job == name and name in self.wishes:
            where = difference(list(self.wishes[name].commands), prints[count].commands)
            words = f"{words} {there} did not print its plate: {where}"
            return count + 1, [Verdict("wrong print", words, (there, name))]
        words = f"{words} {there} printed nothing for it"
        return count, [Verdict("wrong print", words, (there, name))]

    def _of_no_run(self, prints: Sequence[Print]) -> list[Verdict]:
        there = self.log.printer_id
        return [
            Verdict(
                "double start",
                f"{there} starts {made.job}, but this start is of no run: {self._told(made.job)}",
                (there, made.job),
            )
            for made in prints
        ]

    def _told(self, name: str) -> str:
        told = [
            f"{run['id']} {run['state']}"
            for run in self.runs
            if self.names[str(run["job_id"])] == name
        ]
        return "its runs there are " + ", ".join(told) if told else "it has no run there"


def _of_orders(wishes: Mapping[str, Wish], jobs: Sequence[Document]) -> list[Verdict]:
    known = Counter(str(job["name"]) for job in jobs)
    verdicts = [
        Verdict("lost job", f"{wish.name} was accepted as {wish.job_id} and is gone", (wish.name,))
        for wish in wishes.values()
        if wish.job_id is not None and wish.name not in known
    ]
    verdicts += [
        Verdict("double job", f"{name} was ordered once and is there {count} times", (name,))
        for name, count in known.items()
        if count > 1 or name not in wishes
    ]
    return verdicts


def _of_job(job: Document, wish: Wish, starts: int) -> list[Verdict]:
    state, name = job["state"], wish.name
    runs = job["runs"]
    finished = sum(run["state"] == "finished" for run in runs)
    failed = sum(run["state"] == "failed" for run in runs)
    found = []
    if state not in ENDED:
        found.append(Verdict("stuck job", f"{name} is {state}: {_why(job)}", (name,)))
    found += [
        Verdict("stuck run", f"{run['id']} of {name} is {run['state']}", (name, run["printer_id"]))
        for run in runs
        if state in ENDED and run["state"] not in RUN_ENDED
    ]
    if state == "finished" and finished != wish.copies:
        words = f"{name} is finished with {finished} of {wish.copies} copies"
        found.append(Verdict("copies", words, (name,)))
    if state == "cancelled" and not wish.cancelled:
        found.append(Verdict("copies", f"{name} is cancelled, and nobody cancelled it", (name,)))
    if state == "failed" and failed <= job["retries_max"]:
        words = f"{name} has failed, with {failed} failed runs: {job['reason']}"
        found.append(Verdict("copies", words, (name,)))
    if wish.starts_at_end is not None and starts != wish.starts_at_end:
        found.append(
            Verdict("start after stop", f"{name} starts after it was said to be cancelled", (name,))
        )
    return found


def _why(job: Document) -> str:
    waits = [f"{wait['printer_id'] or ''} {wait['words']}".strip() for wait in job["waits"]]
    return "; ".join(waits) or "for no known reason"
