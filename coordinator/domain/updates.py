"""Updates of agents: a release goes to a few, then wave by wave, and halts where it is no good.

Theory. A rollout brings one release to many agents. It looks at what they say and asks one thing of
each: to take the release, to keep it, to let it be. An agent takes it once nothing prints there,
and runs it *on trial*: it goes back by itself unless it is asked to keep it. That is asked only
when the agent has been heard for `soak_s` on end, with all its printers that answered before. So
who judges a release is the farm, end to end; and who goes back is the agent, whatever the release
is like. Canaries are stage 0: no other agent is asked before they are well. More troubles than
`troubles_max` halt it: nobody else is asked, and who has not begun its trial lets it be. A person
resumes it, or leaves it.

An agent that is offline holds nobody up but the canaries; it is asked when it comes back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from coordinator.domain.effects import Note
from coordinator.domain.machine import Machine
from protocols.wire.from_agent import UpdateReport
from protocols.wire.vocabulary import AgentId, PrinterId

# For what surrounds two trials: systemd's patience, and loading on a Pi with a slow card.
SILENCE_SPARE_S = 120.0


class RolloutState(StrEnum):
    """How far a rollout is."""

    PLANNED = "planned"
    CANARY = "canary"
    WAVES = "waves"
    DONE = "done"
    HALTED = "halted"


class RolloutEvent(StrEnum):
    """What moves a rollout."""

    TEST = "test"  # the canaries are asked
    SPREAD = "spread"  # they are well: the others are
    FINISH = "finish"
    HALT = "halt"
    RESUME = "resume"


ROLLOUT = Machine(
    "rollout",
    RolloutState.PLANNED,
    {
        (RolloutState.PLANNED, RolloutEvent.TEST): RolloutState.CANARY,
        (RolloutState.PLANNED, RolloutEvent.SPREAD): RolloutState.WAVES,
        (RolloutState.PLANNED, RolloutEvent.FINISH): RolloutState.DONE,
        (RolloutState.PLANNED, RolloutEvent.HALT): RolloutState.HALTED,
        (RolloutState.CANARY, RolloutEvent.SPREAD): RolloutState.WAVES,
        (RolloutState.CANARY, RolloutEvent.FINISH): RolloutState.DONE,
        (RolloutState.CANARY, RolloutEvent.HALT): RolloutState.HALTED,
        (RolloutState.WAVES, RolloutEvent.FINISH): RolloutState.DONE,
        (RolloutState.WAVES, RolloutEvent.HALT): RolloutState.HALTED,
        (RolloutState.HALTED, RolloutEvent.RESUME): RolloutState.PLANNED,
    },
)
LIVE = (RolloutState.PLANNED, RolloutState.CANARY, RolloutState.WAVES)


class UpdateState(StrEnum):
    """How far one agent is in a rollout."""

    WAITING = "waiting"  # its turn has not come, or it is offline
    DRAINING = "draining"  # asked: it fetches the release, and waits until nothing prints
    UPDATING = "updating"  # the release is on trial there
    HEALTHY = "healthy"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"
    SILENT = "silent"


class UpdateEvent(StrEnum):
    """What moves an agent's update."""

    ASK = "ask"
    START = "start"
    SETTLE = "settle"
    REFUSE = "refuse"
    ROLL_BACK = "roll_back"
    LOSE = "lose"
    CALL_OFF = "call_off"
    RETRY = "retry"


UPDATE = Machine(
    "update",
    UpdateState.WAITING,
    {
        (UpdateState.WAITING, UpdateEvent.ASK): UpdateState.DRAINING,
        (UpdateState.WAITING, UpdateEvent.SETTLE): UpdateState.HEALTHY,
        (UpdateState.DRAINING, UpdateEvent.START): UpdateState.UPDATING,
        (UpdateState.DRAINING, UpdateEvent.SETTLE): UpdateState.HEALTHY,
        (UpdateState.DRAINING, UpdateEvent.REFUSE): UpdateState.REFUSED,
        (UpdateState.DRAINING, UpdateEvent.ROLL_BACK): UpdateState.ROLLED_BACK,
        (UpdateState.DRAINING, UpdateEvent.LOSE): UpdateState.SILENT,
        (UpdateState.DRAINING, UpdateEvent.CALL_OFF): UpdateState.WAITING,
        (UpdateState.UPDATING, UpdateEvent.SETTLE): UpdateState.HEALTHY,
        (UpdateState.UPDATING, UpdateEvent.REFUSE): UpdateState.REFUSED,
        (UpdateState.UPDATING, UpdateEvent.ROLL_BACK): UpdateState.ROLLED_BACK,
        (UpdateState.UPDATING, UpdateEvent.LOSE): UpdateState.SILENT,
        (UpdateState.HEALTHY, UpdateEvent.ROLL_BACK): UpdateState.ROLLED_BACK,
        (UpdateState.HEALTHY, UpdateEvent.LOSE): UpdateState.SILENT,
        (UpdateState.REFUSED, UpdateEvent.RETRY): UpdateState.WAITING,
        (UpdateState.ROLLED_BACK, UpdateEvent.RETRY): UpdateState.WAITING,
        (UpdateState.SILENT, UpdateEvent.RETRY): UpdateState.WAITING,
    },
)
TROUBLED = (UpdateState.REFUSED, UpdateState.ROLLED_BACK, UpdateState.SILENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentUpdate:
    """One agent in a rollout.

    Attributes:
        stage: 0 for canaries, then the number of its wave.
        words: what it waits for, or why it went wrong.
        reachable: its printers that answered when it was asked.
        asked_at: when it was asked last; `away_since`: since when it is offline, None where not.
        sound_since: since when it has been as it should be, on trial.
    """

    agent_id: AgentId
    stage: int
    state: UpdateState = UpdateState.WAITING
    words: str = ""
    reachable: tuple[PrinterId, ...] = ()
    asked_at: datetime | None = None
    away_since: datetime | None = None
    sound_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One release on its way to agents.

    Attributes:
        soak_s: an agent has to be well for so long on trial.
        start_s: it has so long to become so.
        troubles_max: so many agents may go wrong before all halts.
        words: why it halted; empty else.
    """

    rollout_id: str
    version: str
    state: RolloutState = RolloutState.PLANNED
    agents: tuple[AgentUpdate, ...] = ()
    soak_s: float = 60.0
    start_s: float = 120.0
    troubles_max: int = 0
    words: str = ""
    made_by: str = ""
    made_at: datetime
    changed_at: datetime

    @property
    def live(self) -> bool:
        """Whether it goes on by itself."""
        return self.state in LIVE

    @property
    def followed(self) -> bool:
        """Whether there is anything to look at: a trial goes on where the rest was halted."""
        return self.live or any(each.state is UpdateState.UPDATING for each in self.agents)

    @property
    def trial_s(self) -> float:
        """What one start on trial may take."""
        return self.start_s + self.soak_s

    @property
    def silence_s_max(self) -> float:
        """After so long without a word something is wrong: an agent goes back in less."""
        return 2 * self.trial_s + SILENCE_SPARE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView:
    """An agent as it is now.

    Attributes:
        reachable: its printers that answer.
        able: it is new enough to take releases.
    """

    online: bool
    build: str
    report: UpdateReport | None
    reachable: frozenset[PrinterId]
    able: bool = True


def stages(
    agents: Sequence[AgentId], canaries: Sequence[AgentId], wave_size: int
) -> tuple[AgentUpdate, ...]:
    """Return who is asked when.

    Args:
        agents: all, those first that are to be asked first.
        canaries: those of stage 0.
        wave_size: of the waves; 0 for a quarter of the others.
    """
    others = [each for each in agents if each not in canaries]
    size = wave_size or max(1, -(-len(others) // 4))
    first = tuple(AgentUpdate(agent_id=each, stage=0) for each in canaries)
    waves = (
        AgentUpdate(agent_id=each, stage=1 + index // size) for index, each in enumerate(others)
    )
    return (*first, *waves)


def note(rollout: Rollout, name: str) -> Note:
    """Return a line of history about a rollout."""
    return Note(
        subject="rollout",
        subject_id=rollout.rollout_id,
        name=name,
        cause=rollout.words,
        facts={"version": rollout.version},
    )
