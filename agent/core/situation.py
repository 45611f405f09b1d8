"""What a decision is made from, and what it is: values only."""

from dataclasses import dataclass

from agent.core.memory import Memory
from agent.core.observation import Observation
from agent.core.steps import Step
from protocols.wire.to_agent import Desired
from protocols.wire.vocabulary import Nonce, RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """What only this process knows of the run, and a restart forgets on purpose.

    Attributes:
        plate_here: the run's plate was fetched and looked at by this process.
        armed: the nonce that was said, at `armed_at_s` of the monotonic clock.
        asked: what was asked of the printer last, at `asked_at_s`.
        retry_at_s: before this time what failed is not tried again; `trouble` tells what did.
    """

    plate_here: bool = False
    armed: Nonce | None = None
    armed_at_s: float = 0.0
    asked: type[Step] | None = None
    asked_at_s: float = 0.0
    retry_at_s: float = 0.0
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What only this process knows of what comes next, and a restart forgets on purpose.

    Attributes:
        nonces: those it made for staged leases; a permit for any other is worth nothing.
        here: staged runs whose plates were fetched and looked at.
        fetching: a plate is on its way; `retry_at_s`: before this time no other is fetched.
        ejecting: the ejection routine runs; `trouble` tells why the last one broke off.
    """

    nonces: frozenset[Nonce] = frozenset()
    here: frozenset[RunId] = frozenset()
    fetching: bool = False
    retry_at_s: float = 0.0
    ejecting: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that a decision is made from.

    Attributes:
        desired: the last document that was admitted by this process, None before the first.
        can_pause: the driver can.
        self_clearing: the agent knows how this printer empties its bed.
        heard: the coordinator would hear us now: a nonce said into the void is wasted.
        now_s: monotonic clock.
        draining: nothing is begun any more but what the coordinator may just be permitting.
    """

    desired: Desired | None
    memory: Memory
    observed: Observation
    recall: Recall
    ahead: Ahead = Ahead()
    can_pause: bool
    self_clearing: bool = False
    heard: bool
    now_s: float
    draining: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do now.

    Attributes:
        steps: to be done in order, none when there is nothing to do.
        waits_for: what is missing, for a person; empty when nothing is.
        again_s: monotonic time to look again even if nothing changes, None for never.
    """

    steps: tuple[Step, ...] = ()
    waits_for: str = ""
    again_s: float | None = None
