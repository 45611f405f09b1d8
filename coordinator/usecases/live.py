"""What is true only now, and kept only in memory: telemetry, last reports, progress of slicing.

A coordinator that restarts begins without it; nothing that must hold rests on it.
"""

import asyncio
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from coordinator.domain.cloning import Boots
from coordinator.domain.estimates import Paces
from coordinator.domain.history import Thing
from coordinator.domain.series import Measured
from coordinator.domain.stock import MaterialProfile
from coordinator.errors import FarmError
from coordinator.usecases.counted import Counted, Traffic
from coordinator.usecases.kept import Kept
from coordinator.usecases.news import News
from protocols.wire.from_agent import (
    CommandResult,
    HostSample,
    Presence,
    PrinterSample,
    Reported,
    Telemetry,
)
from protocols.wire.vocabulary import AgentId, Finding, JobId, PrinterId

if TYPE_CHECKING:
    from coordinator.usecases.noticing import Lacks
    from coordinator.usecases.timetable import Outlook

# What was said once is remembered for so many things; when it is full, it may be said again.
SAID_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Sample:
    """A printer's last telemetry, and when it arrived."""

    printer: PrinterSample
    seen_at: datetime


# A plate's job and printer class.
PlateKey: TypeAlias = tuple[JobId, str]


@dataclass(slots=True)
class Slicing:
    """One plate in the making.

    Attributes:
        ratio: how far it is, 0 to 1; `stage` is in words.
        unwanted: set when it is to be given up.
    """

    ratio: float = 0.0
    stage: str = ""
    unwanted: asyncio.Event = field(default_factory=asyncio.Event)

    def report(self, ratio: float, stage: str) -> None:
        """Take how far it is."""
        self.ratio, self.stage = ratio, stage


@dataclass(slots=True)
class Live:
    """The farm's short memory.

    Attributes:
        measured: what was measured over the last hour and day; this alone outlives a restart.
        owners: whose each printer is; nobody else's telemetry about it counts.
        foreign_samples: how often somebody else spoke of a printer, or of one that nobody knows.
        slicings: the plates that are being sliced now.
        held: how many keep an artifact that no row refers to yet; `shelf` is taken by whoever
            puts one into the store or out of it.
        lent: how many send an artifact to somebody right now.
        cleaning: while files are removed, what was on its way in then or since; else None.
        backups: how many take one right now; no artifact that a row knows leaves meanwhile.
        backing_up: bytes of the backup that the farm's own folder gets now; None without one.
        waits: why an agent does not start what it was leased, in its words.
        findings: what is wrong with printers, by their agents' last reports.
        commands: what each printer's agent does for it, as it said when it came.
        pictures: which printers there are new pictures of; `photographed`: those of which one is
            being taken, and why it failed.
        retired_reported: which agent speaks still of a printer that is retired; `retired_words`:
            why it does not let it go, as far as it was asked.
        hosts: the machines of the agents, by their last telemetry.
        history_trouble: what is wrong with the history, as far as anybody looked; empty where
            nothing is.
        boots: by agent, the processes that presented themselves.
        draining: agents that take no new run.
        presences: what those said last that are there.
        generating: how far providers are that answer only in the end: 0 to 1 and a stage.
        outlook: the farm's next days, as they were foretold last; `lacks` is what has to be loaded.
        paces: what past runs told of the printers' speed; looked up again at `paces_until_s`.
        profiles: what slicing knows of materials; looked up again at `profiles_until_s`.
        news: what changed in the store, as it changes.
        counted, traffic: what happened since the start, and what was said and heard.
        flushing_now: held while documents are said: what is said last is what was true last.
        estimating: held by who has a plate sliced only to tell what it would take; `estimates` are
            those and all that wait for their turn.
        at_the_door: held while the broker is told who may enter, for the same reason.
    """

    samples: dict[PrinterId, Sample] = field(default_factory=dict)
    measured: Measured = field(default_factory=Measured)
    owners: dict[PrinterId, AgentId] = field(default_factory=dict)
    foreign_samples: int = 0
    slicings: dict[PlateKey, Slicing] = field(default_factory=dict)
    held: Counter[str] = field(default_factory=Counter)
    shelf: asyncio.Lock = field(default_factory=asyncio.Lock)
    lent: Counter[str] = field(default_factory=Counter)
    cleaning: set[str] | None = None
    backups: int = 0
    backing_up: int | None = None
    waits: dict[PrinterId, str] = field(default_factory=dict)
    findings: dict[PrinterId, tuple[Finding, ...]] = field(default_factory=dict)
    commands: dict[PrinterId, tuple[str, ...]] = field(default_factory=dict)
    pictures: News = field(default_factory=News)
    photographed: dict[PrinterId, asyncio.Future[FarmError | None]] = field(default_factory=dict)
    retired_reported: dict[PrinterId, AgentId] = field(default_factory=dict)
    retired_words: dict[PrinterId, str] = field(default_factory=dict)
    hosts: dict[AgentId, HostSample] = field(default_factory=dict)
    history_trouble: str = ""
    boots: dict[AgentId, Boots] = field(default_factory=dict)
    draining: set[AgentId] = field(default_factory=set)
    presences: dict[AgentId, Presence] = field(default_factory=dict)
    generating: dict[str, tuple[float | None, str]] = field(default_factory=dict)
    outlook: "Kept[Outlook]" = field(default_factory=Kept)
    lacks: "Kept[Lacks]" = field(default_factory=Kept)
    paces: Paces | None = None
    paces_until_s: float = 0.0
    profiles: tuple[MaterialProfile, ...] | None = None
    profiles_until_s: float = 0.0
    flushing_now: asyncio.Lock = field(default_factory=asyncio.Lock)
    news: News = field(default_factory=News)
    counted: Counted = field(default_factory=Counted)
    traffic: Traffic = field(default_factory=Traffic)
    estimating: asyncio.Lock = field(default_factory=asyncio.Lock)
    estimates: int = 0
    at_the_door: asyncio.Lock = field(default_factory=asyncio.Lock)
    _outbox_oldest: tuple[int, float] | None = None
    _answers: dict[str, asyncio.Future[CommandResult]] = field(default_factory=dict)
    _sequences: dict[PrinterId, tuple[str, int]] = field(default_factory=dict)
    _said: set[Hashable] = field(default_factory=set)

    def absorb(self, telemetry: Telemetry, now: datetime) -> None:
        """Take over an agent's telemetry about its own printers."""
        moved: list[Thing] = []
        now_s = now.timestamp()
        for sample in telemetry.printers:
            if self.owners.get(sample.printer_id) == telemetry.agent_id:
                self.samples[sample.printer_id] = Sample(sample, now)
                self.measured.take(sample, now_s)
                moved.append(("sample", sample.printer_id))
            else:
                self.foreign_samples += 1
        if telemetry.host is not None:
            self.hosts[telemetry.agent_id] = telemetry.host
            moved.append(("host", telemetry.agent_id))
        if moved:
            self.news.tell(moved)

    def sample(self, printer_id: PrinterId) -> Sample | None:
        """Return a printer's last telemetry, None before the first."""
        return self.samples.get(printer_id)

    @contextmanager
    def slicing(self, key: PlateKey) -> Iterator[Slicing]:
        """Claim a plate, so that nobody else slices it, for as long as the block lasts."""
        assert key not in self.slicings, "somebody is at it"
        self.slicings[key] = slicing = Slicing()
        try:
            yield slicing
        finally:
            del self.slicings[key]

    def preparing(self, job_id: JobId) -> float | None:
        """Return how far a job's slicing is, 0 to 1; None where none of its plates is sliced."""
        ratios = [each.ratio for (its_id, _), each in self.slicings.items() if its_id == job_id]
        return sum(ratios) / len(ratios) if ratios else None

    def give_up_slicing(self, job_id: JobId) -> None:
        """Have the slicing of a job's plates ended, and their processes with it."""
        for (its_id, _), slicing in self.slicings.items():
            if its_id == job_id:
                slicing.unwanted.set()

    def note_presence(self, presence: Presence) -> bool:
        """Remember what an agent said of itself; True where its draining began with it."""
        if presence.online:
            self.presences[presence.agent_id] = presence
        else:
            self.presences.pop(presence.agent_id, None)
        began = presence.draining and presence.online and presence.agent_id not in self.draining
        if presence.draining and presence.online:
            self.draining.add(presence.agent_id)
        else:
            self.draining.discard(presence.agent_id)
        return began

    def is_news(self, report: Reported) -> bool:
        """Whether a report is younger than all before it of the same boot; remembers it."""
        last = self._sequences.get(report.printer_id)
        if last is not None and last[0] == report.boot_id and report.sequence <= last[1]:
            return False
        self._sequences[report.printer_id] = (report.boot_id, report.sequence)
        return True

    def expect(self, command_id: str) -> asyncio.Future[CommandResult]:
        """Return what will be the answer to a command."""
        answer: asyncio.Future[CommandResult] = asyncio.get_running_loop().create_future()
        self._answers[command_id] = answer
        return answer

    def expect_no_more(self, command_id: str) -> None:
        """Nobody waits for this answer any more."""
        self._answers.pop(command_id, None)

    def answer(self, result: CommandResult) -> None:
        """Hand an answer to whoever waits for it; an agent may repeat it."""
        waiting = self._answers.get(result.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(result)

    def unhear(self, report: Reported) -> None:
        """Let a report be news again, unless a younger one was heard."""
        if self._sequences.get(report.printer_id) == (report.boot_id, report.sequence):
            self._sequences[report.printer_id] = (report.boot_id, report.sequence - 1)

    def outbox_age_s(self, number: int | None, now_s: float) -> float:
        """Return for how long a note of the outbox was its oldest, as far as anybody looked.

        Args:
            number: the oldest note; None where the outbox is empty.
            now_s: a time that never jumps.
        """
        if number is None:
            self._outbox_oldest = None
            return 0.0
        if self._outbox_oldest is None or self._outbox_oldest[0] != number:
            self._outbox_oldest = (number, now_s)
        return now_s - self._outbox_oldest[1]

    def first_time(self, what: Hashable) -> bool:
        """Whether this is asked for the first time; keeps repeated trouble out of the history."""
        if what in self._said:
            return False
        if len(self._said) >= SAID_MAX:
            self._said.clear()
        self._said.add(what)
        return True

    def unsay(self, what: Hashable) -> None:
        """Let something be asked for the first time again."""
        self._said.discard(what)
