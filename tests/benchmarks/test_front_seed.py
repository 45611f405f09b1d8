"""The benchmark of the front door works: a small run of it, on any machine.

How fast anything is is never asserted here; that is what the benchmark itself is for.
"""

from dataclasses import replace

from tests.benchmarks.front import Found, measure, readable, verdicts
from tests.benchmarks.front_clients import Loop


def test_a_small_farm_is_asked_watched_and_started() -> None:
    found = measure(printers=3, seconds=0.2, jobs=20, changes=2)
    assert all(loop.per_s > 0 for loop in found.loops.values())
    assert len(found.seen_ms) > 0
    assert len(list(readable(found))) == len(found.loops) + 7


def test_a_target_is_missed_below_its_limit_only() -> None:
    loop = Loop(per_s=2000.0, p50_ms=1.0, p99_ms=9.0, body_bytes=1)
    loops = {(asked, n, "farmhand"): loop for asked in ("whole", "gzip") for n in (1, 8)}
    found = Found(loops=loops, resident_mib=80.0, seen_ms=[199.0], ready_s=1.9)
    assert all(reached for reached, _ in verdicts(found))
    loops["whole", 1, "farmhand"] = replace(loop, per_s=1999.0)
    slow = replace(found, resident_mib=90.0, seen_ms=[200.0], ready_s=2.0)
    assert sum(not reached for reached, _ in verdicts(slow)) == 4
