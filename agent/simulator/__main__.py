"""The `farmhand-printer` command."""

import asyncio
import logging
import sys

import structlog

from agent.errors import SettingsInvalid
from agent.simulator.app import App
from agent.simulator.settings import PrinterSettings, load


def main() -> None:
    """Run one simulated printer until it is told to stop."""
    try:
        settings = load(sys.argv[1:])
        _configure_logs(settings)
        asyncio.run(App(settings).run())
    except SettingsInvalid as error:
        sys.exit(f"farmhand-printer: {error}")
    except OSError as error:
        sys.exit(f"farmhand-printer: {error.filename or 'port'}: {error.strerror}")


def _configure_logs(settings: PrinterSettings) -> None:
    console = settings.log_format == "console" or (
        settings.log_format == "auto" and sys.stderr.isatty()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


if __name__ == "__main__":
    main()
