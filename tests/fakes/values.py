"""Plain values of the domain, to be varied with `replace`."""

from dataclasses import replace
from datetime import UTC, datetime

from coordinator.domain.jobs import Job, JobState
from coordinator.domain.plates import Plate
from coordinator.domain.printers import Bed, BedState, Printer
from coordinator.domain.releases import Release
from coordinator.domain.runs import Run, RunState
from protocols.wire.vocabulary import (
    AgentId,
    Epoch,
    JobId,
    JournalId,
    PrinterId,
    PrinterState,
    RunId,
)

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
JOURNAL = JournalId("journal-1")

JOB = Job(job_id=JobId("job-1"), name="part", state=JobState.READY, created_at=NOW, updated_at=NOW)

PLATE = Plate(
    job_id=JOB.job_id,
    sha256="a" * 64,
    name="part.gcode",
    size_bytes=100,
    printer_class="mk4",
    material="PLA",
)

# Connected, idle and clear.
PRINTER = Printer(
    printer_id=PrinterId("p1"),
    agent_id=AgentId("a1"),
    name="first",
    printer_class="mk4",
    driver="model",
    material="PLA",
    online=True,
    seen=PrinterState.IDLE,
    bed=Bed(state=BedState.CLEAR, journal_id=JOURNAL, cleared=0),
    journal_id=JOURNAL,
)

RUN = Run(
    run_id=RunId("run-1"),
    job_id=JOB.job_id,
    printer_id=PRINTER.printer_id,
    agent_id=PRINTER.agent_id,
    epoch=Epoch(1),
    plate_sha256=PLATE.sha256,
    leased_at=NOW,
)


def run_in(state: RunState, number: int = 1, reason: str = "") -> Run:
    """Return a run in a state."""
    return replace(RUN, run_id=RunId(f"run-{number}"), state=state, reason=reason)


RELEASE = Release(
    version="0.2.0",
    sha256="a" * 64,
    size_bytes=1234,
    signature="four\nlines\n",
    key_name="0123456789ABCDEF",
    protocol_min=1,
    protocol_max=1,
    words="faster",
    added_by="user:anna",
    added_at=NOW,
)
