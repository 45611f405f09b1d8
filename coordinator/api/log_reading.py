"""The routes of the coordinator's own log: its last lines, and what it says how often."""

from typing import Any, Literal

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from coordinator.api.asking import asked
from coordinator.api.operating import MACHINE
from coordinator.api.queries import LIMIT, LIMIT_MAX, Count, Query, Word
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.api.times import Time
from coordinator.domain.access import Permission
from coordinator.domain.history import moment
from coordinator.log_ring import LogLine, LogQuestion

Level = Literal["debug", "info", "warning", "error", "critical"]


class LogsQuery(Query):
    """Which lines of the log; of those that were said with all of the given ids."""

    after: Count = Field(default=0, description="`next` of the page before")
    limit: int = Field(default=LIMIT, ge=1, le=LIMIT_MAX)
    last: int | None = Field(default=None, ge=1, le=LIMIT_MAX, description="the newest so many")
    level: Level = Field(default="debug", description="this or more weight")
    event: Word = Field(default="", description="only what is called so: `job.received`")
    since: Time | None = None
    job: Word = ""
    run: Word = ""
    printer: Word = ""
    agent: Word = ""
    request: Word = Field(default="", description="`X-Request-Id` of an answer")


class SummaryQuery(Query):
    """What is to be counted."""

    level: Level = Field(default="debug", description="this or more weight")
    since: Time | None = None


class LogLineDocument(TypedDict):
    """One line of the log; `number` counts the lines of one process of the coordinator."""

    number: int
    at: str
    level: Level
    event: str
    logger: str
    facts: dict[str, Any]


class LogPage(TypedDict):
    """Lines in order; `next` is the cursor to give as `after`, `first` the oldest that is kept."""

    items: list[LogLineDocument]
    next: int
    first: int


class EventCountDocument(TypedDict):
    """How often something was said, and when last."""

    event: str
    level: Level
    count: int
    last_at: str


class LogSummaryDocument(TypedDict):
    """What is said how often, the most frequent first."""

    lines: int
    levels: dict[str, int]
    events: list[EventCountDocument]


async def list_log_lines(request: web.Request) -> web.Response:
    """Return the last lines of the coordinator's log, as far as they are kept in its memory."""
    query, ring = asked(request, LogsQuery), request.app[MACHINE].log
    named = {
        "job_id": query.job,
        "run_id": query.run,
        "printer_id": query.printer,
        "agent_id": query.agent,
        "request_id": query.request,
    }
    question = LogQuestion(
        # Numbers begin anew with each process: who asks on after a restart gets what there is.
        after=query.after if query.after <= ring.last else 0,
        level=query.level,
        event=query.event,
        since=query.since,
        facts={name: value for name, value in named.items() if value},
    )
    upto = ring.last
    lines = ring.read(question, limit=query.last or query.limit, newest=query.last is not None)
    # All up to there was looked at, unless the page is full.
    is_full = query.last is None and len(lines) == query.limit
    return web.json_response(
        {
            "items": [_line_document(line) for line in lines],
            "next": lines[-1].number if lines and is_full else max(upto, question.after),
            "first": ring.first,
        }
    )


async def summarize_log(request: web.Request) -> web.Response:
    """Return how often each event was logged, and how many lines of each level."""
    query = asked(request, SummaryQuery)
    counts = request.app[MACHINE].log.counts(LogQuestion(level=query.level, since=query.since))
    levels: dict[str, int] = {}
    for each in counts:
        levels[each.level] = levels.get(each.level, 0) + each.count
    return web.json_response(
        {
            "lines": sum(levels.values()),
            "levels": levels,
            "events": [
                {
                    "event": each.event,
                    "level": each.level,
                    "count": each.count,
                    "last_at": moment(each.last_at),
                }
                for each in counts
            ],
        }
    )


def _line_document(line: LogLine) -> dict[str, Any]:
    return {
        "number": line.number,
        "at": moment(line.at),
        "level": line.level,
        "event": line.event,
        "logger": line.logger,
        "facts": dict(line.facts),
    }


_LOGS = f"{API_ROOT}/logs"

ROUTES = (
    Route(
        method="GET",
        path=_LOGS,
        handler=list_log_lines,
        needs=Permission.FARM_ADMIN,
        asks=LogsQuery,
        gives=LogPage,
    ),
    Route(
        method="GET",
        path=f"{_LOGS}/summary",
        handler=summarize_log,
        needs=Permission.FARM_ADMIN,
        asks=SummaryQuery,
        gives=LogSummaryDocument,
    ),
)
