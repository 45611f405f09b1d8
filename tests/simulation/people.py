"""People: they order, change their minds, touch printers, clear beds, and say how lost runs ended.

They look before they speak: nobody declares a bed clear on which something prints or that was not
emptied, and nobody settles a run within two minutes of hearing that it is lost.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from coordinator.domain import jobs
from coordinator.domain.effects import Effects, Poke, Save, Work
from coordinator.domain.jobs import ENDED, Job, JobEvent
from coordinator.domain.plates import Plate
from coordinator.domain.printers import BedState, Printer
from coordinator.domain.runs import Run, RunState
from coordinator.usecases import beds, controlling
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import writing
from protocols.wire.vocabulary import BedPolicy, JobId, PrinterId
from tests.simulation.coordinators import CoordinatorHost
from tests.simulation.judge import Fate, Judge
from tests.simulation.machines import Machine
from tests.simulation.slicers import Files
from tests.simulation.world import World

ANNA = "user:anna"
PATIENCE_S = 120.0
# So many orders bring a model, which is sliced for the classes that could print it.
MODELS = 0.4

Verb = Callable[[Farm], Awaitable[Any]]


async def _set_service(farm: Farm, *, printer_id: PrinterId, in_service: bool) -> None:
    await controlling.set_service(farm, printer_id, in_service, ANNA)


class People:
    """Everybody around the farm."""

    def __init__(
        self,
        world: World,
        judge: Judge,
        coordinators: list[CoordinatorHost],
        machines: list[Machine],
        files: Files,
    ) -> None:
        self.world = world
        self.judge = judge
        self.coordinators = coordinators
        self.machines = machines
        self.files = files
        self.scrap_clones: Callable[[PrinterId], None] = lambda printer_id: None
        self._heard_s: dict[object, float] = {}

    async def ask(self, words: str, verb: Verb) -> bool:
        """Ask a coordinator that is there."""
        up = [host for host in self.coordinators if not host.retired and host.process.alive]
        if not up:
            return False
        done = await self.world.random.choice(up).ask(verb)
        self.world.tell(f"somebody {words}" if done else f"somebody can't: {words}")
        return done

    async def order(self, number: int) -> None:
        """Order a ready plate or a model, as `accept_order` stores it."""
        job_id = JobId(f"job-{number}")
        random = self.world.random
        copies, brings_model = random.randint(1, 3), random.random() < MODELS
        sha256 = f"{number:064x}"
        printer_class = random.choice(("", "", "mk4", "xl")) if brings_model else ""

        async def verb(farm: Farm) -> None:
            now = farm.clock.now()
            job = Job(
                job_id=job_id,
                name="part",
                copies=copies,
                model_sha256=sha256 if brings_model else None,
                printer_class=printer_class,
                created_at=now,
                updated_at=now,
            )
            effects: Effects = (Save(job), Poke(Work.PREPARE))
            if brings_model:
                self.files.kept.add(sha256)
            else:
                plate = Plate(job_id=job_id, sha256=sha256, name="part.gcode", size_bytes=1)
                ready = jobs.advance(job, JobEvent.READY, now)[1]
                effects = (Save(job), Save(plate), *ready, Poke(Work.DISPATCH))
            async with writing(farm, ANNA) as transaction:
                await transaction.perform(effects)
            self.judge.ordered.add(job_id)

        while not await self.ask(f"orders {job_id} x {copies}", verb):
            if job_id in self.judge.tables.jobs:  # it was kept, and the answer was lost
                self.judge.ordered.add(job_id)
                return
            await self.pause(60.0)

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        await self.world.sleep(seconds)

    async def make_rounds(self) -> None:
        """Walk along the printers and see to what needs a person."""
        for printer in list(self.judge.tables.printers.values()):
            if printer.quarantine and self._long_known(("quarantine", printer.printer_id)):
                await self._look_after(printer)
            if printer.bed.state is not BedState.CLEAR:
                await self._clear(printer)
            else:
                self._heard_s.pop(("bed", printer.printer_id), None)
        for run in list(self.judge.tables.runs.values()):
            if run.state is RunState.LOST and self._long_known(("lost", run.run_id)):
                await self._settle(run)
        for machine in self.machines:
            paused = machine.current is not None and machine.current.fate is Fate.PAUSED
            if paused and self._long_known(("paused", machine.current)):
                self._at_panel(machine, "resumes")

    def _patience_s(self, printer: Printer) -> float:
        """Return how long people leave a bed alone: its printer may see to it itself."""
        itself = printer.bed_policy is BedPolicy.SELF_CLEARING and self.world.troubled
        return 7200.0 if itself else PATIENCE_S

    def _long_known(self, what: object, patience_s: float = PATIENCE_S) -> bool:
        heard_s = self._heard_s.setdefault(what, self.world.now_s())
        return self.world.now_s() - heard_s >= patience_s

    def _called(self, printer_id: PrinterId) -> list[Machine]:
        return [machine for machine in self.machines if machine.printer_id == printer_id]

    async def _clear(self, printer: Printer) -> None:
        """Empty every bed of this name, and say so; some say before that they are at it."""
        printer_id, bed = printer.printer_id, printer.bed
        if not self._long_known(("bed", printer_id), self._patience_s(printer)):
            return
        if bed.state is BedState.CLEARING and bed.changed_by != ANNA:
            return
        if bed.state is not BedState.CLEARING and self.world.random.random() < 0.3:
            await self.ask(
                f"is at the bed of {printer_id}", lambda f: beds.claim_bed(f, printer_id, ANNA)
            )
            return
        machines = self._called(printer_id)
        if any(machine.busy for machine in machines):
            return
        for machine in machines:
            machine.on_bed.clear()
        self._heard_s.pop(("bed", printer_id), None)

        async def verb(farm: Farm) -> None:
            # Whoever stands there sees if something begins before it is said.
            if not any(machine.on_bed for machine in machines):
                await controlling.clear_printer(farm, printer_id, ANNA)

        await self.ask(f"clears {printer_id}", verb)

    async def _look_after(self, printer: Printer) -> None:
        """Find out why a printer was taken out of the game: nothing of it prints, no copy lives."""
        self.scrap_clones(printer.printer_id)
        if any(machine.busy for machine in self._called(printer.printer_id)):
            return
        self._heard_s.pop(("quarantine", printer.printer_id), None)
        await self.ask(
            f"gives {printer.printer_id} back ({printer.quarantine})",
            lambda farm: controlling.set_service(farm, printer.printer_id, False, ANNA),
        )

    async def _settle(self, run: Run) -> None:
        """Look what became of a lost run; a print that stands still for ever is taken off.

        One that was permitted and never heard to start may yet be started by whoever was permitted:
        so nobody says how it ended before they looked for a copy of that agent.
        """
        run_id = run.run_id
        if run.started_at is None:
            self.scrap_clones(run.printer_id)
        for machine in self.machines:
            made = machine.current
            if made is not None and made.run_id == run_id and made.fate.goes_on:
                if machine.prints_alone or not self._long_known(("stands", run_id)):
                    return
                machine.end(Fate.STOPPED)
        if self.judge.goes_on(run_id):
            return
        outcome = self.world.random.choice(("failed", "reprint", "reprint"))
        if self.judge.finished(run_id):
            outcome = "finished"
        await self.ask(
            f"settles {run_id} as {outcome}",
            lambda farm: controlling.settle_run(farm, run_id, outcome, ANNA),
        )

    def _at_panel(self, machine: Machine, does: str) -> None:
        self.world.tell(f"somebody {does} {machine.name} at its panel")
        match does:
            case "pauses":
                machine.pause()
            case "resumes":
                machine.resume()

    async def change_their_minds(self) -> None:
        """Do what people do to jobs and printers."""
        random = self.world.random
        open_jobs = [job for job in self.judge.tables.jobs.values() if job.state not in ENDED]
        machine = random.choice(self.machines)
        does = random.choice(("cancel", "pause", "resume", "resume", "panel", "foreign", "service"))
        self.world.fault(f"people: {does}")
        if does == "panel":
            self._at_panel(machine, "pauses")
        elif does == "foreign":
            self.print_something_foreign(machine)
        elif does == "service":
            await self._service(machine.printer_id)
        elif open_jobs:
            await self._control(random.choice(open_jobs).job_id, does)

    async def _service(self, printer_id: PrinterId) -> None:
        for in_service in (True, False):
            await self.ask(
                f"takes {printer_id} out of service"
                if in_service
                else f"puts {printer_id} into service",
                partial(_set_service, printer_id=printer_id, in_service=in_service),
            )
            await self.pause(self.world.random.uniform(1, 900))

    async def _control(self, job_id: JobId, does: str) -> None:
        if does == "cancel":
            self.judge.cancelled.add(job_id)
            await self.ask(f"cancels {job_id}", lambda f: controlling.cancel_job(f, job_id, ANNA))
        elif does == "pause":
            await self.ask(f"pauses {job_id}", lambda f: controlling.pause_job(f, job_id, ANNA))
        else:
            await self.ask(f"resumes {job_id}", lambda f: controlling.resume_job(f, job_id, ANNA))

    def print_something_foreign(self, machine: Machine) -> None:
        """Print at the panel; what no agent saw, its owner takes away."""
        if machine.busy or not machine.reachable or machine.name != machine.printer_id:
            return
        machine.on_bed.clear()
        machine.begin(None)
        self.world.tell(f"somebody prints something foreign on {machine.name}")

    async def resume_everything(self) -> None:
        """Let every held job go on."""
        for job in list(self.judge.tables.jobs.values()):
            if job.held and job.state not in ENDED:
                await self._control(job.job_id, "resume")
        for printer in list(self.judge.tables.printers.values()):
            if printer.in_service:
                await self._service(printer.printer_id)
