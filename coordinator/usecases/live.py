"""What is true only now, and kept only in memory: telemetry, last reports, progress of slicing.

A coordinator that restarts begins without it; nothing that must hold rests on it.
"""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime

from protocols.wire.from_agent import Presence, PrinterSample, Reported, Telemetry
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
        progress: of jobs that are being sliced, 0 to 1.
        waits: why an agent does not start what it was leased, in its words.
        draining: agents that take no new run.
        preparing_now: held while jobs are prepared, `flushing_now` while documents are said: each
            runs alone, so that what is said last is what was true last.
    """

    samples: dict[PrinterId, Sample] = field(default_factory=dict)
    progress: dict[JobId, float] = field(default_factory=dict)
    waits: dict[PrinterId, str] = field(default_factory=dict)
    draining: set[AgentId] = field(default_factory=set)
    preparing_now: asyncio.Lock = field(default_factory=asyncio.Lock)
    flushing_now: asyncio.Lock = field(default_factory=asyncio.Lock)
    _sequences: dict[PrinterId, tuple[str, int]] = field(default_factory=dict)
    _said: set[Hashable] = field(default_factory=set)

    def absorb(self, telemetry: Telemetry, now: datetime) -> None:
        """Take over an agent's telemetry."""
        for sample in telemetry.printers:
            self.samples[sample.printer_id] = Sample(sample, now)

    def sample(self, printer_id: PrinterId) -> Sample | None:
        """Return a printer's last telemetry, None before the first."""
        return self.samples.get(printer_id)

    def preparing(self, job_id: JobId) -> float | None:
        """Return how far a job's slicing is, 0 to 1; None where it is not being sliced."""
        return self.progress.get(job_id)

    def note_draining(self, presence: Presence) -> bool:
        """Remember whether an agent is being drained; True where that began."""
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

    def first_time(self, what: Hashable) -> bool:
        """Whether this is asked for the first time; keeps repeated trouble out of the history."""
        if what in self._said:
            return False
        if len(self._said) >= SAID_MAX:
            self._said.clear()
        self._said.add(what)
        return True
