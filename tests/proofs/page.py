"""Prove the page: all that a person does there, for everybody, on a phone too, with 500 printers.

Usage: ./farmhand prove page [pytest's options]
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = sorted(map(str, ROOT.glob("tests/edges/test_page*.py")))


def main() -> int:
    """Run every test of it; returns 0 where all passed."""
    command = [sys.executable, "-m", "pytest", "-m", "slow or not slow", "--durations=10"]
    return subprocess.run([*command, *TESTS, *sys.argv[1:]], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
