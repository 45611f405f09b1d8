import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.watch import RULES, Dryness, Look, Watch, calls_for_stop, watch
from agent.findings import Findings
from protocols.wire.vocabulary import Finding, Level, Temperature


def look(now_s: float, actual: float, target: float = 200.0, **changes: object) -> Look:
    values: dict[str, object] = {
        "now_s": now_s,
        "readings": {"tool0": Temperature(actual, target)},
        "read_at_s": now_s,
    }
    return Look(**{**values, **changes})  # type: ignore[arg-type]


def rules(looks: list[Look]) -> list[str]:
    """Return what is wrong at the last look."""
    memory, findings = Watch(), ()
    for one in looks:
        memory, findings = watch(memory, one)
    return [finding.rule for finding in findings]


def test_a_heater_that_gains_is_well_and_one_that_does_not_is_stalled() -> None:
    assert rules([look(t, 20 + t) for t in range(0, 150, 2)]) == []
    assert rules([look(t, 60.0) for t in range(0, 70, 2)]) == ["heater_stalled.tool0"]


def test_a_heater_that_is_off_or_only_warm_never_stalls() -> None:
    assert rules([look(t, 20.0, target=0.0) for t in range(0, 300, 2)]) == []


@pytest.mark.parametrize("actual", [150.0, 240.0])
def test_a_temperature_that_leaves_its_target_for_long_is_a_runaway(actual: float) -> None:
    arrived = [look(t, 200.0) for t in range(0, 20, 2)]
    assert rules([*arrived, look(22, actual), look(30, actual)]) == []
    assert rules([*arrived, look(22, actual), look(44, actual)]) == ["thermal_runaway.tool0"]


def test_a_new_target_is_a_new_beginning() -> None:
    looks = [look(t, 200.0) for t in range(0, 20, 2)]
    assert rules([*looks, *(look(t, 200.0, target=250.0) for t in range(20, 60, 2))]) == []


def test_silence_counts_only_while_something_heats() -> None:
    assert rules([look(200, 200.0, read_at_s=10.0)]) == ["temperature_silence"]
    assert rules([look(200, 30.0, target=0.0, read_at_s=10.0)]) == []


@pytest.mark.parametrize(
    ("resends", "level"), [(0, None), (9, None), (10, Level.WARNING), (100, Level.ALARM)]
)
def test_one_line_in_a_hundred_warns_and_one_in_ten_alarms(
    resends: int, level: Level | None
) -> None:
    _, findings = watch(Watch(), look(0, 200.0, lines_sent=1000, resends=resends))
    assert [finding.level for finding in findings] == ([level] if level else [])


def test_nothing_is_said_of_a_printer_that_is_away() -> None:
    assert rules([look(t, 60.0, connected=False) for t in range(0, 300, 2)]) == []


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 300), st.sampled_from([0.0, 60.0, 200.0]))))
def test_whatever_is_seen_each_rule_is_told_once_at_a_time(
    seen: list[tuple[float, float, float]],
) -> None:
    memory, now_s = Watch(), 0.0
    for later_s, actual, target in seen:
        now_s += later_s
        memory, findings = watch(memory, look(now_s, actual, target))
        assert len({finding.rule for finding in findings}) == len(findings)
        assert all(finding.evidence and finding.words for finding in findings)


def test_a_head_out_of_its_place_is_an_alarm_with_both_places() -> None:
    places = {"X": (199.0, 20.5), "Z": (0.4, 0.2)}
    _, findings = watch(Watch(), look(0, 200.0, out_of_place=places))
    assert [(finding.rule, finding.level) for finding in findings] == [
        ("head_out_of_place", Level.ALARM)
    ]
    assert findings[0].words.endswith("X199 instead of X20.5, Z0.4 instead of Z0.2")
    assert findings[0].evidence == {
        "x_told_mm": 199.0,
        "x_plate_mm": 20.5,
        "z_told_mm": 0.4,
        "z_plate_mm": 0.2,
    }


EVIDENCE = {
    "heater_stalled": (
        [look(t, 60.0) for t in range(0, 70, 2)],
        Level.ALARM,
        {"target_celsius": 200.0, "actual_celsius": 60.0, "stalled_s": 68.0},
    ),
    "thermal_runaway": (
        [look(0, 200.0), look(2, 150.0), look(30, 151.0)],
        Level.ALARM,
        {"target_celsius": 200.0, "actual_celsius": 151.0, "amiss_s": 28.0},
    ),
    "temperature_silence": (
        [look(200, 200.0, read_at_s=10.0)],
        Level.WARNING,
        {"silent_s": 190.0},
    ),
    "resends": (
        [look(0, 200.0, lines_sent=1000, resends=150)],
        Level.ALARM,
        {"lines_sent": 1000, "resends": 150, "ratio": 0.15},
    ),
    "planner_starved": (
        [look(0, 200.0, dryness=Dryness(per_minute=30.0, gap_ms=80.0, times=6))],
        Level.WARNING,
        {"dry_per_minute": 30.0, "gap_ms": 80.0, "times": 6},
    ),
    "head_out_of_place": (
        [look(0, 200.0, out_of_place={"X": (1.0, 2.0)})],
        Level.ALARM,
        {"x_told_mm": 1.0, "x_plate_mm": 2.0},
    ),
}


def found(looks: list[Look]) -> Finding:
    memory, findings = Watch(), ()
    for one in looks:
        memory, findings = watch(memory, one)
    [finding] = findings
    return finding


@pytest.mark.parametrize("rule", sorted(RULES))
def test_each_rule_tells_with_its_evidence_and_stops_only_where_it_is_named(rule: str) -> None:
    looks, level, evidence = EVIDENCE[rule]
    finding = found(looks)
    assert finding.rule.partition(".")[0] == rule
    assert (finding.level, finding.evidence) == (level, evidence)
    assert not calls_for_stop(finding, RULES - {rule})
    assert calls_for_stop(finding, {rule})


def test_a_warning_about_repeated_lines_stops_nothing_until_it_is_an_alarm() -> None:
    told: list[str] = []

    class Log:
        def warning(self, event: str, **facts: object) -> None:
            told.append(str(facts["level"]))

    findings, stops = Findings(Log(), "printer"), []
    for resends in (20, 30, 150, 160):
        begun = findings.take([found([look(0, 200.0, lines_sent=1000, resends=resends)])])
        stops.append([calls_for_stop(finding, {"resends"}) for finding in begun])
    assert stops == [[False], [], [True], []]
    assert told == ["warning", "alarm"]
