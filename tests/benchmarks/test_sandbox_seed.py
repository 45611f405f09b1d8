"""The benchmark of the sandbox works: a small run of it, on any machine."""

from pathlib import Path

from tests.benchmarks.sandbox import Figure, readable, started


async def test_each_level_that_is_there_is_started_beside_the_bare_program(tmp_path: Path) -> None:
    found = await started(tmp_path, runs=2)
    assert [each.name for each in found][:2] == ["bare", "rlimits"]
    assert all(len(each.runs_ms) == 2 and each.median_ms > 0 for each in found)


def test_a_figure_is_told_with_its_spread() -> None:
    (line,) = readable([Figure("bare", (3.0, 1.0, 2.0))])
    assert line.split() == ["bare", "2.0", "ms", "(1.0", "to", "3.0)"]
