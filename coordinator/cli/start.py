"""`farmhand`, as it is installed: the command; for the farm's centre, nothing of the command."""

import sys

_OURS = ("agent", "coordinator", "protocols", "slicing")
# As for wrong settings: a person has to mend it, and no service manager tries it again.
EXIT_LACKS = 2


def main() -> None:
    """Run a coordinator or, for all else, the command."""
    try:
        if sys.argv[1:2] == ["coordinator"]:
            # The command's libraries would stay in its memory for as long as it lives.
            from coordinator.__main__ import main as run

            sys.exit(run(sys.argv[2:]))
        from coordinator.cli.main import main as command
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] in _OURS:
            raise
        sys.stderr.write(
            f"farmhand: {error.name} is not installed here; pip install 'farmhand[coordinator]' "
            "brings all it needs, and 'farmhand[coordinator,slicing]' what slices models\n"
        )
        sys.exit(EXIT_LACKS)
    command()
