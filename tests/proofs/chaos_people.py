"""The people of a farm under trial: they order, change their minds, clear beds, settle lost runs.

They are careful. They look at the printer, which is its log, and not at what the farm says of it:
what lies still is taken off the bed, and a lost run is settled by what was executed.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from coordinator.cli.client import Document
from coordinator.cli.exits import CommandFailed, NotReachable
from protocols.gcode.program import read_program
from tests.proofs.chaos_farm import Farm, Printer
from tests.proofs.chaos_judge import CLEARED, ENDED, MARKER, Wish, is_whole
from tests.proofs.chaos_story import Story

ROUND_S = 0.4
STILL_S = 2.0  # a printer that executed nothing for so long, and is not said to print, lies still
COPIES_MAX = 3
CANCELS = 0.04  # of the orders
OPEN = ("received", "preparing", "ready", "leased", "printing", "cancelling", "lost")


@dataclass
class People:
    """Everybody at the farm.

    Attributes:
        ordering: new jobs are wanted.
        wishes: what was ordered, by name.
        did: how often they did what.
        quiet: set when nothing is left to do.
    """

    farm: Farm
    random: Random
    story: Story
    ordering: bool = True
    wishes: dict[str, Wish] = field(default_factory=dict)
    did: Counter[str] = field(default_factory=Counter)
    quiet: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self) -> None:
        """Make rounds until cancelled."""
        while True:
            await asyncio.sleep(ROUND_S)
            printers, jobs = await self.ask("printers"), await self._jobs()
            if printers is None or jobs is None:
                continue
            for job in jobs:
                await self._look_at_job(job)
            evidence = {run["printer_id"] for job in jobs for run in job["runs"] if is_lost(run)}
            by_id = {str(printer["id"]): printer for printer in printers}
            for printer in self.farm.printers:
                shown = by_id.get(printer.printer_id)
                if shown is not None and printer.printer_id not in evidence:
                    await self._look_at_printer(printer, shown)
            if not jobs:
                self.quiet.set()
            missing = sum(job["copies"] - job["copies_finished"] for job in jobs)
            if self.ordering and missing < 1.5 * len(self.farm.printers):
                await self._order()

    async def _jobs(self) -> list[Document] | None:
        """Return all jobs of which something may still come, None where nobody answers."""
        jobs: list[Document] | None = await self.ask("jobs", OPEN)
        if jobs is None:
            return None
        for wish in list(self.wishes.values()):
            if wish.cancelled and wish.job_id is not None and wish.starts_at_end is None:
                job = await self.ask("job", wish.job_id)
                if job is None:
                    return None
                if job["state"] in ENDED:
                    jobs.append(job)
        return jobs

    async def ask(self, verb: str, *arguments: Any, **named: Any) -> Any:
        """Return the coordinator's answer, None where it did not answer or refused."""
        method: Callable[..., Any] = getattr(self.farm.client, verb)
        try:
            return await asyncio.to_thread(method, *arguments, **named)
        except NotReachable:
            self.did["asked in vain"] += 1
        except CommandFailed as refusal:
            self.did["refused"] += 1
            self.story.tell(f"{verb} {' '.join(map(str, arguments))} is refused: {refusal}")
        return None

    async def _order(self) -> None:
        name = f"job-{len(self.wishes) + 1}"
        lines = plate(name, self.random)
        file = self.farm.folder / "plates" / f"{name}.gcode"
        file.write_bytes(b"".join(lines))
        commands = [item.command for item in read_program(lines)]
        wish = Wish(name, self.random.randint(1, COPIES_MAX), commands)
        cancels = self.random.random() < CANCELS
        self.wishes[name] = wish
        job = await self.ask("submit", file, {"name": name, "copies": str(wish.copies)})
        if job is None:
            self.story.tell(f"{name} is ordered, unheard")
            return
        self.story.tell(f"{name} is ordered, copies {wish.copies}: {job['id']}")
        self.wishes[name] = replace(wish, job_id=str(job["id"]), cancelled=cancels)

    async def _look_at_job(self, job: Document) -> None:
        wish = self.wishes.get(str(job["name"]))
        if wish is None:
            return
        if wish.cancelled and job["state"] == "printing":
            self.story.tell(f"{wish.name} is wanted no more")
            if await self.ask("control_job", job["id"], "cancel") is not None:
                self.did["cancelled"] += 1
        for run in filter(is_lost, job["runs"]):
            await self._settle(run, wish)
        if wish.cancelled and job["state"] in ENDED and not any(map(is_lost, job["runs"])):
            # It must not start again.
            prints = [made for each in self.farm.printers for made in each.log.prints]
            starts = sum(made.job == wish.name for made in prints)
            self.wishes[wish.name] = replace(wish, starts_at_end=starts)

    async def _settle(self, run: Document, wish: Wish) -> None:
        """Say how a lost run ended, by what lies on the bed."""
        printer = next(each for each in self.farm.printers if each.printer_id == run["printer_id"])
        if not await self._lies_still(printer):
            return
        made = printer.log.on_bed
        whole = made is not None and made.job == wish.name and is_whole(made, wish)
        outcome = "finished" if whole else "reprint"
        self.story.tell(
            f"{run['id']} of {wish.name} on {printer.printer_id} is lost ({run['reason']}): "
            f"a person says {outcome}"
        )
        if await self.ask("settle", run["id"], outcome) is not None:
            self.did[f"settled as {outcome}"] += 1

    async def _look_at_printer(self, printer: Printer, shown: Document) -> None:
        if shown["quarantine"]:
            self.story.tell(f"{printer.printer_id} is quarantined: {shown['quarantine']}")
            self.did["quarantine ended"] += 1
            await self.ask("set_service", printer.printer_id, in_service=False)
        if shown["bed"]["state"] == "clear" or shown["run"] is not None:
            return
        if await self._lies_still(printer):
            # Before it is said: from now on a start may be right.
            await printer.say(f"note {CLEARED}")
            if await self.ask("clear", printer.printer_id) is not None:
                self.did["cleared"] += 1

    async def _lies_still(self, printer: Printer) -> bool:
        await printer.say("status")
        printer.log.read()
        return time.monotonic() - printer.log.changed_at_s > STILL_S


def is_lost(run: Document) -> bool:
    """Whether a person has to say how a run ended."""
    return bool(run["state"] == "lost")


def plate(name: str, random: Random) -> list[bytes]:
    """Return a small plate's lines: the first command names the job, no two plates are alike."""
    lines = [f"{MARKER}{name}", "G21", "G90", "M82", "M140 S40", "M104 S45", "M109 S45", "G28"]
    lines += ["G92 E0"]
    extruded = 0.0
    for layer in range(1, random.randint(4, 9)):
        lines += [";LAYER_CHANGE", f"G1 Z{layer * 0.2:.1f} F600", f"M106 S{layer * 30}"]
        for _ in range(random.randint(15, 60)):
            extruded += 0.02
            x, y = random.uniform(20, 200), random.uniform(20, 180)
            lines.append(f"G1 X{x:.3f} Y{y:.3f} E{extruded:.4f} F{random.randint(6000, 12000)}")
        lines.append(f"G4 P{random.randint(2000, 15000)}")
    lines += ["M104 S0", "M140 S0", "M107"]
    return [line.encode() + b"\n" for line in lines]
