"""What agents say, taken in: presence, reports, events, telemetry, results of commands.

Nothing an agent says ends the coordinator: what makes no sense is written down and left.
"""

import structlog

from coordinator.domain import presence as arriving
from coordinator.domain import reports
from coordinator.domain.printers import Printer
from coordinator.ports import Unit
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import Writing, holding_of, writing
from protocols.wire.codec import Message
from protocols.wire.from_agent import CommandResult, Presence, Reported, RunEvent, Telemetry
from protocols.wire.vocabulary import PrinterId

log = structlog.get_logger(__name__)


async def absorb(farm: Farm, message: Message) -> None:
    """Take in one message from an agent; what only coordinators say is left alone.

    Raises:
        Unavailable: the database does not answer; agents say again what matters.
    """
    match message:
        case Telemetry():
            farm.live.absorb(message, farm.clock.now())
        case Reported():
            await _absorb_report(farm, message)
        case RunEvent():
            await _absorb_event(farm, message)
        case Presence():
            await _absorb_presence(farm, message)
        case CommandResult():
            log.info("command.answered", id=message.id, ok=message.ok, code=message.code)
        case _:
            log.debug("message.ignored", kind=message.kind)


async def _absorb_report(farm: Farm, report: Reported) -> None:
    """Read first: most reports change nothing, and then nothing is written."""
    now = farm.clock.now()
    async with farm.store.read() as unit:
        agent = await unit.agent(report.agent_id)
        printer = await unit.printer(report.printer_id)
        if agent is None or agent.boot_id != report.boot_id or printer is None:
            return  # of a process that is gone, or ahead of its presence: it is said again
        effects = reports.absorb_report(await holding_of(unit, printer), report, now)
    if printer.agent_id != report.agent_id or not farm.live.is_news(report):
        return
    farm.live.waits[report.printer_id] = report.waits_for
    refused = reports.refusal(report)
    news = refused is not None and farm.live.first_time(refused[0])
    if not effects and not news:
        return
    async with writing(farm, f"agent:{report.agent_id}") as transaction:
        if refused is not None and news:
            log.warning("desired.refused", printer_id=report.printer_id, reason=refused[1].cause)
            await transaction.perform((refused[1],))
        current = await transaction.unit.printer(report.printer_id)
        if current is not None:
            holding = await holding_of(transaction.unit, current)
            await transaction.perform(reports.absorb_report(holding, report, transaction.now))


async def _absorb_event(farm: Farm, event: RunEvent) -> None:
    async with writing(farm, f"agent:{event.agent_id}") as transaction:
        printer = await transaction.unit.printer(event.printer_id)
        if printer is None:
            return
        holding = await holding_of(transaction.unit, printer, event.run_id)
        await transaction.perform(reports.apply_event(holding, event, transaction.now))


async def _absorb_presence(farm: Farm, presence: Presence) -> None:
    async with writing(farm, f"agent:{presence.agent_id}") as transaction:
        known = await transaction.unit.agent(presence.agent_id)
        if arriving.is_stale(known, presence):
            return
        trouble = arriving.unsupported(presence) if presence.online else None
        online = presence.online and trouble is None
        _, effects = arriving.greet(known, presence, transaction.now, online=online)
        await transaction.perform(effects)
        if farm.live.note_draining(presence):
            await transaction.perform((arriving.draining_note(presence),))
        mine = await transaction.unit.printers(presence.agent_id)
        if not online:
            await transaction.perform(arriving.gone(mine))
            if trouble is not None:
                await _record_unsupported(farm, transaction, presence, trouble)
            return
        admitted = await _without_claimed(farm, transaction, presence)
        holdings = {each.printer_id: await holding_of(transaction.unit, each) for each in mine}
        await transaction.perform(arriving.arrived(admitted, holdings, transaction.now))


async def _record_unsupported(
    farm: Farm, transaction: Writing, presence: Presence, trouble: str
) -> None:
    if farm.live.first_time(("unsupported", presence.agent_id, presence.boot_id)):
        log.error("agent.unsupported", agent_id=presence.agent_id, reason=trouble)
        await transaction.perform((arriving.unsupported_note(presence, trouble),))


async def _without_claimed(farm: Farm, transaction: Writing, presence: Presence) -> Presence:
    """Return the presence without printers that belong to other agents; each is said once."""
    claimed: set[PrinterId] = set()
    for description in presence.printers:
        printer = await _of_another(transaction.unit, presence, description.printer_id)
        if printer is None:
            continue
        claimed.add(printer.printer_id)
        if farm.live.first_time(("claimed", presence.agent_id, printer.printer_id)):
            note = arriving.claimed_twice(printer, presence)
            log.error("printer.claimed_twice", printer_id=printer.printer_id, reason=note.cause)
            await transaction.perform((note,))
    return arriving.without(presence, claimed)


async def _of_another(unit: Unit, presence: Presence, printer_id: PrinterId) -> Printer | None:
    printer = await unit.printer(printer_id)
    return printer if printer is not None and printer.agent_id != presence.agent_id else None
