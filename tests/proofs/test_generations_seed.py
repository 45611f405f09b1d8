"""The proof of generations works: a little of it finds nothing, and it notices a broken rule."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What the rules forbid: a submit that somebody died at is simply sent again.
BROKEN = """
import sys
from coordinator.domain import generating
generating.orphaned = lambda known, offer, now: generating.Outcome(
    generation=generating._put_off(known, 0.0, "", now)
)
from tests.proofs.generations import prove
sys.exit(0 if any(prove(1, seed).wrong for seed in range(0, 200, 4)) else 1)
"""


def ended(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_nothing_is_paid_twice_whenever_the_coordinator_is_killed() -> None:
    done = ended("-m", "tests.proofs.generations", "--runs", "2", "--seed", "7")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_submit_that_is_sent_again_on_a_guess_is_noticed() -> None:
    done = ended("-c", BROKEN)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"was charged \d+ times", done.stdout)
