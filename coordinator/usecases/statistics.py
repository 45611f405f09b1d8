"""Statistics: the history played into spells now and then, and figures whenever somebody asks."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime

from coordinator.domain import statistics as figuring
from coordinator.domain.printers import Printer
from coordinator.domain.standing import FIELDS, RETIRED, Changed, SpellSum, play, still
from coordinator.domain.statistics import (
    OF_PRINTERS,
    By,
    Figures,
    Reason,
    RunEntry,
    Span,
)
from coordinator.ports import Unit
from coordinator.usecases.farm import Farm
from protocols.wire.vocabulary import PrinterId, RunId

# So many lines of history are read and played in some 10 ms.
LINES_AT_ONCE = 1000
ENTRIES_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What a farm did in a span.

    Attributes:
        names: what people call a key, where it is an id: of printers and models.
    """

    span: Span
    by: By
    total: Figures
    figures: tuple[Figures, ...]
    names: dict[str, str]
    reasons: tuple[Reason, ...]


async def play_history(farm: Farm) -> None:
    """Play what history tells of printers since the last time into spells."""
    more = True
    while more:
        more = await _play_some(farm)
        await asyncio.sleep(0)  # others have their turn


async def _play_some(farm: Farm) -> bool:
    """Play some lines; tell whether there may be more."""
    async with farm.store.read() as unit:
        before, head = await unit.played_upto(), await unit.head()
        if head.number <= before:
            return False
        standings = dict(await unit.standings())
        checkpoint = await unit.checkpoint()
        lines: list[Changed] = []
        after = before
        if checkpoint is not None and checkpoint.number > before:
            after, standings = checkpoint.number, {}
            lines += await _kept(unit, farm.clock.now())
        upto = min(head.number, after + LINES_AT_ONCE)
        told = await unit.printer_lines(after=after, upto=upto)
    if lines:
        # What happened between the two is archived; from the first line on it is known again.
        begun = told[0].at if told else farm.clock.now()
        lines = [replace(line, at=begun) for line in lines]
    changed, spells = play(standings, [*lines, *told])
    async with farm.store.write() as unit:
        kept = await unit.save_played(list(changed.values()), spells, before=before, upto=upto)
    return kept and upto < head.number


async def _kept(unit: Unit, now: datetime) -> list[Changed]:
    """Return how printers were when their history was archived."""
    return [
        Changed(
            at=now,
            printer_id=PrinterId(subject_id),
            changes={name: row[name] for name in (*FIELDS, RETIRED) if name in row},
        )
        async for page in unit.kept_rows()
        for (subject, subject_id), (row, _) in page
        if subject == "printer"
    ]


async def statistics(farm: Farm, span: Span, by: By, *, offset_min: int = 0) -> Statistics:
    """Return what the farm did in a span, told apart by something.

    Args:
        offset_min: by how many minutes the days and months of who asks are ahead of UTC.
    """
    await play_history(farm)
    async with farm.store.read() as unit:
        tallies = await unit.tallies(by, span, offset_min=offset_min)
        spells = await _spells(unit, span, farm.clock.now())
        printers = await unit.printers(retired=None)
        reasons = figuring.reasons(await unit.reasons(span))
        keys = {str(printer.printer_id): _key(printer, by) for printer in printers}
        found = figuring.figures(tallies, spells, keys if by in OF_PRINTERS else {})
        names = await _names(unit, by, found, printers)
    return Statistics(
        span=span,
        by=by,
        total=figuring.total(tallies, spells),
        figures=tuple(found),
        names=names,
        reasons=tuple(reasons),
    )


async def run_entries(farm: Farm, span: Span) -> AsyncIterator[RunEntry]:
    """Yield every run that ended in a span, in the order of their ends."""
    after: tuple[datetime, RunId] | None = None
    while True:
        # A transaction for each page: who reads slowly holds none.
        async with farm.store.read() as unit:
            page = await unit.run_entries(span, after=after, limit=ENTRIES_AT_ONCE)
        for entry in page:
            yield entry
        if len(page) < ENTRIES_AT_ONCE:
            return
        after = (page[-1].ended_at, page[-1].run_id)


async def _spells(unit: Unit, span: Span, now: datetime) -> list[SpellSum]:
    lasting = (
        still(standing, span.since, span.until, now)
        for standing in (await unit.standings()).values()
    )
    return [*await unit.spell_sums(span), *(each for each in lasting if each is not None)]


def _key(printer: Printer, by: By) -> str:
    match by:
        case By.GROUP:
            return printer.printer_group
        case By.CLASS:
            return printer.printer_class
        case _:
            return printer.printer_id


async def _names(
    unit: Unit, by: By, found: list[Figures], printers: list[Printer]
) -> dict[str, str]:
    if by is By.PRINTER:
        return {printer.printer_id: printer.name for printer in printers}
    if by is By.MODEL:
        models = [await unit.model(each.key) for each in found if each.key]
        return {model.model_id: model.name for model in models if model is not None}
    return {}
