"""A farm in one value: the real use cases, and around them small models of agents and people.

The network loses, repeats and reorders what it likes, but for presence, which one connection
carries in order. What physically happened is written to `starts`, `finished` and `on_bed`: by
that the judge goes.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random

from coordinator.domain.jobs import ENDED, JobState
from coordinator.domain.printers import BedState
from coordinator.domain.runs import RunState
from coordinator.errors import NotNow
from coordinator.usecases import (
    absorbing,
    auditing,
    controlling,
    dispatching,
    preparing,
    slicing,
    starting,
)
from coordinator.usecases.farm import Farm
from coordinator.usecases.live import Live
from protocols.wire.from_agent import Reported, RunEvent
from protocols.wire.vocabulary import EventKind, Mode, Nonce, RunId, RunPhase
from tests.fakes.manual_clock import ManualClock
from tests.fakes.model_agent import PRINTING, ModelAgent, ModelRun
from tests.fakes.recording_link import RecordingLink


@dataclass
class Model:
    """The whole farm, its network, and what physically happened."""

    farm: Farm
    random: Random
    agents: list[ModelAgent]
    network: list[Reported | RunEvent] = field(default_factory=list)
    starts: Counter[RunId] = field(default_factory=Counter)
    finished: set[RunId] = field(default_factory=set)
    nonces: int = 0
    story: list[str] = field(default_factory=list)

    def tell(self, line: str) -> None:
        self.story.append(line)

    # What agents do.

    def mode_of(self, agent: ModelAgent) -> Mode | None:
        desired, run = agent.desired, agent.run
        if desired is None or run is None or desired.assignment is None:
            return None
        same = desired.epoch == run.epoch and desired.assignment.run_id == run.run_id
        return desired.mode if same else None

    def step(self, agent: ModelAgent, *, lucky: bool = False) -> None:
        """Let an agent do one thing."""
        run, mode = agent.run, self.mode_of(agent)
        if run is None:
            return
        if run.phase is RunPhase.READY:
            self._begin(agent, run, mode)
        elif run.phase is RunPhase.COMMITTED:
            self._start(agent, run)
        elif run.phase in PRINTING and mode is Mode.STOP:
            self.tell(f"{run.run_id} is stopped")
            agent.end(RunPhase.STOPPED, EventKind.STOPPED)
        elif run.phase is RunPhase.PRINTING and mode is Mode.PAUSE:
            run.phase = RunPhase.PAUSED
            agent.note(EventKind.PAUSED)
        elif run.phase is RunPhase.PAUSED and mode is Mode.RUN:
            run.phase = RunPhase.PRINTING
            agent.note(EventKind.RESUMED)
        elif run.phase is RunPhase.PRINTING:
            if lucky or self.random.random() < 0.8:
                self.tell(f"{run.run_id} finishes")
                self.finished.add(run.run_id)
                agent.end(RunPhase.FINISHED, EventKind.FINISHED)
            else:
                self.tell(f"{run.run_id} fails")
                agent.end(RunPhase.FAILED, EventKind.FAILED)

    def _begin(self, agent: ModelAgent, run: ModelRun, mode: Mode | None) -> None:
        desired = agent.desired
        if mode is Mode.STOP:
            agent.end(RunPhase.STOPPED, EventKind.RELEASED)
            return
        if mode is not Mode.RUN or desired is None:
            return
        cleared = desired.cleared
        if cleared is None or cleared.journal_id != agent.journal_id:
            return
        if cleared.occupation < agent.occupation:
            return
        if agent.armed is not None and desired.permit == agent.armed:
            self.tell(f"{agent.name} commits {run.run_id}")
            run.phase = RunPhase.COMMITTED
        elif agent.armed is None or self.random.random() < 0.2:
            self.nonces += 1
            agent.armed = Nonce(f"nonce-{self.nonces}")
            run.nonces.append(agent.armed)
            self.tell(f"{agent.name} is ready for {run.run_id} with {agent.armed}")

    def _start(self, agent: ModelAgent, run: ModelRun) -> None:
        assert not agent.on_bed, f"{run.run_id} starts on a bed that is not clear"
        assert agent.printing is None, f"{run.run_id} starts while {agent.printing} prints"
        self.starts[run.run_id] += 1
        self.tell(f"{agent.name} starts {run.run_id}")
        assert self.starts[run.run_id] == 1, f"{run.run_id} starts twice"
        agent.printing, agent.on_bed = run.run_id, True
        agent.occupation += 1
        run.phase = RunPhase.PRINTING
        agent.note(EventKind.STARTED)

    async def restart_agent(self, agent: ModelAgent) -> None:
        """A crash: what was not in the journal is gone; a commit without a start is LOST."""
        self.tell(f"{agent.name} restarts")
        agent.boot += 1
        agent.sequence, agent.armed, agent.desired = 0, None, None
        if agent.run is not None and agent.run.phase is RunPhase.COMMITTED:
            agent.end(RunPhase.LOST, EventKind.LOST)
        await absorbing.absorb(self.farm, agent.presence())

    async def wipe(self, agent: ModelAgent) -> None:
        """A new card: nothing is remembered, and what printed stands still."""
        self.tell(f"{agent.name} is wiped")
        fresh = ModelAgent(agent.name, journal=agent.journal + 1, boot=agent.boot + 1)
        fresh.on_bed = agent.on_bed
        self.agents[self.agents.index(agent)] = fresh
        await absorbing.absorb(self.farm, fresh.presence())

    # What the network and the coordinator do.

    def speak(self, agent: ModelAgent) -> None:
        """Let an agent say all it has to say, into the network."""
        self.network += [*agent.outbox, agent.reported()]

    async def carry(self) -> None:
        """Bring one message; it may come again, and nothing comes in order."""
        if self.network:
            index = self.random.randrange(len(self.network))
            message = self.network[index]
            if self.random.random() < 0.7:
                self.network.pop(index)
            await absorbing.absorb(self.farm, message)

    def publish(self, agent: ModelAgent, *, stale: bool = False) -> None:
        """Bring an agent its document: the retained one, or any that was ever said."""
        link = self.farm.link
        assert isinstance(link, RecordingLink)
        if stale:
            old = [each for owner, each in link.said if owner == agent.agent_id]
            if old:
                agent.obey(self.random.choice(old))
        elif agent.printer_id in link.retained:
            agent.obey(link.retained[agent.printer_id])

    async def restart_coordinator(self) -> None:
        self.tell("the coordinator restarts")
        self.farm = replace(self.farm, live=Live())
        await starting.recover(self.farm)
        for agent in self.agents:
            await absorbing.absorb(self.farm, agent.presence())

    def pass_time(self, seconds: float) -> None:
        clock = self.farm.clock
        assert isinstance(clock, ManualClock)
        clock.advance(seconds)

    async def work(self) -> None:
        await preparing.prepare_jobs(self.farm)
        await slicing.slice_plates(self.farm)
        await dispatching.dispatch_jobs(self.farm)
        await dispatching.flush_outbox(self.farm)

    # What people do.

    async def clear(self, agent: ModelAgent) -> None:
        """Take what is on the bed off it, and say so; not while something moves there."""
        if agent.printing is not None:
            return
        async with self.farm.store.read() as unit:
            printer = await unit.printer(agent.printer_id)
        if printer is None or printer.bed.state is BedState.CLEAR:
            return
        try:
            await controlling.clear_printer(self.farm, agent.printer_id, "user:anna")
        except NotNow:
            return
        self.tell(f"somebody clears {agent.name}")
        agent.on_bed = False

    async def settle(self) -> None:
        """Say how lost runs ended; what physically finished is known to who looks."""
        async with self.farm.store.read() as unit:
            lost = [run for run in await unit.runs() if run.state is RunState.LOST]
        for run in lost:
            if any(agent.printing == run.run_id for agent in self.agents):
                continue
            outcome = "finished" if run.run_id in self.finished else "reprint"
            self.tell(f"somebody settles {run.run_id} as {outcome}")
            await controlling.settle_run(self.farm, run.run_id, outcome, "user:anna")

    async def lift_quarantines(self) -> None:
        async with self.farm.store.read() as unit:
            held = [each.printer_id for each in await unit.printers() if each.quarantine]
        for printer_id in held:
            await controlling.set_service(self.farm, printer_id, False, "user:anna")

    # The end, and the verdict.

    async def calm_down(self) -> None:
        """Let everything work, in order, until nothing is left to be done."""
        for _ in range(60):
            for agent in list(self.agents):
                await absorbing.absorb(self.farm, agent.presence())
                await self.work()
                self.publish(agent)
                self.step(agent, lucky=True)
                for message in [*agent.outbox, agent.reported()]:
                    await absorbing.absorb(self.farm, message)
                await self.clear(agent)
            await self.work()
            await self.settle()
            await self.lift_quarantines()
            async with self.farm.store.read() as unit:
                open_jobs = [job for job in await unit.jobs() if job.state not in ENDED]
            for job in open_jobs:
                if job.held:
                    await controlling.resume_job(self.farm, job.job_id, "user:anna")
            if not open_jobs and not any(agent.outbox for agent in self.agents):
                return

    async def audit(self) -> None:
        """Rebuild the farm from its history, and hold that against what is stored."""
        verdict = await auditing.verify(self.farm)
        assert not verdict.faults, verdict.faults[0].words

    async def judge(self) -> None:
        """Hold what is stored against what physically happened."""
        async with self.farm.store.read() as unit:
            jobs, runs = await unit.jobs(), await unit.runs()
        for run in runs:
            if run.state is RunState.REVOKED:
                assert not self.starts[run.run_id], f"{run.run_id} is revoked, but it started"
            if run.state is RunState.FINISHED:
                assert run.run_id in self.finished, f"{run.run_id} never finished"
        for job in jobs:
            assert job.state in ENDED, f"{job.job_id} stays {job.state}"
            mine = {run.run_id for run in runs if run.job_id == job.job_id}
            done = len(self.finished & mine)
            assert done <= job.copies, f"{job.job_id} has {done} of {job.copies} copies"
            if job.state is JobState.FINISHED:
                assert done == job.copies, f"{job.job_id} has {done} of {job.copies} copies"
