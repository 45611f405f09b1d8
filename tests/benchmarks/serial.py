"""Compare Farmhand's G-code streaming with OctoPrint, printcore and the least C can do.

Usage: ./farmhand bench serial [scenario ...] [--hosts a,b] [--trials n] [--scale x] [--json file]
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.hosts.farmhand import Farmhand
from tests.benchmarks.hosts.host import Host, HostFailed
from tests.benchmarks.hosts.octoprint import OctoPrint
from tests.benchmarks.hosts.printcore import Printcore
from tests.benchmarks.hosts.writers import Writers
from tests.benchmarks.installing import NotInstallable
from tests.benchmarks.report import as_json, readable, row
from tests.benchmarks.scenarios import BY_NAME, Scenario
from tests.benchmarks.targets import Results, verdicts
from tests.benchmarks.trial import Measurement, measure

MOVES_MIN = 100  # fewer say nothing


def all_hosts() -> dict[str, Host]:
    """Return every host by name, in the order of the report."""
    hosts = (OctoPrint(), Printcore(), Writers(1), Writers(4), Farmhand(1), Farmhand(4))
    return {host.name: host for host in hosts}


def main(argv: Sequence[str]) -> int:
    """Run the benchmark; returns 0 when no target was missed, 1 when one was, 2 for wrong usage."""
    hosts = all_hosts()
    wanted = parse(argv, list(hosts))
    chosen = [hosts[name] for name in wanted.hosts]
    try:
        for host in chosen:
            say(f"preparing {host.name} ...")
            host.prepare()
    except NotInstallable as error:
        say(f"not possible here: {error}")
        return 2
    scenarios = [scaled(BY_NAME[name], wanted.scale) for name in wanted.scenarios or BY_NAME]
    measurements: list[Measurement] = []
    for one in trials(scenarios, chosen, wanted.trials):
        measurements.append(one)
        if wanted.json is not None:  # each time: an interrupted hour shall not be lost
            wanted.json.write_text(as_json(measurements))
    results = Results(measurements)
    sys.stdout.write(readable(results))
    return 1 if any(verdict.reached is False for verdict in verdicts(results)) else 0


def parse(argv: Sequence[str], hosts: list[str]) -> argparse.Namespace:
    """Return what was asked for; ends the program with 2 where it cannot be understood."""
    parser = argparse.ArgumentParser(prog="farmhand bench serial", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=", ".join(BY_NAME))
    parser.add_argument("--hosts", default=",".join(hosts), help="separated by commas")
    parser.add_argument("--trials", type=int, default=3, help="of each host in each scenario (3)")
    parser.add_argument("--scale", type=float, default=1.0, help="shorter or longer files (1.0)")
    parser.add_argument("--json", type=Path, help="file to write all figures to")
    wanted = parser.parse_args(argv)
    wanted.hosts = wanted.hosts.split(",")
    for name in wanted.scenarios:
        if name not in BY_NAME:
            parser.error(f"no scenario {name}; there are {', '.join(BY_NAME)}")
    for name in wanted.hosts:
        if name not in hosts:
            parser.error(f"no host {name}; there are {', '.join(hosts)}")
    return wanted


def scaled(scenario: Scenario, scale: float) -> Scenario:
    """Return the scenario with a longer or shorter file."""
    return replace(scenario, moves=max(MOVES_MIN, round(scenario.moves * scale)))


def trials(
    scenarios: Sequence[Scenario], hosts: Sequence[Host], count: int
) -> Iterator[Measurement]:
    """Yield every trial; the hosts take turns, so that a slow minute hits all of them."""
    for scenario in scenarios:
        for number in range(1, count + 1):
            for host in hosts:
                try:
                    one = measure(scenario, host, seed=number)
                except HostFailed as failure:
                    say(f"{scenario.name} {number}/{count} {failure}")
                    continue
                yield one
                figures = row(Results([one]), scenario.name, host.name)
                say(f"{scenario.name} {number}/{count} {figures}")


def say(words: str) -> None:
    """Tell how far it is; the report alone goes to standard output."""
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
