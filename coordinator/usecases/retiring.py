"""Printers and agents retired and taken back; what is retired, and who speaks of it still."""

from contextlib import suppress
from dataclasses import dataclass

import structlog

from coordinator.domain import enrolment, retiring, stock
from coordinator.domain.printers import Agent, Printer
from coordinator.domain.stock import SpoolsWanted
from coordinator.errors import NotFound, NotNow, Refused, Unavailable
from coordinator.usecases.commanding import command_agent
from coordinator.usecases.enrolling import tell_broker
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import Writing, writing
from protocols.wire.vocabulary import AgentId, PrinterId

log = structlog.get_logger(__name__)

CONFIGURED = "its agent's configuration names it: take its [[printers]] table out there"
ASKED = "all agents are being asked; its page tells what to do if none of them has it"
AWAY = "its agent is away: it is not heard of this printer, and asked to let it go once it is back"
UNASKED = "its agent speaks of it still, and will be asked to let it go"

# An agent that can answer does within one; who does not is asked again by `let_go`.
LET_GO_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredPrinter:
    """A printer that left the farm.

    Attributes:
        reported_by: the agent that speaks of it still; None where nobody does.
        words: what remains to be done so that nobody does; empty where nothing remains.
    """

    printer: Printer
    reported_by: AgentId | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """All that left the farm, by id."""

    printers: tuple[RetiredPrinter, ...]
    agents: tuple[Agent, ...]


async def retire_printer(
    farm: Farm, printer_id: PrinterId, actor: str, origin: str = ""
) -> RetiredPrinter:
    """Take a printer out of the farm for good; its history stays.

    An agent that got it from the farm lets it go; one whose configuration names it can't. Who gives
    no answer is not waited for: what is still to happen is said, and `let_go` sees to it.

    Raises:
        NotFound, NotNow: as `retiring.retire`.
    """
    async with writing(farm, actor, origin) as transaction:
        await _retire(transaction, printer_id)
        agent_id = (await _retired(transaction, printer_id)).agent_id
        agent = await transaction.unit.agent(agent_id)
    _forget(farm, printer_id)
    words = await _let_go(farm, agent_id, printer_id) if agent and agent.online else AWAY
    async with farm.store.read() as unit:
        printer = await unit.printer(printer_id)
    assert printer is not None, "rows stay"
    return RetiredPrinter(printer=printer, reported_by=agent_id if words else None, words=words)


async def restore_printer(
    farm: Farm, printer_id: PrinterId, actor: str, origin: str = ""
) -> RetiredPrinter:
    """Take a retired printer back; agents are asked who has it.

    Raises:
        NotFound: no such printer is retired.
    """
    reported_by = farm.live.retired_reported.pop(printer_id, None)
    farm.live.retired_words.pop(printer_id, None)
    async with writing(farm, actor, origin) as transaction:
        printer = await _retired(transaction, printer_id)
        await transaction.perform(retiring.restore(printer, reported_by))
        printer = await transaction.unit.printer(printer_id) or printer
    farm.live.owners[printer_id] = printer.agent_id
    await farm.link.ask_again()
    words = "" if reported_by else ASKED
    return RetiredPrinter(printer=printer, reported_by=reported_by, words=words)


async def retire_agent(farm: Farm, agent_id: str, actor: str, origin: str = "") -> Agent:
    """Take an agent out of the farm with its printers: it is shut out, and heard no more.

    Raises:
        NotFound: there is no such agent.
        NotNow: as `retiring.retire`, of one of its printers; then nothing was changed.
    """
    name = AgentId(agent_id)
    async with writing(farm, actor, origin) as transaction:
        unit = transaction.unit
        agent, credential = await unit.agent(name), await unit.agent_credential(name)
        if (agent is None or agent.retired_at is not None) and credential is None:
            raise NotFound("agent", agent_id)
        printers = [each.printer_id for each in await unit.printers(name)]
        for printer_id in printers:
            await _retire(transaction, printer_id)
        if credential is not None and credential.good:
            revoked, notes = enrolment.revoke(credential, transaction.now)
            await unit.save_agent_credential(revoked)
            await transaction.perform(notes)
        await transaction.perform(retiring.retire_agent(name, agent, transaction.now))
        gone = await unit.agent(name)
    assert gone is not None, "it was just saved"
    for printer_id in printers:
        _forget(farm, printer_id)
    farm.live.presences.pop(name, None)
    await tell_broker(farm)
    with suppress(Unavailable):  # what a broker keeps of it is not heard
        await farm.link.forget_agent(name)
    return gone


async def restore_agent(farm: Farm, agent_id: str, actor: str, origin: str = "") -> Agent:
    """Hear a retired agent again; its printers are taken back one by one.

    Raises:
        NotFound: no such agent is retired.
    """
    async with writing(farm, actor, origin) as transaction:
        agent = await transaction.unit.agent(AgentId(agent_id))
        if agent is None or agent.retired_at is None:
            raise NotFound("agent", agent_id)
        await transaction.perform(retiring.restore_agent(agent))
        agent = await transaction.unit.agent(AgentId(agent_id)) or agent
    await farm.link.ask_again()
    return agent


async def retired(farm: Farm) -> Retired:
    """Return all that left the farm."""
    async with farm.store.read() as unit:
        printers = await unit.printers(retired=True)
        agents = await unit.agents(retired=True)
    reported, words = farm.live.retired_reported, farm.live.retired_words
    return Retired(
        printers=tuple(
            RetiredPrinter(
                printer=each,
                reported_by=(by := reported.get(each.printer_id)),
                words=words.get(each.printer_id, UNASKED) if by else "",
            )
            for each in printers
        ),
        agents=tuple(agents),
    )


async def let_go(farm: Farm) -> int:
    """Ask agents once more that speak still of what is retired; return how many let it go.

    One whose own configuration names it is not asked again.
    """
    done, live = 0, farm.live
    for printer_id, agent_id in list(live.retired_reported.items()):
        async with farm.store.read() as unit:
            agent, printer = await unit.agent(agent_id), await unit.printer(printer_id)
        if printer is None or printer.retired_at is None:
            live.retired_reported.pop(printer_id, None)  # it was taken back meanwhile
        elif agent and agent.online and live.retired_words.get(printer_id) != CONFIGURED:
            done += not await _let_go(farm, agent_id, printer_id)
    return done


async def _retire(transaction: Writing, printer_id: PrinterId) -> None:
    unit = transaction.unit
    printer = await unit.printer(printer_id)
    if printer is None or printer.retired_at is not None:
        raise NotFound("printer", printer_id)
    for spool in await unit.spools(SpoolsWanted(printer_id=printer_id, loaded=True)):
        holder = await unit.printer(printer_id)
        await transaction.perform(stock.unload(spool, holder, transaction.now))
    printer = await unit.printer(printer_id) or printer
    its_runs = await unit.runs(printer_id=printer_id)
    await transaction.perform(retiring.retire(printer, its_runs, transaction.now))


async def _retired(transaction: Writing, printer_id: PrinterId) -> Printer:
    printer = await transaction.unit.printer(printer_id)
    if printer is None or printer.retired_at is None:
        raise NotFound("printer", printer_id)
    return printer


def _forget(farm: Farm, printer_id: PrinterId) -> None:
    """Leave nothing of it in the short memory."""
    live = farm.live
    for known in (live.owners, live.samples, live.waits, live.findings, live.commands):
        known.pop(printer_id, None)


async def _let_go(farm: Farm, agent_id: AgentId, printer_id: PrinterId) -> str:
    """Have an agent let a printer go; return what is left to do, empty for nothing."""
    live = farm.live
    try:
        await command_agent(
            farm, agent_id, "remove_printer", {"id": printer_id}, answer_s_max=LET_GO_S
        )
    except (NotNow, Refused, Unavailable) as error:
        if error.code != "unknown_printer":
            words = _left(error, agent_id)
            if live.retired_words.get(printer_id) != words:
                log.info(
                    "printer.not_let_go", printer_id=printer_id, agent_id=agent_id, reason=words
                )
            live.retired_reported[printer_id], live.retired_words[printer_id] = agent_id, words
            return words
    live.retired_reported.pop(printer_id, None)
    live.retired_words.pop(printer_id, None)
    return ""


def _left(error: NotNow | Refused | Unavailable, agent_id: AgentId) -> str:
    if error.code == "printer_configured":
        return CONFIGURED
    if error.code == "no_answer":
        return f"{agent_id} was asked to let it go and has not answered; it is asked until it does"
    return f"{agent_id}: {error}; it is asked again"
