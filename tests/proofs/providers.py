"""Prove what providers of models owe, all of it: also what CI has no time for.

Usage: ./farmhand prove providers [pytest's options]

Vendors' own clients judge the stand-ins for their services, real OpenSCAD and CAD Python run in the
sandbox with all hostile scripts, and a browser makes parts of words, code and pictures.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = (
    "tests/edges/vendors",
    "tests/edges/test_sandbox.py",
    "tests/edges/test_openscad_rendering.py",
    "tests/edges/test_cad_python_rendering.py",
    "tests/edges/test_words_to_part.py",
    "tests/edges/test_words_become_parts.py",
    "tests/edges/test_paid_models.py",
    "tests/edges/test_page_generate.py",
    "tests/edges/test_page_approval.py",
    "tests/proofs/test_generations_seed.py",
)


def main() -> int:
    """Run every test of it; returns 0 where all passed."""
    command = [sys.executable, "-m", "pytest", "-m", "slow or not slow", "--durations=10"]
    return subprocess.run([*command, *TESTS, *sys.argv[1:]], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
