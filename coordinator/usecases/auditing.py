"""The history, read: who did what, when and why; and whether all of it can be trusted."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from coordinator.domain.history import ANY_LINE, Head, Line, LinesMeant
from coordinator.domain.rebuilding import Audit, Fault, FaultCode, end, link
from coordinator.domain.sealing import Checkpoint
from coordinator.errors import NotFound, Refused
from coordinator.ports import Unit
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import the_job
from protocols.wire.vocabulary import JobId, PrinterId

log = structlog.get_logger(__name__)

# So many lines are looked at with every start: enough for what a crash or a hasty hand left.
TAIL_LINES = 200
LINES_MAX = 1000
# Between two pages others get their turn: this many take some ten milliseconds.
PAGE_LINES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which lines of history somebody wants.

    Attributes:
        after: the number of the last line they have.
        last: only so many of the newest; None for the oldest first, up to `limit`.
        job_id: with its plates and runs; `printer_id` with its runs.
        meant: what else is asked of them.
    """

    after: int = 0
    last: int | None = None
    limit: int = 100
    job_id: JobId | None = None
    printer_id: PrinterId | None = None
    since: datetime | None = None
    meant: LinesMeant = ANY_LINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of an audit.

    Attributes:
        head: where the history ends; whoever keeps it can prove later what was here today.
        checkpoint: behind which it begins; archives have what is before.
        faults: the first ones; none where all is well.
        faults_count: how many there are.
        rows_count: how many rows of the tables were compared.
    """

    head: Head
    checkpoint: Checkpoint | None
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
        printer_id = question.printer_id  # perhaps of one that is retired
        if printer_id is not None and await unit.printer(printer_id) is None:
            raise NotFound("printer", printer_id)
        return await unit.events(
            limit=wanted,
            after=question.after,
            newest=question.last is not None,
            job_id=question.job_id,
            printer_id=question.printer_id,
            since=question.since,
            meant=question.meant,
        )


async def verify(farm: Farm, known: Head | None = None) -> Verdict:
    """Read the whole history, rebuild the farm from it, and compare that with the tables.

    What is in archives is not read: the checkpoint stands for it. Takes as little memory for a
    million events as for a thousand.

    Args:
        known: where the history ended once, as somebody kept it: it must have been there.

    Raises:
        Refused: that was so long ago that only an archive can tell.
    """
    with farm.store.scratch() as rebuilt:
        audit = Audit(known=known, rows=rebuilt)
        async with farm.store.read() as unit:
            checkpoint = await begin(audit, unit)
            if known is not None and checkpoint is not None and known.number < checkpoint.number:
                words = f"event {known.number} is in an archive: give that one to `events verify`"
                raise Refused("head_archived", words)
            await take_lines(audit, unit)
            audit.finish(await unit.head())
            rows_count = await _compare(audit, unit)
    farm.live.history_trouble = _words(audit.faults)
    return Verdict(
        head=audit.head,
        checkpoint=checkpoint,
        faults=tuple(audit.faults),
        faults_count=audit.faults_count,
        rows_count=rows_count,
    )


async def begin(audit: Audit, unit: Unit) -> Checkpoint | None:
    """Begin an audit where the sealed part ends, if there is one; return the checkpoint."""
    checkpoint = await unit.checkpoint()
    if checkpoint is not None:
        async for page in unit.kept_rows():
            for thing, told in page:
                audit.rows.put(thing, told)
            await others_turn()
        audit.begin(checkpoint)
    return checkpoint


async def take_lines(audit: Audit, unit: Unit, *, upto: int | None = None) -> None:
    """Have an audit read all lines that are left to it, or those up to a number."""
    while True:
        left = PAGE_LINES if upto is None else min(PAGE_LINES, upto - audit.head.number)
        if left <= 0 or not (lines := await unit.events(after=audit.head.number, limit=left)):
            return
        for line in lines:
            audit.take(line)
        await others_turn()


async def others_turn() -> None:
    """Let the loop do what else is due: nothing else here waits for anything."""
    await asyncio.sleep(0)


async def check_tail(farm: Farm) -> None:
    """Look at the newest lines, as every start does; what is wrong goes to log and health.

    A history that was tampered with is no reason to stand still: printers print, and people have
    to be told.
    """
    async with farm.store.read() as unit:
        checkpoint = await unit.checkpoint()
        last = checkpoint.head if checkpoint is not None else Head()
        lines = await unit.events(limit=TAIL_LINES + 1, newest=True, after=last.number)
        kept = await unit.head()
    faults: list[Fault] = []
    if len(lines) > TAIL_LINES:
        last = Head(number=lines[0].number, hash=lines.pop(0).hash)
    for line in lines:
        faults += link(last, line)
        last = Head(number=line.number, hash=line.hash)
    faults += end(last, kept)
    farm.live.history_trouble = _words(faults)
    if faults:
        log.error("history.broken", reason=faults[0].words, number=faults[0].number)


async def _compare(audit: Audit, unit: Unit) -> int:
    """Hold the tables' rows against the history's; return how many they are.

    Where one of them holds what can't be a value of its column, that is the fault, and no other.
    """
    count = 0
    try:
        async for page in unit.rows():
            audit.compare(page)
            count += len(page)
            await others_turn()
    except ValueError as error:
        audit.found(FaultCode.UNREADABLE, f"a table holds what can't be read: {error}")
        return count
    audit.compare_rest()
    return count


def _words(faults: Sequence[Fault]) -> str:
    """Return what is wrong, for health; empty where nothing is."""
    return f"{faults[0].words}: see `farmhand events verify`" if faults else ""
