"""What people are told without asking: what somebody must do, or must know at once.

A notice is made of lines of history, looked at again before it goes out: a bed that was cleared
meanwhile, or an agent that came back, is no matter any more. Matters are gathered for a moment, so
that what belongs together is one notice; in quiet hours only what can't wait goes out, and takes
the others with it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from types import MappingProxyType

from coordinator.domain.generations import Generation, GenerationState
from coordinator.domain.history import Line
from coordinator.domain.jobs import JobState
from coordinator.domain.messages import Things
from coordinator.domain.printers import BedState
from coordinator.domain.providing import Blame
from coordinator.domain.runs import RunState
from coordinator.domain.updates import TROUBLED, RolloutState, UpdateState
from protocols.wire.vocabulary import Mode, PrinterState

# More than this is no notice but a list; what is left out is counted.
MATTERS_TOLD_MAX = 20
WORDS_CHARACTERS_MAX = 200
# How long to wait after the first, second ... failure in a row; the last one counts on.
DELAYS_S = (15.0, 60.0, 300.0, 900.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A way to people, and the last line of history that was looked at for it."""

    name: str
    cursor: int
    failures: int = 0
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """One thing that somebody must do or know.

    Attributes:
        key: of its line of history.
        words: one line.
        urgent: it can't wait until the morning.
    """

    key: str
    at: datetime
    words: str
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is sent: a line, and the text below it.

    Attributes:
        key: the same for the same lines of history, in all the world.
        title: one line, whatever names people gave.
    """

    key: str
    title: str
    text: str
    urgent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When notices go out.

    Attributes:
        gather_s: how long a matter waits for others, and for ending by itself.
        quiet: from when until when, by the clock on the wall; None for never.
    """

    gather_s: float = 60.0
    quiet: tuple[time, time] | None = None

    def gathered(self, since: datetime, now: datetime) -> bool:
        """Whether a matter that came up then has waited for others long enough."""
        return now - since >= timedelta(seconds=self.gather_s)

    def is_quiet(self, local: time) -> bool:
        """Whether only what can't wait is told now, by the clock on the wall."""
        if self.quiet is None:
            return False
        start, end = self.quiet
        return start <= local < end if start <= end else local >= start or local < end


def _needs_clearing(line: Line, things: Things) -> str:
    printer = things.printer
    if printer is None or printer.in_service:
        return ""
    if printer.bed.state not in (BedState.OCCUPIED, BedState.UNKNOWN):
        return ""
    if printer.foreign or (things.run is not None and things.run.live):
        return ""
    return f"{printer.name}: clear the bed" + _because(line)


def _paused(line: Line, things: Things) -> str:
    run = things.run
    if run is None or run.state is not RunState.PAUSED or run.mode is not Mode.RUN:
        return ""  # it goes on, or somebody wanted it so
    return f"{_where(things)}: paused by itself" + _because(line)


def _lost(line: Line, things: Things) -> str:
    if things.run is None or things.run.state is not RunState.LOST:
        return ""
    return f"{_where(things)}: say how {things.run.run_id} ended, nobody knows" + _because(line)


def _failed(line: Line, things: Things) -> str:
    return f"{_where(things)}: the print failed" + _because(line)


def _job_failed(line: Line, things: Things) -> str:
    job = things.job
    return f"job {job.name} failed{_because(line)}" if job is not None else ""


def _offline(line: Line, things: Things) -> str:
    printer, run = things.printer, things.run
    if printer is None or printer.online or run is None or not run.started:
        return ""
    return f"{printer.name}: no word from its agent while it prints"


def _faulted(line: Line, things: Things) -> str:
    printer = things.printer
    if printer is None or printer.seen not in (PrinterState.HALTED, PrinterState.ATTENTION):
        return ""
    detail = f": {printer.message}" if printer.message else ""
    return f"{printer.name}: it stopped and needs a person{detail}"


def _quarantined(line: Line, things: Things) -> str:
    printer = things.printer
    if printer is None or not printer.quarantine:
        return ""
    return f"{printer.name}: not used until somebody has looked: {printer.quarantine}"


def _material_wanted(line: Line, things: Things) -> str:
    job = things.job
    if job is None or job.state not in (JobState.RECEIVED, JobState.READY) or job.held:
        return ""
    return f"job {job.name} waits for material{_because(line)}"


def _awaiting_approval(line: Line, things: Things) -> str:
    made = things.generation
    if made is None or made.state is not GenerationState.AWAITING_APPROVAL:
        return ""
    why = f": {made.remarks[0]}" if made.remarks else ""
    return f"{_what(made)}: approve or reject what {made.provider} made{why}"


def _unsure(line: Line, things: Things) -> str:
    made = things.generation
    if made is None or made.state is not GenerationState.UNSURE:
        return ""
    return f"{_what(made)}: look at {made.provider} and settle whether it was made{_because(line)}"


def _held_up(line: Line, things: Things) -> str:
    made = things.generation
    if made is None or made.ended or made.trouble is None or made.submits:
        return ""
    if made.trouble.blame not in (Blame.QUOTA, Blame.AUTH_CONFIG):
        return ""
    return f"{made.provider}: requests wait: {made.trouble.message}"


def _budget_spent(line: Line, things: Things) -> str:
    made = things.generation
    if made is None or made.trouble is None or made.trouble.code != "budget_spent":
        return ""
    return f"{_what(made)} was not asked of {made.provider}: {made.trouble.message}"


def _webhook_disabled(line: Line, things: Things) -> str:
    return f"webhook {line.subject_id} was disabled{_because(line)}"


def _halted(line: Line, things: Things) -> str:
    rollout = things.rollout
    if rollout is None or rollout.state is not RolloutState.HALTED or line.actor != "farm":
        return ""  # it goes on, or somebody wanted it so
    return f"the update of agents to {rollout.version} halted{_because(line)}"


def _rolled_out(line: Line, things: Things) -> str:
    rollout = things.rollout
    if rollout is None or rollout.state is not RolloutState.DONE:
        return ""
    well = sum(each.state is UpdateState.HEALTHY for each in rollout.agents)
    told = f"{well} of {len(rollout.agents)} agents run {rollout.version} now"
    failed = [each for each in rollout.agents if each.state in TROUBLED]
    return "; ".join([told, *(f"{each.agent_id}: {each.words}" for each in failed)])


# By type of message, what it is to people now; an empty text where nobody has to do anything.
MATTERS: Mapping[str, Callable[[Line, Things], str]] = MappingProxyType(
    {
        "printer.needs_clearing": _needs_clearing,
        "run.paused": _paused,
        "run.lost": _lost,
        "run.failed": _failed,
        "job.failed": _job_failed,
        "printer.offline": _offline,
        "printer.faulted": _faulted,
        "printer.quarantined": _quarantined,
        "job.material_wanted": _material_wanted,
        "generation.awaiting_approval": _awaiting_approval,
        "generation.unsure": _unsure,
        "generation.held_up": _held_up,
        "generation.failed": _budget_spent,
        "rollout.halted": _halted,
        "rollout.finished": _rolled_out,
        "webhook.disabled": _webhook_disabled,
    }
)

# Something hot may be out of control, or prints on unseen.
URGENT = frozenset({"run.lost", "printer.offline", "printer.faulted", "printer.quarantined"})


def matter_of(line: Line, its_type: str, things: Things) -> Matter | None:
    """Return what a line is to people, as things are now; None where it is nothing."""
    decide = MATTERS.get(its_type)
    words = decide(line, things) if decide is not None else ""
    if not words:
        return None
    at = datetime.fromisoformat(line.at)
    key = f"{line.number}-{line.hash[:16]}"
    return Matter(key=key, at=at, words=_in_one_line(words), urgent=its_type in URGENT)


def notice_of(matters: Sequence[Matter]) -> Notice:
    """Return one notice of all matters; the same words are said once."""
    said = {each.words: each for each in matters}
    told = list(said.values())[:MATTERS_TOLD_MAX]
    lines = [f"{each.at:%Y-%m-%d %H:%M} UTC  {each.words}" for each in told]
    if len(said) > len(told):
        lines.append(f"and {len(said) - len(told)} more")
    title = told[0].words if len(said) == 1 else f"{len(said)} matters: {told[0].words}, ..."
    return Notice(
        key=matters[-1].key,
        title=title,
        text="\n".join(lines),
        urgent=any(each.urgent for each in matters),
    )


def delay_s(failures: int) -> float:
    """Return how long to wait after so many failures in a row."""
    return DELAYS_S[min(failures, len(DELAYS_S)) - 1]


def quiet_hours(text: str) -> tuple[time, time] | None:
    """Return what `22:00-07:00` says; None where nothing is said.

    Raises:
        ValueError: it says no hours.
    """
    if not text:
        return None
    start, _, end = text.partition("-")
    try:
        return time.fromisoformat(start.strip()), time.fromisoformat(end.strip())
    except ValueError as error:
        raise ValueError("write quiet hours as 22:00-07:00") from error


def _what(made: Generation) -> str:
    return f"{made.asked.name} ({made.generation_id})"


def _in_one_line(words: str) -> str:
    """Return words without line ends and other signs that do more than show."""
    shown = "".join(sign if sign.isprintable() else " " for sign in words)
    return " ".join(shown.split())[:WORDS_CHARACTERS_MAX]


def _where(things: Things) -> str:
    """Return where something happened, by the names that people gave."""
    printer = things.printer.name if things.printer is not None else "a printer"
    return f"{printer}, job {things.job.name}" if things.job is not None else printer


def _because(line: Line) -> str:
    return f": {line.cause}" if line.cause else ""
