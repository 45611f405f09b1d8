"""What is to be asked of agents now, while a release goes to them; `updates.py` has the theory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from coordinator.domain.effects import Note
from coordinator.domain.updates import (
    ROLLOUT,
    TROUBLED,
    UPDATE,
    AgentUpdate,
    AgentView,
    Rollout,
    RolloutEvent,
    RolloutState,
    UpdateEvent,
    UpdateState,
    note,
)
from protocols.wire.vocabulary import AgentId, UpdatePhase

# Nobody answered: the command is lost, or the agent began anew before it kept it.
ASKED_AGAIN = timedelta(seconds=30)
TOO_OLD = "it is too old to take releases: install a newer version there by hand, once"
_EVENTS: Mapping[UpdatePhase, UpdateEvent] = {
    UpdatePhase.REFUSED: UpdateEvent.REFUSE,
    UpdatePhase.ROLLED_BACK: UpdateEvent.ROLL_BACK,
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing to ask of an agent: `update`, `settle_update` or `cancel_update`."""

    agent_id: AgentId
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a look at the agents led to: save the rollout, write the notes, then ask."""

    rollout: Rollout
    asks: tuple[Ask, ...] = ()
    notes: tuple[Note, ...] = ()


def advance(rollout: Rollout, views: Mapping[AgentId, AgentView], now: datetime) -> Step:
    """Return what is to be done now; a rollout that is over, or halted, only follows its trials."""
    moves = [_observed(rollout, each, views.get(each.agent_id), now) for each in rollout.agents]
    asks = [ask for _, some in moves for ask in some]
    observed = replace(rollout, agents=tuple(each for each, _ in moves))
    if observed.live:
        observed = _halted_by_trouble(observed) or _in_turn(observed, views, now, asks)
        if not observed.live and observed.state is RolloutState.HALTED:
            observed = called_off(observed, asks)
    notes = (*_agent_notes(rollout, observed), *_rollout_notes(rollout, observed))
    if observed != rollout:
        observed = replace(observed, changed_at=now)
    return Step(rollout=observed, asks=tuple(asks), notes=notes)


def halt(rollout: Rollout, words: str, now: datetime) -> Step:
    """Ask nobody else; who has not begun its trial lets it be."""
    asks: list[Ask] = []
    state = ROLLOUT.after(rollout.state, RolloutEvent.HALT)
    halted = called_off(replace(rollout, state=state, words=words, changed_at=now), asks)
    return Step(rollout=halted, asks=tuple(asks), notes=_rollout_notes(rollout, halted))


def resume(rollout: Rollout, now: datetime) -> Step:
    """Go on; who went wrong is asked once more."""
    state = ROLLOUT.after(rollout.state, RolloutEvent.RESUME)
    agents = tuple(
        _moved(each, UpdateEvent.RETRY) if each.state in TROUBLED else each
        for each in rollout.agents
    )
    resumed = replace(rollout, state=state, agents=agents, words="", changed_at=now)
    return Step(rollout=resumed, notes=_rollout_notes(rollout, resumed))


def called_off(rollout: Rollout, asks: list[Ask]) -> Rollout:
    """Return the rollout with nobody that is to begin; adds to what is asked."""
    agents = []
    for each in rollout.agents:
        if each.state is UpdateState.DRAINING:
            asks[:] = [ask for ask in asks if ask.agent_id != each.agent_id]
            asks.append(Ask(each.agent_id, "cancel_update"))
            agents.append(_moved(each, UpdateEvent.CALL_OFF))
        else:
            agents.append(each)
    return replace(rollout, agents=tuple(agents))


def _observed(
    rollout: Rollout, known: AgentUpdate, view: AgentView | None, now: datetime
) -> tuple[AgentUpdate, tuple[Ask, ...]]:
    """Return what an agent's words make of its update, and what to ask it."""
    if known.state is UpdateState.WAITING or known.state in TROUBLED:
        has_it = view is not None and view.online and view.build == rollout.version
        settled = has_it and (view is None or _phase(rollout, view) in (None, UpdatePhase.SETTLED))
        if known.state is UpdateState.WAITING and settled:
            return _moved(known, UpdateEvent.SETTLE), ()
        return known, ()
    if view is None or not view.online:
        since = known.away_since or now
        if (now - since).total_seconds() > rollout.silence_s_max:
            return _moved(known, UpdateEvent.LOSE, "it was not heard of any more"), ()
        return replace(known, away_since=since, sound_since=None), ()
    return _heard(rollout, replace(known, away_since=None), view, now)


def _heard(
    rollout: Rollout, known: AgentUpdate, view: AgentView, now: datetime
) -> tuple[AgentUpdate, tuple[Ask, ...]]:
    phase, report = _phase(rollout, view), view.report
    words = report.words if report is not None and phase is not None else ""
    event = _EVENTS.get(phase) if phase is not None else None
    if event is not None and (known.state, event) in UPDATE.table:
        return _moved(known, event, words), ()
    if known.state is UpdateState.HEALTHY:
        return known, ()
    if phase is UpdatePhase.SETTLED and view.build == rollout.version:
        return _moved(known, UpdateEvent.SETTLE), ()
    if phase is UpdatePhase.TRIAL:
        if known.state is UpdateState.DRAINING:
            known = _moved(known, UpdateEvent.START)
        return _tried(rollout, known, view, now)
    asked_at = known.asked_at or now
    if phase is None and known.state is UpdateState.DRAINING and now - asked_at >= ASKED_AGAIN:
        return replace(known, asked_at=now), (Ask(known.agent_id, "update"),)
    return replace(known, words=words or known.words), ()


def _tried(
    rollout: Rollout, known: AgentUpdate, view: AgentView, now: datetime
) -> tuple[AgentUpdate, tuple[Ask, ...]]:
    missing = sorted(set(known.reachable) - view.reachable)
    if missing or view.build != rollout.version:
        words = f"no answer from {', '.join(missing)}" if missing else f"it runs {view.build}"
        return replace(known, sound_since=None, words=words), ()
    since = known.sound_since or now
    known = replace(known, sound_since=since, words="")
    if (now - since).total_seconds() >= rollout.soak_s:
        return known, (Ask(known.agent_id, "settle_update"),)
    return known, ()


def _halted_by_trouble(rollout: Rollout) -> Rollout | None:
    troubled = [each for each in rollout.agents if each.state in TROUBLED]
    if len(troubled) <= rollout.troubles_max:
        return None
    first = troubled[0]
    words = f"{first.agent_id} {first.state.value.replace('_', ' ')}: {first.words}"
    return replace(rollout, state=ROLLOUT.after(rollout.state, RolloutEvent.HALT), words=words)


def _in_turn(
    rollout: Rollout, views: Mapping[AgentId, AgentView], now: datetime, asks: list[Ask]
) -> Rollout:
    """Return the rollout with those asked whose turn it is; adds to what is asked."""
    away = {
        each.agent_id
        for each in rollout.agents
        if (view := views.get(each.agent_id)) is None or not view.online
    }
    stage = _stage(rollout, away)
    agents = []
    for each in rollout.agents:
        is_next = stage is None or each.stage <= stage
        if each.state is not UpdateState.WAITING or not is_next:
            agents.append(each)
        elif each.agent_id in away:
            agents.append(replace(each, words="it is offline"))
        elif not views[each.agent_id].able:
            agents.append(_moved(_moved(each, UpdateEvent.ASK), UpdateEvent.REFUSE, TOO_OLD))
        else:
            asks.append(Ask(each.agent_id, "update"))
            reachable = tuple(sorted(views[each.agent_id].reachable))
            asked = _moved(each, UpdateEvent.ASK)
            agents.append(replace(asked, reachable=reachable, asked_at=now, away_since=None))
    rollout = replace(rollout, agents=tuple(agents))
    if (halted := _halted_by_trouble(rollout)) is not None:
        return halted
    over = all(each.state in (UpdateState.HEALTHY, *TROUBLED) for each in agents)
    event = (
        RolloutEvent.FINISH if over else RolloutEvent.TEST if stage == 0 else RolloutEvent.SPREAD
    )
    if (rollout.state, event) in ROLLOUT.table:
        rollout = replace(rollout, state=ROLLOUT.table[rollout.state, event])
    return rollout


def _stage(rollout: Rollout, away: Iterable[AgentId]) -> int | None:
    """Return the first stage that is not well yet; None where all are, as far as they are here."""
    absent = set(away)
    for stage in sorted({each.stage for each in rollout.agents}):
        those = [each for each in rollout.agents if each.stage == stage]
        if stage == 0 and not any(each.state is UpdateState.HEALTHY for each in those):
            return stage
        for each in those:
            is_over = each.state in (UpdateState.HEALTHY, *TROUBLED)
            if not is_over and not (each.state is UpdateState.WAITING and each.agent_id in absent):
                return stage
    return None


def _phase(rollout: Rollout, view: AgentView) -> UpdatePhase | None:
    """Return how far an agent says it is with this release; None where it says nothing of it."""
    report = view.report
    return report.phase if report is not None and report.version == rollout.version else None


def _moved(known: AgentUpdate, event: UpdateEvent, words: str = "") -> AgentUpdate:
    state = UPDATE.after(known.state, event)
    return replace(known, state=state, words=words, sound_since=None)


def _agent_notes(before: Rollout, after: Rollout) -> Iterable[Note]:
    names = {
        UpdateState.DRAINING: "agent.update_asked",
        UpdateState.UPDATING: "agent.update_tried",
        UpdateState.HEALTHY: "agent.updated",
        **dict.fromkeys(TROUBLED, "agent.update_failed"),
    }
    for old, new in zip(before.agents, after.agents, strict=True):
        if old.state is not new.state and new.state in names:
            yield Note(
                subject="agent",
                subject_id=new.agent_id,
                name=names[new.state],
                cause=new.words,
                facts={
                    "version": after.version,
                    "rollout_id": after.rollout_id,
                    "state": new.state,
                },
            )


def _rollout_notes(before: Rollout, after: Rollout) -> tuple[Note, ...]:
    if before.state is after.state:
        return ()
    return (note(after, f"rollout.{after.state.value}"),)
