"""The benchmark of a scrape says what it measured, and misses a target only above its limit."""

from collections import Counter
from dataclasses import replace

from tests.benchmarks.metrics import Found, Scraped, library_ms, readable, verdicts

TEXT = """# HELP farmhand_jobs How many.
# TYPE farmhand_jobs gauge
farmhand_jobs{state="ready"} 1.0
"""
SCRAPED = Scraped(
    took_ms=[9.0, 50.0], other_ms=[1.0, 15.0], cpu_ms=8.0, bare_ms=[1.0, 2.0], body_bytes=1000
)


def found() -> Found:
    return Found(
        kinds={"whole": SCRAPED, "gzip": SCRAPED},
        alone_ms=[1.0, 3.0],
        series=Counter(farmhand_jobs=1),
        library_ms=10.0,
    )


def test_the_figures_are_told_with_those_of_the_references() -> None:
    told = "\n".join(readable(found()))
    assert "1 series of 1 names" in told
    assert "CPU   8.0 ms" in told
    assert told.count("PASS") == 5


def test_a_target_is_missed_above_its_limit_only() -> None:
    slow = replace(SCRAPED, took_ms=[100.0], other_ms=[23.0], cpu_ms=10.0)
    missed = found()
    missed.kinds = {"whole": slow, "gzip": slow}
    assert [reached for reached, _ in verdicts(missed)] == [False] * 5


def test_the_library_renders_what_was_told() -> None:
    assert library_ms(TEXT) > 0
