"""The serial benchmark works: small trials of it, on any machine in seconds.

How fast anything is is never asserted here; that is what the benchmark itself is for.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.benchmarks.gcode_file import moves
from tests.benchmarks.hosts.farmhand import Farmhand
from tests.benchmarks.hosts.host import Host
from tests.benchmarks.hosts.writers import Writers
from tests.benchmarks.report import readable
from tests.benchmarks.scenarios import BY_NAME, Scenario
from tests.benchmarks.targets import Results, verdicts
from tests.benchmarks.trial import Measurement, measure

HOSTS = (Writers(1), Writers(4), Farmhand(1), Farmhand(4))


def small(scenario: str, count: int) -> Scenario:
    return replace(BY_NAME[scenario], moves=count, seconds_max=60)


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
@pytest.mark.parametrize(("scenario", "count"), [("zero", 2000), ("corrupt", 1000)])
def test_every_line_of_the_file_is_executed_once_and_in_order(
    scenario: str, count: int, host: Host
) -> None:
    found = measure(small(scenario, count), host, seed=1)
    assert found.complete
    assert found.intact
    assert found.cpu_ms_per_1000_lines > 0
    assert found.resident_mb > 0
    assert (found.resends > 0) == (scenario == "corrupt")


@pytest.mark.parametrize("host", [Writers(4), Farmhand(4)], ids=lambda host: host.name)
def test_several_printers_are_streamed_to_at_once(host: Host) -> None:
    found = measure(replace(small("zero", 500), printers=3), host, seed=1)
    assert found.complete
    assert found.intact


class Forgetful(Writers):
    """A host that leaves out one move."""

    def command(self, ports: Sequence[Path], gcode: Path, folder: Path) -> list[str]:
        lines = gcode.read_text().splitlines()
        shorter = folder / "shorter.gcode"
        shorter.write_text("\n".join(lines[:50] + lines[51:]) + "\n")
        return super().command(ports, shorter, folder)


def test_a_host_that_loses_a_line_is_found_out() -> None:
    found = measure(small("zero", 200), Forgetful(4), seed=1)
    assert found.complete
    assert not found.intact


class Mute(Writers):
    """A host that opens the port and says nothing."""

    def command(self, ports: Sequence[Path], gcode: Path, folder: Path) -> list[str]:
        return ["sleep", "60"]


def test_a_host_that_does_not_finish_is_not_waited_for_for_ever() -> None:
    found = measure(replace(small("zero", 200), seconds_max=0.2), Mute(1), seed=1)
    assert not found.complete
    assert not found.intact


def measurement(scenario: str, host: str, speed: float, cpu: float) -> Measurement:
    return Measurement(
        scenario=scenario,
        host=host,
        complete=True,
        intact=True,
        lines_per_s=speed,
        cpu_ms_per_1000_lines=cpu,
        cores=0.1,
        resident_mb=20,
        starvations=0,
        starved_s=0,
        gap_ms_max=0,
        gaps=(),
        resends=0,
        overflow_bytes=0,
    )


@pytest.mark.parametrize(("speed", "reached"), [(999.0, False), (1000.0, True)])
def test_a_target_is_missed_below_its_limit_only(speed: float, reached: bool) -> None:
    trials = [
        measurement("zero", "octoprint", 100, 15),
        measurement("zero", "farmhand-4", speed, 1),
    ]
    found = {verdict.target: verdict.reached for verdict in verdicts(Results(trials))}
    assert found["farmhand-4: lines/s >= 10 x octoprint (zero)"] is reached
    assert found["farmhand-4: CPU per line <= 1/15 of octoprint's in every scenario"] is True
    assert found["farmhand-4: lines/s >= 7 x printcore (rtt)"] is None
    assert "zero" in readable(Results(trials))


def test_the_file_is_the_same_each_time() -> None:
    assert moves(100_000)[:1000] == moves(1000)
    assert max(map(len, moves(100_000))) < 60
