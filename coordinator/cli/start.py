"""`farmhand`, as it is installed: the command; for the farm's centre, nothing of the command."""

import sys


def main() -> None:
    """Run a coordinator or, for all else, the command."""
    if sys.argv[1:2] == ["coordinator"]:
        # The command's libraries would stay in the coordinator's memory for as long as it lives.
        from coordinator.__main__ import main as run

        sys.exit(run(sys.argv[2:]))
    from coordinator.cli.main import main as command

    command()
