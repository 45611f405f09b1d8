"""Prove that the page can be read by everybody, on a phone too, with few printers and with 500.

Usage: ./farmhand prove page [pytest's options]
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ("tests/edges/test_page.py", "tests/edges/test_page_many.py")


def main() -> int:
    """Run every test of it; returns 0 where all passed."""
    command = [sys.executable, "-m", "pytest", "-m", "slow or not slow", "--durations=10"]
    return subprocess.run([*command, *TESTS, *sys.argv[1:]], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
