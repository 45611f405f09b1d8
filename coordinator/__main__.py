"""`python -m coordinator`, `farmhand coordinator`: settings, logs, and the way out.

Exit codes: 0 stopped as asked, 1 it can't run, 2 the settings are wrong.
"""

import asyncio
import os
import sys
from collections.abc import Iterator, Sequence

from coordinator import resident

resident.keep_out()

from coordinator import logs, settings  # noqa: E402
from coordinator.errors import FarmError, SettingsInvalid  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a coordinator and return its exit code; what went wrong is one sentence on stderr."""
    try:
        given = sys.argv[1:] if arguments is None else arguments
        chosen = settings.load(given)
        os.umask(0o077)  # what lies in the state folder is nobody else's business
        ring = logs.configure(form=chosen.log_format, level=chosen.log_level)
        # Late, so that a wrong setting is told at once: the libraries take a second on a Pi.
        from coordinator.adapters.outbound import late_trust

        late_trust.postpone()  # first of all, for what it frees the others take
        from coordinator.app import run
        from coordinator.machine_wiring import machine_of
        from coordinator.setting_origins import origins

        resident.slim()
        asyncio.run(run(chosen, machine_of(chosen, ring, origins(given))))
    except SettingsInvalid as error:
        return _failed(error, code=2)
    except FarmError as error:
        return _failed(error, code=1)
    except ExceptionGroup as group:
        told = next((error for error in _leaves(group) if isinstance(error, FarmError)), None)
        if told is None:
            raise
        return _failed(told, code=1)
    return 0


def _failed(error: FarmError, *, code: int) -> int:
    sys.stderr.write(f"farmhand coordinator: {error}\n")
    return code


def _leaves(group: ExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


if __name__ == "__main__":
    sys.exit(main())
