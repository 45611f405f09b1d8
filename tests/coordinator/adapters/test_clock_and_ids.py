"""Time and ids."""

from datetime import timedelta

import pytest

from coordinator.adapters import clock
from coordinator.adapters.clock import SystemClock, TimeSortedIds
from protocols.wire.vocabulary import is_id


def test_the_clock_tells_aware_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_ids_fit_a_topic_and_grow() -> None:
    ids = TimeSortedIds()
    made = [ids.new("job") for _ in range(1000)]
    assert all(is_id(each) and len(each) == 30 for each in made)
    assert made == sorted(set(made))


def test_ids_grow_though_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = TimeSortedIds()
    before = ids.new("run")
    monkeypatch.setattr(clock.time, "time_ns", lambda: 0)
    assert ids.new("run") > before


def test_ids_tell_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    # The example of the specification: 1469918176385 ms are 01ARYZ6S41.
    monkeypatch.setattr(clock.time, "time_ns", lambda: 1469918176385 * 1_000_000)
    assert TimeSortedIds().new("job").startswith("job-01aryz6s41")
