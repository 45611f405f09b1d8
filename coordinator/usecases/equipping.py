"""Printers looked for beside an agent, added there, and let go again; many of them from a table."""

import asyncio
from dataclasses import dataclass

import structlog

from coordinator.domain import equipping
from coordinator.domain.effects import Note
from coordinator.domain.equipping import NewPrinter, Row
from coordinator.domain.printers import Printer
from coordinator.errors import FarmError, NotFound, NotNow, Refused, Unavailable
from coordinator.usecases import fleet
from coordinator.usecases.commanding import command_agent
from coordinator.usecases.farm import Farm
from coordinator.usecases.fleet import PrinterChanges
from coordinator.usecases.performing import the_printer, writing
from coordinator.usecases.retiring import restore_printer
from protocols.wire.from_agent import FoundPlace
from protocols.wire.to_agent import Scalar
from protocols.wire.vocabulary import AgentId, PrinterId

log = structlog.get_logger(__name__)

# An agent that took a printer presents itself anew at once.
PRESENT_S_MAX = 15.0
_LOOK_S = 0.1
# Agents do one thing at a time; different ones do theirs at once.
AGENTS_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of a line of a table; `words` say why it was not added."""

    row: Row
    words: str = ""

    @property
    def ok(self) -> bool:
        """Whether its printer can be added, or was."""
        return not self.words


async def discover(farm: Farm, agent_id: str) -> list[FoundPlace]:
    """Have an agent look for printers beside it; takes up to half a minute.

    Raises:
        NotFound: there is no such agent.
        NotNow: it is away, or busy.
        Refused: it is too old to know how.
        Unavailable: it gave no answer.
    """
    await _the_agent(farm, agent_id)
    return list((await command_agent(farm, AgentId(agent_id), "discover", {})).found)


async def add_printer(
    farm: Farm,
    agent_id: str,
    wanted: NewPrinter,
    actor: str,
    origin: str = "",
    *,
    confidential: bool,
) -> Printer:
    """Have an agent take a printer, which it keeps; runs that are on go on.

    Args:
        confidential: nobody else hears what agents are told.

    Raises:
        NotFound: there is no such agent.
        NotNow: it is away; `printer_exists`; `broker_open`: a key would go over a line that others
            can read; `printer_slow`: it is taken, but its agent does not say so yet.
        Refused: `printer_invalid`: the agent can't use what is said of it.
        Unavailable: it gave no answer.
    """
    await _the_agent(farm, agent_id)
    if equipping.has_secrets(wanted) and not confidential:
        raise NotNow(
            "broker_open",
            "agents reach the broker without TLS, so a key would be read by others: use "
            "`farmhand tls make`, or write this printer into the agent's own configuration",
        )
    printer_id = PrinterId(wanted.printer_id)
    async with farm.store.read() as unit:
        known = await unit.printer(printer_id)
    if known is not None and (known.online or known.agent_id != agent_id):
        raise NotNow("printer_exists", f"there is a printer {printer_id} already")
    if known is not None and known.retired_at is not None:
        await restore_printer(farm, printer_id, actor, origin)
    await command_agent(farm, AgentId(agent_id), "add_printer", equipping.arguments(wanted))
    await _note(farm, agent_id, "agent.printer_added", wanted, actor, origin)
    await _appeared(farm, printer_id)
    said: PrinterChanges = {}
    if wanted.location:
        said["location"] = wanted.location
    if wanted.tags:
        said["tags"] = list(wanted.tags)
    if said:
        await fleet.change_printer(farm, printer_id, said, actor, origin)
    async with farm.store.read() as unit:
        return await the_printer(unit, printer_id)


async def remove_printer(
    farm: Farm, agent_id: str, printer_id: PrinterId, actor: str, origin: str = ""
) -> Printer:
    """Have an agent let a printer go that was added so; its history stays.

    Raises:
        NotFound: there is no such agent, or it has no such printer.
        NotNow: the agent is away; `printer_busy`: it prints; `printer_configured`: it stands in the
            agent's own configuration.
        Unavailable: it gave no answer.
    """
    await _the_agent(farm, agent_id)
    async with farm.store.read() as unit:
        printer = await unit.printer(printer_id)
    if printer is None or printer.agent_id != agent_id:
        raise NotFound("printer", printer_id)
    await command_agent(farm, AgentId(agent_id), "remove_printer", {"id": printer_id})
    gone = NewPrinter(
        printer_id=printer_id, driver=printer.driver, printer_class=printer.printer_class
    )
    await _note(farm, agent_id, "agent.printer_removed", gone, actor, origin)
    return printer


async def import_printers(
    farm: Farm,
    text: str,
    actor: str,
    origin: str = "",
    *,
    dry_run: bool,
    confidential: bool,
) -> list[Added]:
    """Add the printers of a table, as far as each can be; tell line by line what became of it.

    Raises:
        Refused: `not_a_table`.
    """
    async with farm.store.read() as unit:
        agents = {str(agent.agent_id): agent.online for agent in await unit.agents()}
        known = [printer.printer_id for printer in await unit.printers()]
    try:
        rows = equipping.rows(text, agents=agents, known=known)
    except ValueError as error:
        raise Refused("not_a_table", str(error)) from None
    checked = [
        Added(row=row, words="; ".join(row.faults) or _open(row, confidential=confidential))
        for row in rows
    ]
    if dry_run:
        return checked
    room = asyncio.Semaphore(AGENTS_AT_ONCE)

    async def of_one_agent(those: list[Added]) -> list[Added]:
        async with room:
            return [await _add(farm, each, actor, origin) for each in those]

    groups: dict[str, list[Added]] = {}
    for each in checked:
        groups.setdefault(each.row.agent_id, []).append(each)
    done = await asyncio.gather(*(of_one_agent(those) for those in groups.values()))
    return sorted((each for some in done for each in some), key=lambda each: each.row.line)


def _open(row: Row, *, confidential: bool) -> str:
    open_line = equipping.has_secrets(row.printer) and not confidential
    return "agents reach the broker without TLS: a key would be read by others" * open_line


async def _add(farm: Farm, checked: Added, actor: str, origin: str) -> Added:
    if not checked.ok:
        return checked
    row = checked.row
    try:
        await add_printer(farm, row.agent_id, row.printer, actor, origin, confidential=True)
    except FarmError as error:
        return Added(row=row, words=str(error))
    return checked


async def _the_agent(farm: Farm, agent_id: str) -> None:
    async with farm.store.read() as unit:
        agent = await unit.agent(AgentId(agent_id))
    if agent is None:
        raise NotFound("agent", agent_id)
    if not agent.online:
        raise NotNow("agent_offline", f"the agent {agent_id} is not connected")


async def _note(
    farm: Farm, agent_id: str, name: str, printer: NewPrinter, actor: str, origin: str
) -> None:
    """Write down who did it; nothing of the driver's settings, for a key may be among them."""
    facts: dict[str, Scalar] = {"printer_id": printer.printer_id, "driver": printer.driver}
    note = Note(subject="agent", subject_id=agent_id, name=name, facts=facts)
    async with writing(farm, actor, origin) as transaction:
        await transaction.perform((note,))


async def _appeared(farm: Farm, printer_id: PrinterId) -> None:
    async def presented() -> None:
        while True:
            async with farm.store.read() as unit:
                printer = await unit.printer(printer_id)
            if printer is not None and printer.online:
                return
            await asyncio.sleep(_LOOK_S)

    try:
        await asyncio.wait_for(presented(), PRESENT_S_MAX)
    except TimeoutError:
        raise Unavailable(
            "printer_slow", f"{printer_id} is taken, but its agent does not show it yet"
        ) from None
