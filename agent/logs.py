"""Logs: for people on a terminal, JSON otherwise, and never a secret."""

import logging
import sys
from collections.abc import Iterable, MutableMapping
from types import TracebackType
from typing import Any, Literal

import structlog

from agent.subjects import add_ids

_SECRET_NAMES = ("token", "password", "secret", "authorization")
_HIDDEN = "***"


def configure(
    *, log_format: Literal["auto", "console", "json"], log_level: str, secrets: Iterable[str]
) -> None:
    """Set up structlog, and the standard library's logging through it.

    Args:
        log_format: `auto` is console on a terminal.
        log_level: what is below it is not even built.
        secrets: texts that are blotted out wherever they turn up.
    """
    level = logging.getLevelNamesMapping()[log_level.upper()]
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        add_ids,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    blotter = Blotter(secrets)
    last: list[structlog.typing.Processor]
    if console:
        last = [blotter, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    else:
        # What an error says may hold a secret too.
        last = [structlog.processors.format_exc_info, blotter, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*before, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    sys.excepthook = _uncaught


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say why the process ends as every other line of its log is said."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger().critical("process.crashed", exc_info=(kind, error, trace))


class Blotter:
    """A processor that hides secrets by the name of their key and by their text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Short texts are left alone: they would blot out half a log."""
        self._secrets = [secret for secret in secrets if len(secret) >= 6]

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Return the event without secrets."""
        for name, value in event.items():
            if any(word in name.lower() for word in _SECRET_NAMES):
                event[name] = _HIDDEN
            elif isinstance(value, str):
                for secret in self._secrets:
                    value = value.replace(secret, _HIDDEN)
                event[name] = value
        return event
