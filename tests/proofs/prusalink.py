"""Prove the PrusaLink driver on Prusa's own PrusaLink, and before a server that misbehaves.

Usage: ./farmhand prove prusalink [pytest's options]
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ("tests/edges/prusalink", "tests/contracts/test_host_driver_contract.py")


def main() -> int:
    """Run every test of it; returns 0 where all passed."""
    command = [sys.executable, "-m", "pytest", "-m", "slow or not slow", "--durations=10"]
    return subprocess.run([*command, *TESTS, *sys.argv[1:]], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
