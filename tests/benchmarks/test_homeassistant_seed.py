"""The benchmark of what Home Assistant is told works: its targets can be missed."""

from dataclasses import replace

from tests.benchmarks.homeassistant import Found, verdicts

GOOD = Found(
    entities=40,
    triggers=14,
    again_s=1.0,
    per_s=15.0,
    bytes_per_s=1.0,
    heard_ms=[100.0],
    meanwhile_ms=[100.0],
)


def test_a_target_is_missed_beyond_its_limit_only() -> None:
    assert all(reached for reached, _ in verdicts(GOOD))
    late = {"heard_ms": [1000.0], "meanwhile_ms": [1000.0]}
    bad = replace(GOOD, entities=10, again_s=5.0, per_s=51.0, **late)
    assert not any(reached for reached, _ in verdicts(bad))
