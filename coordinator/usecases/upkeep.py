"""Maintenance: tasks are made, changed and done; what is due, and what was done when."""

from dataclasses import dataclass, replace
from typing import TypedDict

from coordinator.domain import upkeep
from coordinator.domain.effects import Save
from coordinator.domain.history import FarmEvent
from coordinator.domain.upkeep import DONE, Standing, Upkeep
from coordinator.errors import NotFound, Refused
from coordinator.ports import Unit
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import the_printer, writing
from protocols.wire.vocabulary import PrinterId


class UpkeepChanges(TypedDict, total=False):
    """What is said of a task; what is not there stays."""

    name: str
    every_h: float | None
    every_days: float | None
    archived: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepView:
    """A task, how it stands, and the times it was done; the log is empty in lists."""

    task: Upkeep
    standing: Standing
    log: tuple[FarmEvent, ...] = ()


async def make_upkeep(
    farm: Farm,
    printer_id: PrinterId,
    said: UpkeepChanges,
    actor: str,
    origin: str = "",
    *,
    upkeep_id: str = "",
) -> Upkeep:
    """Make a task; it counts from now on.

    Args:
        said: has a `name`, and one of the two intervals at least.
        upkeep_id: what it is to be called; a fresh id where it is empty.

    Raises:
        NotFound: there is no such printer.
        Refused: `no_interval`.
    """
    async with writing(farm, actor, origin) as transaction:
        await the_printer(transaction.unit, printer_id)
        task = Upkeep(
            upkeep_id=upkeep_id or farm.ids.new("upkeep"),
            printer_id=printer_id,
            since=transaction.now,
            created_at=transaction.now,
            **said,
        )
        _check(task)
        await transaction.perform((Save(task), upkeep.note(task, "maintenance.created")))
    return task


async def change_upkeep(
    farm: Farm, upkeep_id: str, said: UpkeepChanges, actor: str, origin: str = ""
) -> Upkeep:
    """Change a task.

    Raises:
        NotFound: there is none.
        Refused: `no_interval`.
    """
    async with writing(farm, actor, origin) as transaction:
        known = await the_upkeep(transaction.unit, upkeep_id)
        task = replace(known, **said, version=known.version + 1)
        _check(task)
        await transaction.perform((Save(task), upkeep.note(task, "maintenance.changed")))
    return task


async def upkeep_done(
    farm: Farm, upkeep_id: str, words: str, actor: str, origin: str = ""
) -> Upkeep:
    """Take a person's word that a task was done now.

    Raises:
        NotFound: there is none.
    """
    async with writing(farm, actor, origin) as transaction:
        unit, now = transaction.unit, transaction.now
        task = await the_upkeep(unit, upkeep_id)
        printed_s = await unit.printed_s(task.printer_id, task.since)
        await transaction.perform(upkeep.done(task, printed_s, now, by=actor, words=words))
        return await the_upkeep(unit, upkeep_id)


async def upkeep_views(
    farm: Farm, printer_id: PrinterId | None = None, *, archived: bool = False
) -> list[UpkeepView]:
    """Return the tasks of a printer, or of all of the farm's, as they stand now."""
    now = farm.clock.now()
    async with farm.store.read() as unit:
        retired = {each.printer_id for each in await unit.printers(retired=True)}
        return [
            UpkeepView(
                task=task,
                standing=upkeep.standing(
                    task, await unit.printed_s(task.printer_id, task.since), now
                ),
            )
            for task in await unit.upkeeps(printer_id, archived=archived)
            if task.printer_id not in retired
        ]


async def upkeep_view(farm: Farm, upkeep_id: str) -> UpkeepView:
    """Return one task with the times it was done, the last one first.

    Raises:
        NotFound: there is none.
    """
    async with farm.store.read() as unit:
        task = await the_upkeep(unit, upkeep_id)
        printed_s = await unit.printed_s(task.printer_id, task.since)
        told = await unit.history("maintenance", upkeep_id)
    return UpkeepView(
        task=task,
        standing=upkeep.standing(task, printed_s, farm.clock.now()),
        log=tuple(event for event in reversed(told) if event.name == DONE),
    )


async def the_upkeep(unit: Unit, upkeep_id: str) -> Upkeep:
    """Return a task; NotFound where there is none."""
    task = await unit.upkeep(upkeep_id)
    if task is None:
        raise NotFound("maintenance", upkeep_id)
    return task


def _check(task: Upkeep) -> None:
    if task.every_h is None and task.every_days is None:
        raise Refused("no_interval", "say after how many hours of printing, or days, it is due")
