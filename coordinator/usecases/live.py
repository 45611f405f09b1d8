"""What is true only now, and kept only in memory: telemetry, last reports, progress of slicing.

A coordinator that restarts begins without it; nothing that must hold rests on it.
"""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime

from protocols.wire.from_agent import PrinterSample, Reported, Telemetry
from protocols.wire.vocabulary import AgentId, JobId, PrinterId

# What was said once is remembered for so many things; when it is full, it may be said again.
SAID_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Sample:
    """A printer's last telemetry, and when it arrived."""

    printer: PrinterSample
    seen_at: datetime


@dataclass(slots=True)
class Live:
    """The farm's short memory.

    Attributes:
        owners: whose each printer is; nobody else's telemetry about it counts.
        foreign_samples: how often somebody else spoke of a printer, or of one that nobody knows.
        progress: of jobs that are being sliced, 0 to 1.
        waits: why an agent does not start what it was leased, in its words.
        preparing_now: held while jobs are prepared, `flushing_now` while documents are said: each
            runs alone, so that what is said last is what was true last.
    """

    samples: dict[PrinterId, Sample] = field(default_factory=dict)
    owners: dict[PrinterId, AgentId] = field(default_factory=dict)
    foreign_samples: int = 0
    progress: dict[JobId, float] = field(default_factory=dict)
    waits: dict[PrinterId, str] = field(default_factory=dict)
    preparing_now: asyncio.Lock = field(default_factory=asyncio.Lock)
    flushing_now: asyncio.Lock = field(default_factory=asyncio.Lock)
    _sequences: dict[PrinterId, tuple[str, int]] = field(default_factory=dict)
    _said: set[Hashable] = field(default_factory=set)

    def absorb(self, telemetry: Telemetry, now: datetime) -> None:
        """Take over an agent's telemetry about its own printers."""
        for sample in telemetry.printers:
            if self.owners.get(sample.printer_id) == telemetry.agent_id:
                self.samples[sample.printer_id] = Sample(sample, now)
            else:
                self.foreign_samples += 1

    def sample(self, printer_id: PrinterId) -> Sample | None:
        """Return a printer's last telemetry, None before the first."""
        return self.samples.get(printer_id)

    def preparing(self, job_id: JobId) -> float | None:
        """Return how far a job's slicing is, 0 to 1; None where it is not being sliced."""
        return self.progress.get(job_id)

    def is_news(self, report: Reported) -> bool:
        """Whether a report is younger than all before it of the same boot; remembers it."""
        last = self._sequences.get(report.printer_id)
        if last is not None and last[0] == report.boot_id and report.sequence <= last[1]:
            return False
        self._sequences[report.printer_id] = (report.boot_id, report.sequence)
        return True

    def unhear(self, report: Reported) -> None:
        """Let a report be news again, unless a younger one was heard."""
        if self._sequences.get(report.printer_id) == (report.boot_id, report.sequence):
            self._sequences[report.printer_id] = (report.boot_id, report.sequence - 1)

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
