"""Prove the farm in a real Home Assistant: discovered, shown, and asked.

Usage: ./farmhand prove homeassistant [pytest's options]

It wants Python 3.13 and, the first time, the package index.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ("tests/edges/homeassistant", "tests/edges/test_automation.py")


def main() -> int:
    """Run every test of it; returns 0 where all passed."""
    command = [sys.executable, "-m", "pytest", "-m", "slow or not slow", "-rs", "--durations=10"]
    return subprocess.run([*command, *TESTS, *sys.argv[1:]], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
