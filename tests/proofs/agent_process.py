"""An agent that prints one plate and is meant to be killed: `STATE_DIR PORT SHA256 SETTINGS`.

Everything of the agent that matters for a run is the real thing: journal, plates, decisions,
driver. Only its coordinator is played in this process, and grants whatever is asked for.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import structlog

from agent.files import FileStore
from agent.journal import Journal
from agent.line_thread import LineThread, OnLineThread
from agent.printer_task import PrinterTask
from agent.printers.registry import open_driver
from agent.surroundings import Surroundings
from protocols.wire.from_agent import Reported
from protocols.wire.to_agent import Assignment, BedClearance, Desired, PlateReference
from protocols.wire.vocabulary import AgentId, Epoch, JobId, Nonce, PrinterId, RunId, RunPhase

AGENT, PRINTER, RUN = AgentId("proof"), PrinterId("one"), RunId("run-1")
CACHE_BYTES_MAX = 1 << 30


class GrantingCoordinator:
    """Wants one run, declares the bed clear, and permits what asks for it."""

    def __init__(self, plate: PlateReference) -> None:
        self.connected, self.heard, self.session = True, True, 1
        self.task: PrinterTask | None = None
        self.ended = asyncio.get_running_loop().create_future()
        self._assignment = Assignment(run_id=RUN, job_id=JobId("job-1"), plate=plate)

    def report(self, reported: Reported) -> None:
        run = reported.run
        if run is not None and run.phase.is_end:
            if not self.ended.done():
                self.ended.set_result((run.phase, run.reason))
        elif run is None or run.phase in (RunPhase.FETCHING, RunPhase.READY):
            self._want(reported, run.nonce if run else None)

    def _want(self, reported: Reported, permit: Nonce | None) -> None:
        assert self.task is not None
        cleared = BedClearance(journal_id=reported.journal_id, occupation=reported.occupation)
        self.task.desire(
            Desired(
                printer_id=PRINTER,
                epoch=Epoch(1),
                revision=time.time_ns(),  # grows, whatever process says it
                assignment=self._assignment,
                permit=permit,
                cleared=cleared,
            )
        )

    def offer_event(self, printer_id: PrinterId, payload: bytes) -> bool:
        return True


async def main(state_dir: Path, port: str, sha256: str, settings: dict[str, Any]) -> int:
    """Print the plate; returns 0 when it is finished, 1 when it ended otherwise."""
    journal = await Journal.open(state_dir / "journal.sqlite")
    plates = state_dir / "plates"
    size = (plates / sha256).stat().st_size
    reference = PlateReference(sha256=sha256, size_bytes=size, url="/nowhere", name="plate")
    coordinator = GrantingCoordinator(reference)
    lines = LineThread()
    driver = OnLineThread(
        open_driver(
            "marlin_serial",
            PRINTER,
            {"port": port, "allow": ["cold"], **settings},
            state_dir=state_dir / PRINTER,
        ),
        lines,
    )
    around = Surroundings(
        agent_id=AGENT,
        boot_id=str(time.time_ns()),
        journal=journal,
        files=FileStore(plates, coordinator_url="http://-/", cache_bytes_max=CACHE_BYTES_MAX),
        outlet=coordinator,
    )
    coordinator.task = PrinterTask(PRINTER, driver, around)
    tasks = [asyncio.create_task(work()) for work in (driver.run, coordinator.task.run)]
    await asyncio.wait([coordinator.ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    lines.close()
    phase, reason = coordinator.ended.result()
    sys.stdout.write(f"{phase} {reason}\n")
    return 0 if phase is RunPhase.FINISHED else 1


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    folder, address, digest, further = sys.argv[1:]
    sys.exit(asyncio.run(main(Path(folder), address, digest, json.loads(further))))
