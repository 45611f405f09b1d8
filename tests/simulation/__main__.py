"""`python -m tests.simulation --seeds 200`."""

import sys

from tests.simulation.proof import main

if __name__ == "__main__":
    sys.exit(main())
