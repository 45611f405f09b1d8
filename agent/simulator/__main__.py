"""The `farmhand-printer` command."""

import asyncio
import sys
from types import ModuleType
from typing import cast

# structlog loads rich for prettier tracebacks where it is installed.
sys.modules.setdefault("rich", cast(ModuleType, None))

from agent.errors import SettingsInvalid  # noqa: E402
from agent.logs import configure  # noqa: E402
from agent.simulator.app import App  # noqa: E402
from agent.simulator.settings import load  # noqa: E402


def main() -> int:
    """Run one simulated printer until it is told to stop.

    Returns:
        0 after SIGTERM or SIGINT, 1 where port or file can't be had, 2 for wrong settings.
    """
    try:
        settings = load(sys.argv[1:])
        configure(log_format=settings.log_format, log_level=settings.log_level, secrets=())
        asyncio.run(App(settings).run())
    except SettingsInvalid as error:
        sys.stderr.write(f"farmhand-printer: {error}\n")
        return 2
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"farmhand-printer: {what}{error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
