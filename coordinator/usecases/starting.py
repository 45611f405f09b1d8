"""After a start, or a new session with the broker: nothing is taken for granted."""

from dataclasses import replace

from coordinator.domain import jobs
from coordinator.domain.effects import Effects, Poke, Save, Say, Work
from coordinator.domain.jobs import JobEvent, JobState
from coordinator.domain.presence import gone
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import writing


async def recover(farm: Farm) -> None:
    """Take up the work of the coordinator before: safe to call at any time, but meant for starts.

    What was being sliced is sliced anew, nobody is online before they say so, and every printer's
    document is said again.
    """
    async with writing(farm, "farm", "start") as transaction:
        unit = transaction.unit
        effects: Effects = (Poke(Work.PREPARE), Poke(Work.SLICE), Poke(Work.DISPATCH))
        for job in await unit.jobs((JobState.PREPARING,)):
            effects += jobs.advance(job, JobEvent.INTERRUPT, transaction.now)[1]
        for agent in await unit.agents():
            # Its time begins now: a lease should not expire because we were away.
            effects += (Save(replace(agent, online=False, seen_at=transaction.now)),)
        printers = await unit.printers()
        effects += gone(printers)
        effects += tuple(Say(printer.printer_id) for printer in printers)
        await transaction.perform(effects)
    farm.live.owners.update((printer.printer_id, printer.agent_id) for printer in printers)


async def repeat_desired(farm: Farm) -> None:
    """Have every document said again: a broker may have forgotten what it kept."""
    async with writing(farm, "farm", "repeat") as transaction:
        printers = await transaction.unit.printers()
        await transaction.perform(tuple(Say(printer.printer_id) for printer in printers))
