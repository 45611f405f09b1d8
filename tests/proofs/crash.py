"""Prove that a print survives the death of its agent: kill -9 at random points, start it again.

Usage: ./farmhand prove crash [--kills N] [--seed S]

A real agent process prints on the simulated printer, a process of its own that knows nothing of
the kills. At the end the firmware must have executed the plate's commands and nothing else, each
once and in order, whatever kills there were.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from protocols.gcode.lines import parse
from protocols.gcode.program import read_program
from protocols.gcode.tuning import asks

ROOT = Path(__file__).parents[2]
KILLS_PER_PRINT_MAX = 12
PRINT_S_MAX = 240.0
LIFE_S_MAX = 12.0
SPEED = "20"  # of the printer against the clock: a print takes half a minute
# What an agent says on its own account; the plate of this proof has none of it.
OWN = frozenset({"M27", "M105", "M110", "M113", "M114", "M115", "M154", "M155", "M400", "M108"})

# Board, and settings of its driver: every pair prints in turn.
Pair = tuple[tuple[str, ...], dict[str, Any]]
PACKED: Pair = (
    ("--firmware", "meatpack", "--receive-bytes", "128"),
    {"window": 4, "window_bytes": 110, "meatpack": True},
)
BOARDS: tuple[Pair, ...] = (
    ((), {"window": 1}),
    (("--advanced-ok",), {"window": 4}),
    (("--firmware", "old"), {"window": 1}),
    (("--advanced-ok", "--emergency-parser"), {"window": 8}),
    ((), {"window": 4}),
    PACKED,
)


@dataclass
class Outcome:
    """What became of one print."""

    kills: int = 0
    killed_at: list[int] = field(default_factory=list)
    words: str = ""  # what is wrong; empty when nothing is


def main(argv: Sequence[str]) -> int:
    """Run the proof; returns 0 when every print was exact, else 1."""
    parser = argparse.ArgumentParser(prog="farmhand prove crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="over several prints (200)")
    parser.add_argument("--seed", type=int, default=None, help="of all that is random")
    wanted = parser.parse_args(argv)
    seed = wanted.seed if wanted.seed is not None else random.SystemRandom().randrange(10**6)
    return 0 if prove(wanted.kills, seed) else 1


def prove(kills: int, seed: int, *, boards: Sequence[Pair] = BOARDS) -> bool:
    """Print until so many kills were survived; tells whether all prints were exact."""
    say(f"crash: {kills} kills, seed {seed}")
    chance = random.Random(seed)
    survived = number = 0
    wrong: list[str] = []
    while survived + len(wrong) < kills:
        options, settings = boards[number % len(boards)]
        budget = min(KILLS_PER_PRINT_MAX, kills - survived - len(wrong))
        with tempfile.TemporaryDirectory(prefix="farmhand-crash-") as folder:
            trial = Trial(Path(folder), chance, options, settings)
            outcome = trial.run(budget)
        number += 1
        board = " ".join(options) or "plain"
        say(
            f"print {number} ({board}, {settings}): {outcome.kills} kills "
            f"after {outcome.killed_at} lines: {outcome.words or 'exact'}"
        )
        if outcome.words:
            wrong.append(outcome.words)
            if not outcome.kills:
                break
        else:
            survived += outcome.kills
    say(f"crash: {survived} of {kills} kills survived exactly, {len(wrong)} prints spoilt")
    return not wrong


class Trial:
    """One print: a printer, an agent, kills."""

    def __init__(
        self,
        folder: Path,
        chance: random.Random,
        options: Sequence[str],
        settings: Mapping[str, Any],
    ) -> None:
        self.folder = folder
        self.chance = chance
        self.options = options
        self.settings = settings
        self.port, self.log = folder / "port", folder / "executed.log"
        text = plate(chance)
        self.sha256 = hashlib.sha256(text).hexdigest()
        (folder / "plates").mkdir()
        (folder / "plates" / self.sha256).write_bytes(text)
        self.expected = [item.command for item in read_program(text.splitlines(keepends=True))]

    def run(self, kills: int) -> Outcome:
        """Print the plate with up to so many kills."""
        outcome = Outcome()
        with self.printer():
            ends_at = time.monotonic() + PRINT_S_MAX
            while True:
                agent = self.agent()
                if outcome.kills < kills:
                    self.let_it_live(agent)
                    patience_s = 0.0
                else:
                    patience_s = ends_at - time.monotonic()
                try:
                    told, _ = agent.communicate(timeout=max(0.001, patience_s))
                except subprocess.TimeoutExpired:
                    os.kill(agent.pid, signal.SIGKILL)
                    agent.communicate()
                    if outcome.kills >= kills:
                        outcome.words = f"no end within {PRINT_S_MAX:.0f} s"
                        break
                    outcome.kills += 1
                    outcome.killed_at.append(len(self.executed()))
                    continue
                if agent.returncode:
                    outcome.words = f"it ended: {told.strip()}"
                break
        outcome.words = outcome.words or difference(self.expected, self.executed())
        return outcome

    def let_it_live(self, agent: "subprocess.Popen[str]") -> None:
        """Wait for some moment: mostly so many lines on, at times while it starts or takes over."""
        if self.chance.random() < 0.3:
            until_s, lines = time.monotonic() + self.chance.uniform(0.0, 3.0), 10**9
        else:
            until_s = time.monotonic() + LIFE_S_MAX
            lines = len(self.executed()) + self.chance.randint(1, 150)
        while time.monotonic() < until_s and agent.poll() is None and len(self.executed()) < lines:
            time.sleep(self.chance.uniform(0.005, 0.03))

    @contextmanager
    def printer(self) -> Iterator[None]:
        """Have a simulated printer until the end of the block."""
        command = [sys.executable, "-m", "agent.simulator", "--pty", str(self.port)]
        command += ["--log", str(self.log), "--speed", SPEED, "--log-level", "error", *self.options]
        with subprocess.Popen(command, cwd=ROOT) as process:
            try:
                while not self.port.exists():
                    if process.poll() is not None:
                        raise RuntimeError("the simulated printer did not start")
                    time.sleep(0.02)
                yield
            finally:
                process.terminate()

    def agent(self) -> "subprocess.Popen[str]":
        """Start an agent."""
        command = [sys.executable, "-m", "tests.proofs.agent_process", str(self.folder)]
        command += [str(self.port), self.sha256, json.dumps(self.settings)]
        with (self.folder / "agent.log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def executed(self) -> list[str]:
        """Return the commands that the firmware executed and that are not an agent's own."""
        if not self.log.exists():
            return []
        entries = [line.partition("\t")[2] for line in self.log.read_text().splitlines()]
        return [text for text in entries if text and not is_own(text)]


def is_own(text: str) -> bool:
    """Whether a command is one that an agent says on its own account."""
    command = parse(text)
    return command is not None and (command.name in OWN or asks(command))


def difference(expected: list[str], executed: list[str]) -> str:
    """Return where two lists of commands part, empty where they are equal."""
    for number, (wanted, got) in enumerate(zip_longest(expected, executed), start=1):
        if wanted != got:
            return f"command {number} is {got!r}, the plate has {wanted!r}"
    return ""


def plate(chance: random.Random) -> bytes:
    """Return a plate that takes half a minute: heat, moves long and short, arcs, fan, dwell."""
    lines = ["M140 S40", "M104 S60", "M190 S40", "M109 S60", "G21", "G90", "M82", "G28", "G92 E0"]
    extruded = 0.0
    for layer in range(1, 9):
        lines += [";LAYER_CHANGE", f"G1 Z{layer * 0.2:.1f} F600", f"M106 S{layer * 30}"]
        for step in range(250):
            x, y = chance.uniform(20, 200), chance.uniform(20, 180)
            if step % 5:  # mostly short moves, and the same one never twice
                x, y = 60 + step * 0.3, 60 + layer + (step % 2) * 2
            extruded += 0.01
            lines.append(f"G1 X{x:.3f} Y{y:.3f} E{extruded:.4f} F{chance.randint(6000, 12000)}")
            if step % 40 == 39:
                lines.append(f"G3 X{x:.3f} Y{y + 4:.3f} I0 J2 E{extruded:.4f}")
        lines.append("G4 P200")
    return "\n".join([*lines, "M104 S0", "M140 S0", "M107", ""]).encode()


def say(text: str) -> None:
    """Tell the person who waits."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
