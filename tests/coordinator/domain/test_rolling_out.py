"""A release on its way to agents: canaries, waves, halts; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.domain import rolling_out
from coordinator.domain.rolling_out import ASKED_AGAIN, TOO_OLD, Ask
from coordinator.domain.updates import (
    ROLLOUT,
    TROUBLED,
    UPDATE,
    AgentView,
    Rollout,
    RolloutState,
    UpdateState,
    stages,
)
from protocols.wire.from_agent import UpdateReport
from protocols.wire.vocabulary import AgentId, PrinterId, UpdatePhase

OLD, NEW = "0.1.0", "0.2.0"
AGENTS = tuple(AgentId(f"pi-{number}") for number in range(1, 8))
SECOND = timedelta(seconds=1)


def printer_of(agent_id: AgentId) -> PrinterId:
    return PrinterId(agent_id.replace("pi", "p"))


@dataclass
class Fleet:
    """Agents that do at once what they are asked, and a rollout that is looked at each second."""

    rollout: Rollout
    views: dict[AgentId, AgentView] = field(default_factory=dict)
    now: datetime = datetime(2030, 1, 1, tzinfo=UTC)
    asked: list[Ask] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    deaf: set[AgentId] = field(default_factory=set)

    def say(self, agent_id: AgentId, phase: UpdatePhase, words: str = "", build: str = "") -> None:
        view = self.views[agent_id]
        report = UpdateReport(version=NEW, phase=phase, words=words)
        self.views[agent_id] = replace(view, report=report, build=build or view.build)

    def look(self, count: int = 1) -> None:
        for _ in range(count):
            step = rolling_out.advance(self.rollout, self.views, self.now)
            self.rollout = step.rollout
            self.told += [each.name for each in step.notes]
            self.now += SECOND
            for ask in step.asks:
                self.asked.append(ask)
                if ask.agent_id not in self.deaf:
                    self._obey(ask)

    def _obey(self, ask: Ask) -> None:
        match ask.name:
            case "update":
                self.say(ask.agent_id, UpdatePhase.TRIAL, build=NEW)
            case "settle_update":
                self.say(ask.agent_id, UpdatePhase.SETTLED)
            case _:
                self.say(ask.agent_id, UpdatePhase.REFUSED, "called off")

    def states(self) -> list[str]:
        return [each.state.value for each in self.rollout.agents]

    def one(self, agent_id: AgentId) -> UpdateState:
        return next(each.state for each in self.rollout.agents if each.agent_id == agent_id)


def fleet(*, troubles_max: int = 0, wave_size: int = 3, soak_s: float = 5.0) -> Fleet:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    rollout = Rollout(
        rollout_id="rollout-1",
        version=NEW,
        agents=stages(AGENTS, AGENTS[:1], wave_size),
        soak_s=soak_s,
        troubles_max=troubles_max,
        made_at=now,
        changed_at=now,
    )
    views = {
        each: AgentView(
            online=True, build=OLD, report=None, reachable=frozenset({printer_of(each)})
        )
        for each in AGENTS
    }
    return Fleet(rollout, views)


def test_a_good_release_goes_to_the_canary_then_wave_by_wave() -> None:
    farm = fleet()
    farm.look(2)
    assert [ask.agent_id for ask in farm.asked] == ["pi-1"]
    assert farm.rollout.state is RolloutState.CANARY
    reached = []
    for _ in range(60):
        farm.look()
        reached.append(sum(state != "waiting" for state in farm.states()))
    assert list(dict.fromkeys(reached)) == [1, 4, 7]
    assert farm.rollout.state is RolloutState.DONE
    assert set(farm.states()) == {"healthy"}
    assert farm.told.count("agent.updated") == len(AGENTS)


def test_an_agent_is_asked_to_keep_a_release_only_when_it_was_well_for_long_enough() -> None:
    farm = fleet(soak_s=10.0)
    farm.look(5)
    canary = AGENTS[0]
    farm.views[canary] = replace(farm.views[canary], reachable=frozenset())
    farm.look(20)
    assert not any(ask.name == "settle_update" for ask in farm.asked)
    assert farm.rollout.agents[0].words == "no answer from p-1"
    farm.views[canary] = replace(farm.views[canary], reachable=frozenset({printer_of(canary)}))
    farm.look(10)
    assert not any(ask.name == "settle_update" for ask in farm.asked)
    farm.look(3)
    assert Ask(canary, "settle_update") in farm.asked


def test_a_release_that_was_gone_back_from_halts_and_reaches_nobody_else() -> None:
    for phase, state in (
        (UpdatePhase.ROLLED_BACK, UpdateState.ROLLED_BACK),
        (UpdatePhase.REFUSED, UpdateState.REFUSED),
    ):
        farm = fleet()
        farm.look(2)
        farm.say(AGENTS[0], phase, "it never settled", build=OLD)
        farm.look(100)
        assert farm.rollout.state is RolloutState.HALTED
        assert "it never settled" in farm.rollout.words
        assert farm.one(AGENTS[0]) is state
        assert set(farm.states()[1:]) == {"waiting"}
        assert {ask.agent_id for ask in farm.asked} == {AGENTS[0]}
        assert farm.told.count("rollout.halted") == 1


def test_an_agent_that_falls_silent_halts_after_longer_than_it_needs_to_go_back() -> None:
    farm = fleet()
    farm.look(2)
    farm.views[AGENTS[0]] = replace(farm.views[AGENTS[0]], online=False)
    farm.look(int(2 * farm.rollout.trial_s))
    assert farm.rollout.state is RolloutState.CANARY
    farm.look(200)
    assert farm.rollout.state is RolloutState.HALTED
    assert farm.one(AGENTS[0]) is UpdateState.SILENT


def test_who_was_asked_but_did_not_begin_is_called_off_when_all_halts() -> None:
    farm = fleet()
    farm.look(12)
    farm.deaf = set(AGENTS)
    wave = [each.agent_id for each in farm.rollout.agents if each.stage == 1]
    farm = fleet()
    farm.deaf = set(AGENTS[1:])
    farm.look(12)
    assert [farm.one(each) for each in wave] == [UpdateState.DRAINING] * 3
    farm.say(wave[0], UpdatePhase.REFUSED, "no room")
    farm.look()
    assert farm.rollout.state is RolloutState.HALTED
    assert [farm.one(each) for each in wave[1:]] == [UpdateState.WAITING] * 2
    assert {ask.agent_id for ask in farm.asked if ask.name == "cancel_update"} == set(wave[1:])


def test_a_trial_that_is_on_is_followed_to_its_end_after_a_person_halts() -> None:
    farm = fleet()
    farm.look(3)
    step = rolling_out.halt(farm.rollout, "by anna", farm.now)
    farm.rollout = step.rollout
    assert farm.rollout.followed
    farm.look(10)
    assert farm.one(AGENTS[0]) is UpdateState.HEALTHY
    assert farm.rollout.state is RolloutState.HALTED
    assert not farm.rollout.followed


def test_resuming_asks_those_once_more_that_went_wrong() -> None:
    farm = fleet()
    farm.look(2)
    farm.say(AGENTS[0], UpdatePhase.ROLLED_BACK, "it died", build=OLD)
    farm.look()
    step = rolling_out.resume(farm.rollout, farm.now)
    farm.rollout = step.rollout
    assert farm.one(AGENTS[0]) is UpdateState.WAITING
    # As when it is asked, what it told before is forgotten.
    farm.views[AGENTS[0]] = replace(farm.views[AGENTS[0]], report=None)
    farm.look(80)
    assert farm.rollout.state is RolloutState.DONE


def test_an_agent_that_is_offline_holds_nobody_up_and_is_asked_when_it_comes_back() -> None:
    farm = fleet()
    away = AGENTS[2]
    farm.views[away] = replace(farm.views[away], online=False)
    farm.look(60)
    assert farm.rollout.state is RolloutState.WAVES
    assert farm.states().count("healthy") == len(AGENTS) - 1
    assert farm.one(away) is UpdateState.WAITING
    farm.views[away] = replace(farm.views[away], online=True)
    farm.look(20)
    assert farm.rollout.state is RolloutState.DONE


def test_nobody_is_asked_before_a_canary_is_there() -> None:
    farm = fleet()
    farm.views[AGENTS[0]] = replace(farm.views[AGENTS[0]], online=False)
    farm.look(1000)
    assert farm.asked == []
    assert farm.rollout.live


def test_an_agent_that_is_too_old_for_releases_is_told_so() -> None:
    farm = fleet()
    farm.views[AGENTS[0]] = replace(farm.views[AGENTS[0]], able=False)
    farm.look(2)
    assert farm.rollout.agents[0].words == TOO_OLD
    assert farm.rollout.state is RolloutState.HALTED


def test_a_lost_word_is_said_again() -> None:
    farm = fleet()
    farm.deaf = {AGENTS[0]}
    farm.look(int(ASKED_AGAIN.total_seconds()) + 2)
    assert farm.asked == [Ask(AGENTS[0], "update")] * 2


def test_so_many_may_go_wrong_as_a_person_allowed() -> None:
    farm = fleet(troubles_max=1)
    bad = AGENTS[3]
    farm.deaf = {bad}
    farm.look(12)
    farm.say(bad, UpdatePhase.ROLLED_BACK, "a bad card", build=OLD)
    farm.look(60)
    assert farm.rollout.state is RolloutState.DONE
    assert farm.one(bad) is UpdateState.ROLLED_BACK


def test_who_runs_the_version_already_is_left_alone() -> None:
    farm = fleet()
    farm.views = {name: replace(view, build=NEW) for name, view in farm.views.items()}
    farm.look(3)
    assert farm.rollout.state is RolloutState.DONE
    assert farm.asked == []


def test_a_look_that_finds_nothing_new_changes_nothing() -> None:
    farm = fleet()
    farm.deaf = set(AGENTS)
    farm.look(3)
    before = farm.rollout
    farm.look(5)
    assert farm.rollout is before or farm.rollout == before


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_whatever_agents_do_no_wave_begins_while_more_are_in_trouble_than_allowed(
    data: st.DataObject,
) -> None:
    allowed = data.draw(st.integers(0, 2))
    farm = fleet(troubles_max=allowed, soak_s=1.0)
    for _ in range(data.draw(st.integers(1, 40))):
        agent_id = data.draw(st.sampled_from(AGENTS))
        farm.deaf = set(data.draw(st.lists(st.sampled_from(AGENTS), max_size=3)))
        phase = data.draw(st.sampled_from([None, *UpdatePhase]))
        view = farm.views[agent_id]
        online = data.draw(st.booleans())
        farm.views[agent_id] = replace(view, online=online, report=None)
        if phase is not None:
            build = data.draw(st.sampled_from([OLD, NEW]))
            farm.say(agent_id, phase, build=build)
        asked = len(farm.asked)
        farm.look()
        troubled = sum(each.state in TROUBLED for each in farm.rollout.agents)
        if troubled > allowed:
            assert farm.rollout.state is RolloutState.HALTED
            new = farm.asked[asked:]
            assert all(ask.name != "update" for ask in new)
        canary = farm.one(AGENTS[0])
        if canary in (UpdateState.WAITING, UpdateState.DRAINING, UpdateState.UPDATING):
            begun = {each.state for each in farm.rollout.agents[1:]}
            assert begun <= {UpdateState.WAITING, UpdateState.HEALTHY, *TROUBLED}


def test_the_tables_lead_nowhere_that_nothing_leads_out_of_but_the_ends() -> None:
    tables: tuple[Mapping[tuple[object, object], object], ...] = (ROLLOUT.table, UPDATE.table)
    rollout_ends, update_ends = (
        {str(target) for target in table.values()} - {str(state) for state, _ in table}
        for table in tables
    )
    assert rollout_ends == {"done"}
    assert update_ends == set()
