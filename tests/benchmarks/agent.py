"""Measure a whole agent with eight printers at 600 moves/s each, and a real coordinator.

While seven print, the eighth gets a plate of 20 MB: the agent fetches it, checks its hash, surveys
it and starts it. The same with the serial lines on the agent's own loop shows what the thread for
them is good for.

Usage: ./farmhand bench agent [--trials n] [--seconds s]
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.gcode_file import moves, write_gcode
from tests.benchmarks.scenarios import BY_NAME
from tests.benchmarks.stand_in import StandIn, Totals
from tests.fakes.processes import Coordinator, coordinator, started, until

PRINTERS = 8
MOVES_PER_S = 600
LARGE_MOVES = 600_000  # some 20 MB
WHERE = ("thread", "loop")
PATIENCE_S = 60.0
AGENT = "tests.benchmarks.hosts.agent_process"


def main(argv: Sequence[str]) -> int:
    """Run the measurement; returns 0 when every target was reached, 1 otherwise."""
    parser = argparse.ArgumentParser(
        prog="farmhand bench agent",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--trials", type=int, default=3, help="of each kind (3)")
    parser.add_argument("--seconds", type=int, default=20, help="of printing (20)")
    wanted = parser.parse_args(argv)
    found: dict[str, list[Figures]] = {where: [] for where in WHERE}
    sys.stdout.write(
        f"{'lines on a':12} {'MB':>5} {'cores':>6} {'starved':>8} {'worst gap ms':>13}\n"
    )
    for _ in range(wanted.trials):
        for where in WHERE:
            found[where].append(figures := measure(where, wanted.seconds * MOVES_PER_S))
            sys.stdout.write(f"{where:12} {figures}\n")
            sys.stdout.flush()
    thread = found["thread"]
    memory = statistics.median(each.resident_mb for each in thread)
    cores = statistics.median(each.cores for each in thread)
    intact = all(each.intact for each in thread)
    sys.stdout.write(
        f"{verdict(intact)} every printer executed its plate\n"
        f"{verdict(memory < 64)} {memory:.1f} MB resident, less than 64 wanted\n"
        f"{verdict(cores <= 1)} {cores:.2f} cores, 1 at most wanted\n"
    )
    return 0 if intact and memory < 64 and cores <= 1 else 1


def verdict(reached: bool) -> str:
    return "PASS" if reached else "FAIL"


class Figures:
    """One trial: seven printers' planners, and the agent that fed them."""

    def __init__(self, totals: Sequence[Totals], *, intact: bool) -> None:
        cpu_s = max(t.cpu_end_s for t in totals) - min(t.cpu_begin_s for t in totals)
        elapsed_s = max(t.end_s for t in totals) - min(t.begin_s for t in totals)
        self.intact = intact
        self.resident_mb = max(t.resident_kb for t in totals) / 1024
        self.cores = cpu_s / elapsed_s if elapsed_s > 0 else 0.0
        self.starvations = sum(t.starvations for t in totals)
        self.gap_ms_max = max(t.gap_ms_max for t in totals)

    def __str__(self) -> str:
        use = f"{self.resident_mb:5.1f} {self.cores:6.2f}"
        starved = f"{self.starvations:8} {self.gap_ms_max:13.1f}"
        return f"{use} {starved}" + ("" if self.intact else "  NOT INTACT")


def measure(where: str, count: int) -> Figures:
    """Print one plate on seven printers while the eighth gets a large one.

    Args:
        where: the serial lines are served, `thread` or `loop`.
        count: moves of the plate.
    """
    with tempfile.TemporaryDirectory(prefix="farmhand-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        plate, large = folder / "arcs.gcode", folder / "large.gcode"
        write_gcode(plate, count)
        write_gcode(large, LARGE_MOVES)
        pids = folder / "pids"
        boards = []
        for number in range(PRINTERS):
            (at := folder / f"printer-{number}").mkdir()
            board = StandIn(at, BY_NAME["paced-600"].board, pid_file=pids, seed=number)
            boards.append(stack.enter_context(board))
        centre = stack.enter_context(coordinator(folder / "coordinator", "--log-level", "warning"))
        config = folder / "agent.toml"
        config.write_text(agent_config(centre, folder / "agent", boards))
        log, token = folder / "agent.log", centre.token
        run = started(AGENT, where, config, log=log, FARMHAND_AGENT_TOKEN=token)
        agent = stack.enter_context(run)
        pids.write_text(f"{agent.pid}\n")
        until(lambda: count_of(centre, "needs_clearing") == PRINTERS, "eight printers to be there")
        for number in range(PRINTERS - 1):
            clear(centre, number)
        submit(centre, plate, copies=PRINTERS - 1)
        until(lambda: count_of(centre, "busy") == PRINTERS - 1, "seven printers to print")
        submit(centre, large, copies=1)
        clear(centre, PRINTERS - 1)
        until(lambda: count_of(centre, "busy") == PRINTERS, "the eighth printer to print")
        patience_s = count / MOVES_PER_S + PATIENCE_S
        watched = boards[: PRINTERS - 1]
        totals = [board.finish(patience_s, lambda: agent.poll() is None) for board in watched]
        intact = all(board.executed_moves() == moves(count) for board in watched)
    return Figures(totals, intact=intact)


def count_of(centre: Coordinator, status: str) -> int:
    """Return how many printers the coordinator sees so."""
    return sum(each["status"] == status for each in centre.ask("printers")[1]["items"])


def clear(centre: Coordinator, number: int) -> None:
    """Say that nothing lies on a printer's bed."""
    status, answer = centre.ask(f"printers/printer-{number}/clear", method="POST")
    assert status == 200, answer


def submit(centre: Coordinator, plate: Path, *, copies: int) -> None:
    """Have a plate printed."""
    ended = centre.farmhand("job", "submit", plate, "--copies", str(copies))
    assert ended.code == 0, ended


def agent_config(centre: Coordinator, state: Path, boards: Sequence[StandIn]) -> str:
    """Return the agent's configuration: four lines in flight on each printer."""
    head = f"""\
agent_id = "bench"
state_dir = "{state}"
mqtt_url = "{centre.facts["mqtt_url"]}"
coordinator_url = "{centre.url}"
log_level = "warning"
"""
    return head + "".join(
        f"""
[[printers]]
id = "printer-{number}"
driver = "marlin_serial"
printer_class = "farmhand-220"
material = "PLA"
settings = {{ port = "{board.port}", window = 4, window_bytes = 4000, allow = ["cold", "unhomed"] }}
"""
        for number, board in enumerate(boards)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
