"""What agents say, taken in: presence, reports, events, telemetry, results of commands.

Nothing an agent says ends the coordinator: what makes no sense is written down and left.
"""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field

import structlog

from coordinator.domain import cloning, reports
from coordinator.domain import presence as arriving
from coordinator.domain.cloning import Boots
from coordinator.ports import Unit
from coordinator.usecases.ahead import lose_staged, permit_staged
from coordinator.usecases.commanding import answered
from coordinator.usecases.evidence import with_evidence
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import Writing, holding_of, the_printer, writing
from coordinator.usecases.speaking_of import ids_of
from protocols.wire.codec import Message
from protocols.wire.from_agent import CommandResult, Presence, Reported, RunEvent, Telemetry
from protocols.wire.vocabulary import AgentId, PrinterId

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Hearing:
    """Messages being taken in, and what the short memory took over from them so far."""

    farm: Farm
    transaction: Writing
    heard: list[Reported] = field(default_factory=list)
    said: list[Hashable] = field(default_factory=list)
    boots_before: dict[AgentId, Boots] = field(default_factory=dict)

    def first_time(self, what: Hashable) -> bool:
        """Whether this is asked for the first time."""
        first = self.farm.live.first_time(what)
        if first:
            self.said.append(what)
        return first

    def is_news(self, report: Reported) -> bool:
        """Whether a report is younger than all before it of the same boot."""
        news = self.farm.live.is_news(report)
        if news:
            self.heard.append(report)
        return news

    def are_two(self, presence: Presence) -> bool:
        """Whether two processes go by this agent's name; then they are counted anew."""
        known = self.farm.live.boots.get(presence.agent_id, Boots())
        self.boots_before.setdefault(presence.agent_id, known)
        boots = cloning.presented(known, presence)
        two = cloning.are_two(boots)
        self.farm.live.boots[presence.agent_id] = Boots() if two else boots
        return two

    def undo(self) -> None:
        """Forget what the short memory took over: the store has nothing of it."""
        for report in self.heard:
            self.farm.live.unhear(report)
        for what in self.said:
            self.farm.live.unsay(what)
        self.farm.live.boots.update(self.boots_before)


async def absorb(farm: Farm, *messages: Message) -> None:
    """Take in messages from agents, in order and in one transaction: all of them or none.

    What only coordinators say is left alone. The loop gets its turn between messages.

    Raises:
        Unavailable: the database does not answer; the same messages may be given again.
    """
    waiting = [message for message in messages if not _passes(farm, message)]
    if not waiting:
        return
    hearing = None
    try:
        async with writing(farm, "farm") as transaction:
            hearing = _Hearing(farm, transaction)
            for message in waiting:
                await _take(hearing, message)
                await asyncio.sleep(0)
    except BaseException:
        if hearing is not None:
            hearing.undo()
        raise


def _passes(farm: Farm, message: Message) -> bool:
    """Take in what is true only now, or nobody's business; whether that is all."""
    match message:
        case Telemetry():
            farm.live.absorb(message, farm.clock.now())
        case CommandResult():
            answered(farm, message)
        case Reported() | RunEvent() | Presence():
            return False
        case _:
            log.debug("message.ignored", kind=message.kind)
    return True


async def _take(hearing: _Hearing, message: Message) -> None:
    with structlog.contextvars.bound_contextvars(**ids_of(message)):
        match message:
            case Reported():
                await _absorb_report(hearing, message)
            case RunEvent():
                await _absorb_event(hearing, message)
            case Presence():
                await _absorb_presence(hearing, message)


async def _absorb_report(hearing: _Hearing, report: Reported) -> None:
    farm, transaction = hearing.farm, hearing.transaction
    agent = await transaction.unit.agent(report.agent_id)
    printer = await transaction.unit.printer(report.printer_id)
    if agent is None or agent.boot_id != report.boot_id or printer is None:
        return  # of a process that is gone, or ahead of its presence: it is said again
    if printer.retired_at is not None:
        return
    if printer.agent_id != report.agent_id or not hearing.is_news(report):
        return
    transaction.actor = f"agent:{report.agent_id}"
    transaction.origin = f"report {report.sequence} of {report.boot_id}"
    farm.live.waits[report.printer_id] = report.waits_for
    farm.live.findings[report.printer_id] = report.findings
    farm.live.news.tell((("sample", report.printer_id),))
    refused = reports.refusal(report)
    if refused is not None and hearing.first_time(refused[0]):
        log.warning("desired.refused", reason=refused[1].cause)
        await transaction.perform((refused[1],))
    if printer.staged and reports.is_behind(printer, report):
        await lose_staged(transaction, printer.printer_id, "the database is an older copy")
        printer = await the_printer(transaction.unit, printer.printer_id)
    holding = await holding_of(transaction.unit, printer)
    effects = reports.absorb_report(holding, report, transaction.now)
    await transaction.perform(with_evidence(effects, hearing.farm.live))
    await permit_staged(transaction, report)


async def _absorb_event(hearing: _Hearing, event: RunEvent) -> None:
    transaction = hearing.transaction
    printer = await transaction.unit.printer(event.printer_id)
    if printer is None:
        return
    transaction.actor = f"agent:{event.agent_id}"
    transaction.origin = f"event {event.number} of {event.journal_id}"
    holding = await holding_of(transaction.unit, printer, event.run_id)
    effects = reports.apply_event(holding, event, transaction.now)
    await transaction.perform(with_evidence(effects, hearing.farm.live))


async def _absorb_presence(hearing: _Hearing, presence: Presence) -> None:
    farm, transaction = hearing.farm, hearing.transaction
    known = await transaction.unit.agent(presence.agent_id)
    if arriving.is_stale(known, presence) or await _is_shut_out(transaction.unit, presence):
        return
    transaction.actor = f"agent:{presence.agent_id}"
    transaction.origin = f"presence of {presence.boot_id}"
    trouble = arriving.unsupported(presence) if presence.online else None
    online = presence.online and trouble is None
    _, effects = arriving.greet(known, presence, transaction.now, online=online)
    await transaction.perform(effects)
    if farm.live.note_presence(presence):
        await transaction.perform((arriving.draining_note(presence),))
    farm.live.news.tell((("host", presence.agent_id),))  # its printers tell why they are away
    mine = await transaction.unit.printers(presence.agent_id)
    if not online:
        await transaction.perform(arriving.gone(mine))
        if trouble is not None:
            await _record_unsupported(hearing, presence, trouble)
        return
    admitted = await _without_claimed(hearing, presence)
    renewed = [each for each in mine if each.journal_id != presence.journal_id]
    for each in renewed:
        await lose_staged(transaction, each.printer_id, arriving.MEMORY_IS_NEW)
    if renewed:
        mine = await transaction.unit.printers(presence.agent_id)
    holdings = {each.printer_id: await holding_of(transaction.unit, each) for each in mine}
    effects = arriving.arrived(admitted, holdings, transaction.now)
    await transaction.perform(with_evidence(effects, hearing.farm.live))
    if hearing.are_two(presence):
        log.error("agent.cloned")
        mine = await transaction.unit.printers(presence.agent_id)
        await transaction.perform(cloning.refused(mine, presence))
    for description in admitted.printers:
        farm.live.owners[description.printer_id] = presence.agent_id
        farm.live.commands[description.printer_id] = description.commands


async def _is_shut_out(unit: Unit, presence: Presence) -> bool:
    """Whether an agent comes that was revoked or retired: a broker may still retain it."""
    known = await unit.agent(presence.agent_id)
    if known is not None and known.retired_at is not None:
        return True
    credential = await unit.agent_credential(presence.agent_id)
    return presence.online and credential is not None and not credential.good


async def _record_unsupported(hearing: _Hearing, presence: Presence, trouble: str) -> None:
    if hearing.first_time(("unsupported", presence.agent_id, presence.boot_id)):
        log.error("agent.unsupported", reason=trouble)
        await hearing.transaction.perform((arriving.unsupported_note(presence, trouble),))


async def _without_claimed(hearing: _Hearing, presence: Presence) -> Presence:
    """Return the presence without printers that are retired, or belong to other agents.

    Those of others are said once each.
    """
    claimed: set[PrinterId] = set()
    unit, live = hearing.transaction.unit, hearing.farm.live
    before = {its_id for its_id, who in live.retired_reported.items() if who == presence.agent_id}
    for printer_id in before:
        del live.retired_reported[printer_id]
    for description in presence.printers:
        known = await unit.printer(description.printer_id)
        if known is not None and known.retired_at is not None:
            live.retired_reported[known.printer_id] = presence.agent_id
            claimed.add(known.printer_id)
            continue
        if known is None or known.agent_id == presence.agent_id:
            continue
        claimed.add(known.printer_id)
        if hearing.first_time(("claimed", presence.agent_id, known.printer_id)):
            note = arriving.claimed_twice(known, presence)
            log.error("printer.claimed_twice", printer_id=known.printer_id, reason=note.cause)
            await hearing.transaction.perform((note,))
    for printer_id in before.difference(live.retired_reported):
        live.retired_words.pop(printer_id, None)
    return arriving.without(presence, claimed)
