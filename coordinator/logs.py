"""How the coordinator logs: for people on a terminal, as JSON lines otherwise."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, TextIO

import structlog

from coordinator.log_ring import LogRing

# Libraries that would tell of every message at level info.
_QUIET = ("aiosqlite", "alembic", "apscheduler", "asyncio", "mqtt", "sqlalchemy.engine")
# The modules of what the HTTP library finds wrong with a request, its head or its body.
_OF_STRANGERS = ("aiohttp.http_exceptions", "aiohttp.web_protocol")
_SECRET_WORDS = ("password", "token", "secret", "authorization", "credential")


def configure(
    *, form: Literal["auto", "console", "json"], level: str, stream: TextIO = sys.stderr
) -> LogRing:
    """Set up logging of ours and of libraries, and of exceptions that nobody caught.

    Returns:
        The last lines, as they come, whatever form they have on the stream.
    """
    as_json: list[structlog.typing.Processor] = [
        structlog.processors.ExceptionRenderer(
            # Without the values of variables, of which the library shows all: tokens too.
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        ),
        structlog.processors.JSONRenderer(default=str),
    ]
    console = form == "console" or (form == "auto" and stream.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    if console:
        last: list[structlog.typing.Processor] = [
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        ]
    else:
        last = as_json
    handler, ring = logging.StreamHandler(stream), LogRing()
    for each, processors in ((handler, last), (ring, as_json)):
        each.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=shared,
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *processors,
                ],
            )
        )
    root = logging.getLogger()
    root.handlers[:] = [handler, ring]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.getLogger("aiohttp.server").addFilter(is_ours)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    sys.excepthook = _uncaught
    return ring


def is_ours(record: logging.LogRecord) -> bool:
    """Whether a record is about us, and not that somebody spoke no HTTP: they could fill a log."""
    error = record.exc_info[1] if record.exc_info else None
    return type(error).__module__ not in _OF_STRANGERS


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Replace the values of keys that sound secret: what is not logged can't leak."""
    for key in event:
        if any(word in key.lower() for word in _SECRET_WORDS):
            event[key] = "***"
    return event


def _uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger(__name__).critical("process.crashed", exc_info=(kind, error, trace))
