"""Prove that a model is printed in the same way through every driver, and what all lines owe.

Usage: ./farmhand prove drivers [pytest's options]
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ("tests/edges/test_every_driver.py", "tests/edges/test_line_driver_contract.py")


def main() -> int:
    """Run every test of it; returns 0 where all passed."""
    command = [sys.executable, "-m", "pytest", "-m", "slow or not slow", "--durations=10"]
    return subprocess.run([*command, *TESTS, *sys.argv[1:]], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
