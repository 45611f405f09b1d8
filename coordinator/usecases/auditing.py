"""The history, read: who did what, when and why; and whether all of it can be trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from coordinator.domain.history import Head, Line, Row, Thing
from coordinator.domain.rebuilding import Audit, Fault, FaultCode, end, link
from coordinator.errors import Refused
from coordinator.ports import Unit
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import the_job, the_printer
from protocols.wire.vocabulary import JobId, PrinterId

log = structlog.get_logger(__name__)

# So many lines are looked at with every start: enough for what a crash or a hasty hand left.
TAIL_LINES = 200
LINES_MAX = 1000
# Between two pages others get their turn: this many take some ten milliseconds.
_PAGE_LINES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which lines of history somebody wants.

    Attributes:
        after: the number of the last line they have.
        last: only so many of the newest; None for the oldest first, up to `limit`.
        job_id: with its plates and runs; `printer_id` with its runs.
    """

    after: int = 0
    last: int | None = None
    limit: int = 100
    job_id: JobId | None = None
    printer_id: PrinterId | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of an audit.

    Attributes:
        head: where the history ends; whoever keeps it can prove later what was here today.
        faults: the first ones; none where all is well.
        faults_count: how many there are.
        rows_count: how many rows of the tables were compared.
    """

    head: Head
    faults: Sequence[Fault]
    faults_count: int
    rows_count: int


async def events(farm: Farm, question: Question) -> list[Line]:
    """Return lines of history, oldest first.

    Raises:
        NotFound: there is no such job or printer.
        Refused: more are wanted than are given at once.
    """
    wanted = question.limit if question.last is None else question.last
    if not 1 <= wanted <= LINES_MAX:
        raise Refused("limit_out_of_range", f"1 to {LINES_MAX} events are given at once")
    async with farm.store.read() as unit:
        if question.job_id is not None:
            await the_job(unit, question.job_id)
        if question.printer_id is not None:
            await the_printer(unit, question.printer_id)
        return await unit.events(
            limit=wanted,
            after=question.after,
            newest=question.last is not None,
            job_id=question.job_id,
            printer_id=question.printer_id,
            since=question.since,
        )


async def verify(farm: Farm, known: Head | None = None) -> Verdict:
    """Read the whole history, rebuild the farm from it, and compare that with the tables.

    Args:
        known: where the history ended once, as somebody kept it: it must have been there.
    """
    audit = Audit(known=known)
    async with farm.store.read() as unit:
        while lines := await unit.events(after=audit.head.number, limit=_PAGE_LINES):
            for line in lines:
                audit.take(line)
        audit.finish(await unit.head())
        stored = await _rows(unit, audit)
        audit.compare(stored)
    farm.live.history_trouble = _words(audit.faults)
    return Verdict(
        head=audit.head,
        faults=tuple(audit.faults),
        faults_count=audit.faults_count,
        rows_count=len(stored),
    )


async def check_tail(farm: Farm) -> None:
    """Look at the newest lines, as every start does; what is wrong goes to log and health.

    A history that was tampered with is no reason to stand still: printers print, and people have
    to be told.
    """
    async with farm.store.read() as unit:
        lines = await unit.events(limit=TAIL_LINES + 1, newest=True)
        kept = await unit.head()
    faults: list[Fault] = []
    last = Head()
    if len(lines) > TAIL_LINES:
        last = Head(number=lines[0].number, hash=lines.pop(0).hash)
    for line in lines:
        faults += link(last, line)
        last = Head(number=line.number, hash=line.hash)
    faults += end(last, kept)
    farm.live.history_trouble = _words(faults)
    if faults:
        log.error("history.broken", reason=faults[0].words, number=faults[0].number)


async def _rows(unit: Unit, audit: Audit) -> Mapping[Thing, Row]:
    """Return the tables' rows; none where one of them holds what can't be a value of its column."""
    try:
        return await unit.rows()
    except ValueError as error:
        audit.found(FaultCode.UNREADABLE, f"a table holds what can't be read: {error}")
        return {}


def _words(faults: Sequence[Fault]) -> str:
    """Return what is wrong, for health; empty where nothing is."""
    return f"{faults[0].words}: see `farmhand events verify`" if faults else ""
