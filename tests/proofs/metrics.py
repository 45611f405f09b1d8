"""Prove what monitors are told, and when alerts come, with Prometheus' own promtool.

Usage: ./farmhand prove metrics [pytest's options]

Where promtool is missing it is taken out of Debian's package, which is not installed.
"""

import subprocess
import sys
from pathlib import Path

from tests.fakes import promtool

ROOT = Path(__file__).parents[2]
TESTS = ("tests/coordinator/api/test_metrics_rules.py", "tests/coordinator/api/test_api_metrics.py")


def main() -> int:
    """Run every test of it; returns 0 where all passed."""
    sys.stdout.write(f"promtool: {promtool.fetch()}\n")
    sys.stdout.flush()
    command = [sys.executable, "-m", "pytest", "-m", "slow or not slow"]
    return subprocess.run([*command, *TESTS, *sys.argv[1:]], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
