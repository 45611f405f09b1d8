"""Whatever documents arrive in whatever order, and wherever it crashes: never twice, never after
a stop was acknowledged, never on a bed that is not clear.

A small world in memory: a coordinator that publishes, a wire that repeats and reorders, an agent
made of the real core, and a printer that remembers what it really did. The printer is the judge.
"""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agent.core.fence import admit
from agent.core.memory import Change, Memory, note_foreign, record
from agent.core.observation import Observation, RunSeen, RunState
from agent.core.reconcile import fate, reconcile
from agent.core.run import Happened
from agent.core.situation import Recall, Situation
from agent.core.steps import (
    Arm,
    Fetch,
    NoteForeign,
    Pause,
    Recover,
    Report,
    Resume,
    Start,
    Step,
    Stop,
    WriteJournal,
)
from protocols.wire.from_agent import Refusal, RunEvent
from protocols.wire.to_agent import Assignment, BedClearance, Desired, PlateReference
from protocols.wire.vocabulary import (
    AgentId,
    Epoch,
    EventKind,
    JobId,
    JournalId,
    Mode,
    Nonce,
    PrinterId,
    PrinterState,
    RunId,
    RunPhase,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)
PLATE = PlateReference(sha256="0" * 64, size_bytes=1, url="/p", name="p")
JOURNAL = JournalId("j")
OVER = (EventKind.RELEASED, EventKind.STOPPED, EventKind.FAILED, EventKind.LOST)
RUNNING = (RunState.PRINTING, RunState.PAUSED)

OUTCOMES = st.sampled_from(["taken", "unsure", "off", "refused"])


class Crash(Exception):
    """The agent's process ends here."""


class Farm(RuleBasedStateMachine):
    """One printer, one agent, one coordinator, and a bad wire between them."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = Memory(agent_id=AgentId("a"), printer_id=PrinterId("p"), journal_id=JOURNAL)
        self.reported = self.memory
        self.history: list[RunEvent] = []
        self.published = [Desired(printer_id=PrinterId("p"), epoch=Epoch(0), revision=0)]
        self.starts: list[RunId] = []
        self.seen = Observation(state=PrinterState.IDLE)
        self.bed_is_full = True
        self.now_s = 0.0
        self.nonces = 0
        self.restart()

    # The coordinator and the people

    def publish(self, **changes: object) -> None:
        last = self.published[-1]
        document = replace(last, revision=last.revision + 1, **changes)  # type: ignore[arg-type]
        self.published.append(document)

    @rule()
    def lease(self) -> None:
        epoch = Epoch(self.published[-1].epoch + 1)
        assignment = Assignment(run_id=RunId(f"r{epoch}"), job_id=JobId("job"), plate=PLATE)
        self.publish(epoch=epoch, assignment=assignment, mode=Mode.RUN, permit=None)

    @rule()
    def revoke(self) -> None:
        self.publish(assignment=None, permit=None)

    @rule(mode=st.sampled_from(Mode))
    def want(self, mode: Mode) -> None:
        self.publish(mode=mode)

    @rule()
    def permit(self) -> None:
        run = self.reported.run
        if run is not None and run.epoch == self.published[-1].epoch:
            self.publish(permit=run.nonce)

    @rule()
    def clear(self) -> None:
        if self.seen.state is PrinterState.IDLE:
            self.bed_is_full = False
            cleared = BedClearance(journal_id=JOURNAL, occupation=self.reported.occupation)
            self.publish(cleared=cleared)

    @rule(crash_at=st.integers(0, 8), start=OUTCOMES, cleared=st.booleans(), ends=st.booleans())
    def go_through(self, crash_at: int, start: str, cleared: bool, ends: bool) -> None:
        """Take the short way through a run, which chance alone would seldom find."""
        self.work(0, start)
        run = self.memory.run
        if run is None or run.phase.is_end:
            self.lease()
        if cleared:
            self.clear()
        self.arrive_and_work()
        self.permit()
        self.deliver(0)
        self.work(crash_at, start)
        if ends and self.seen.run is not None and self.seen.run.state in RUNNING:
            self.run_is(replace(self.seen.run, state=RunState.FINISHED))

    @rule()
    def change_of_mind(self) -> None:
        """Stop, let it be heard, and want it again all the same."""
        self.want(Mode.STOP)
        self.arrive_and_work()
        self.want(Mode.RUN)
        self.arrive_and_work()

    @rule()
    def arrive_and_work(self) -> None:
        self.deliver(0)
        self.work(0, "taken")

    # The wire

    @rule(back=st.integers(0, 6))
    def deliver(self, back: int) -> None:
        document = self.published[max(0, len(self.published) - 1 - back)]
        verdict = admit(self.memory, document, AT)
        if not isinstance(verdict, Refusal):
            before = self.memory.run
            self.save(verdict)
            if verdict.memory.run is not None and verdict.memory.run != before:
                self.recall = Recall()
            self.desired = document

    # The agent

    @rule()
    def restart(self) -> None:
        self.recall, self.desired = Recall(), None

    @rule(passed_s=st.sampled_from([0.1, 5.0, 30.0]))
    def wait(self, passed_s: float) -> None:
        self.now_s += passed_s

    @rule(crash_at=st.integers(0, 12), start=OUTCOMES)
    def work(self, crash_at: int, start: str) -> None:
        """Perform rounds until there is nothing to do, or until the crash."""
        self.until_crash = crash_at
        try:
            for _ in range(6):
                decision = reconcile(self.situation())
                for step in decision.steps:
                    if not self.perform(step, start):
                        break
                if not decision.steps:
                    break
            self.reported = self.memory
        except Crash:
            self.restart()

    def situation(self) -> Situation:
        return Situation(
            desired=self.desired,
            memory=self.memory,
            observed=self.seen,
            recall=self.recall,
            can_pause=True,
            heard=True,
            now_s=self.now_s,
        )

    def instruction(self) -> None:
        self.until_crash -= 1
        if self.until_crash == 0:
            raise Crash

    def save(self, change: Change) -> None:
        self.memory = change.memory
        self.history += change.events

    def write(self, happened: Happened, nonce: Nonce | None = None) -> None:
        self.instruction()
        self.save(record(self.memory, happened, at=AT, nonce=nonce))
        self.instruction()

    def perform(self, step: Step, start: str) -> bool:
        match step:
            case Fetch():
                self.recall = replace(self.recall, plate_here=True)
                if self.memory.run is not None and self.memory.run.phase is RunPhase.FETCHING:
                    self.write(Happened.FETCHED)
            case Arm():
                self.nonces += 1
                self.write(Happened.ARMED, Nonce(f"n{self.nonces}"))
            case Report():
                assert self.memory.run is not None
                armed = self.memory.run.nonce
                self.recall = replace(self.recall, armed=armed, armed_at_s=self.now_s)
                self.reported = self.memory
            case WriteJournal(happened, _):
                self.write(happened)
            case NoteForeign(printing):
                self.save(Change(memory=note_foreign(self.memory, printing)))
            case Start():
                return self.start(start)
            case Recover():
                self.recover()
            case Pause() | Resume() | Stop():
                self.obey(step)
        return True

    def start(self, outcome: str) -> bool:
        assert self.memory.run is not None
        run_id = self.memory.run.run_id
        if outcome == "refused":
            self.write(Happened.REFUSED)
        elif outcome == "off":
            self.write(Happened.NOT_STARTED)
        else:
            self.print(run_id)
            self.instruction()
            if outcome == "taken":
                self.write(Happened.STARTED)
        return False

    def recover(self) -> None:
        run = self.memory.run
        assert run is not None
        seen = self.seen.run
        if seen is None or seen.run_id != run.run_id:
            seen = RunSeen(run_id=run.run_id, state=RunState.UNKNOWN)
        for write in fate(run, seen):
            self.write(write.happened)
        self.recall = replace(self.recall, retry_at_s=self.now_s + 1)

    # The printer, which is the judge

    def print(self, run_id: RunId) -> None:
        assert run_id not in self.starts, f"{run_id} starts twice"
        over = {event.run_id for event in self.history if event.event in OVER}
        assert run_id not in over, f"{run_id} starts after it was said to be over"
        assert not self.bed_is_full, f"{run_id} starts on a bed that is not clear"
        assert self.seen.state is PrinterState.IDLE
        self.starts.append(run_id)
        self.bed_is_full = True
        self.run_is(RunSeen(run_id=run_id, state=RunState.PRINTING))

    def run_is(self, run: RunSeen) -> None:
        printing = run.state is RunState.PRINTING
        paused = run.state is RunState.PAUSED
        state = PrinterState.PRINTING if printing else PrinterState.IDLE
        self.seen = Observation(state=PrinterState.PAUSED if paused else state, run=run)

    def obey(self, step: Step) -> None:
        run = self.seen.run
        self.recall = replace(self.recall, asked=type(step), asked_at_s=self.now_s)
        if run is not None and run.state in RUNNING:
            states = {Pause: RunState.PAUSED, Resume: RunState.PRINTING, Stop: RunState.STOPPED}
            self.run_is(replace(run, state=states[type(step)]))

    @precondition(lambda self: self.seen.run is not None and self.seen.run.state in RUNNING)
    @rule(state=st.sampled_from([RunState.FINISHED, RunState.FAILED, RunState.PAUSED]))
    def proceed(self, state: RunState) -> None:
        assert self.seen.run is not None
        self.run_is(replace(self.seen.run, state=state))

    @precondition(lambda self: self.seen.state is PrinterState.IDLE)
    @rule()
    def forget(self) -> None:
        """Lose the power: the printer no longer knows of any run."""
        self.seen = Observation(state=PrinterState.IDLE)

    @invariant()
    def events_are_numbered_without_a_gap(self) -> None:
        numbers = [event.number for event in self.history]
        assert numbers == list(range(1, self.memory.events_stored + 1))

    @invariant()
    def the_agent_never_forgets_a_start(self) -> None:
        assert self.memory.occupation >= len(self.starts)

    def teardown(self) -> None:
        """Once things are quiet and every document has come, nothing is left half done."""
        self.deliver(0)
        for _ in range(8):
            self.now_s += 15
            self.work(0, "taken")
            if self.seen.run is not None and self.seen.run.state in RUNNING:
                self.run_is(replace(self.seen.run, state=RunState.FINISHED))
        run = self.memory.run
        assert run is None or run.never_started or run.phase.is_end, run


TestExactlyOnce = Farm.TestCase
TestExactlyOnce.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
