"""An agent comes, goes, or comes back with another memory; its printers with it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from coordinator.domain import leases
from coordinator.domain.effects import Effects, Note, Poke, Save, Say, Work
from coordinator.domain.leases import Holding
from coordinator.domain.printers import Agent, Bed, Printer, forgotten
from coordinator.domain.runs import RunChange, RunState
from protocols.errors import UnsupportedProtocol
from protocols.wire.compat import Majors, agree
from protocols.wire.from_agent import Presence, PrinterDescription
from protocols.wire.vocabulary import JournalId, PrinterId

MEMORY_IS_NEW = "the agent's memory is new"
DRAINED = "its agent is being drained"


def unsupported(presence: Presence) -> str | None:
    """Return why we can't talk to this agent, None where we can."""
    try:
        agree(Majors(presence.protocol_min, presence.protocol_max))
    except UnsupportedProtocol as error:
        return str(error)
    return None


def is_stale(known: Agent | None, presence: Presence) -> bool:
    """Whether this is the death of a connection that is not the agent's present one."""
    if presence.online:
        return False
    return known is None or known.connection_id != presence.connection_id


def greet(
    known: Agent | None, presence: Presence, now: datetime, *, online: bool
) -> tuple[Agent, Effects]:
    """Return the agent as it presents itself; history is written where it comes or goes."""
    agent = Agent(
        agent_id=presence.agent_id,
        online=online,
        boot_id=presence.boot_id,
        connection_id=presence.connection_id,
        journal_id=presence.journal_id,
        build=presence.build or (known.build if known else ""),
        seen_at=now,
    )
    if known is not None and replace(known, seen_at=now) == agent:
        return known, ()
    effects: Effects = (Save(agent),)
    if known is None or known.online is not online or known.boot_id != agent.boot_id:
        name = "agent.online" if online else "agent.offline"
        facts = {"boot_id": agent.boot_id, "build": agent.build}
        note = Note(subject="agent", subject_id=agent.agent_id, name=name, facts=facts)
        effects = (*effects, note)
    return agent, effects


def gone(printers: Iterable[Printer]) -> Effects:
    """Return what an agent's going changes: only that nobody answers. What prints goes on."""
    return tuple(Save(replace(each, online=False)) for each in printers if each.online)


def arrived(presence: Presence, holdings: Mapping[PrinterId, Holding], now: datetime) -> Effects:
    """Return what an agent's coming changes in its own printers, known and new.

    Args:
        holdings: its known printers, each with the run that holds its lease.
    """
    effects: list[Effects] = []
    described = {each.printer_id: each for each in presence.printers}
    for description in described.values():
        holding = holdings.get(description.printer_id)
        if holding is None:
            effects.append(_registered(presence, description))
        else:
            effects.append(_returned(presence, description, holding, now))
    absent = [each.printer for name, each in holdings.items() if name not in described]
    effects.append(gone(absent))
    effects.append((Poke(Work.OUTBOX), Poke(Work.DISPATCH), Poke(Work.PREPARE)))
    return tuple(effect for some in effects for effect in some)


def claimed_twice(printer: Printer, presence: Presence) -> Note:
    """Return the line of history about an agent that announces another agent's printer."""
    return Note(
        subject="printer",
        subject_id=printer.printer_id,
        name="printer.claimed_twice",
        cause=f"agent {presence.agent_id} announces it, but it belongs to {printer.agent_id}: "
        "give one of the two another name",
        facts={"agent_id": presence.agent_id},
    )


def unsupported_note(presence: Presence, reason: str) -> Note:
    """Return the line of history about an agent that speaks no version of ours."""
    return Note(
        subject="agent",
        subject_id=presence.agent_id,
        name="agent.unsupported",
        cause=reason,
        facts={"protocol_min": presence.protocol_min, "protocol_max": presence.protocol_max},
    )


def draining_note(presence: Presence) -> Note:
    """Return the line of history about an agent that takes nothing new from now on."""
    return Note(subject="agent", subject_id=presence.agent_id, name="agent.draining")


def without(presence: Presence, claimed: Collection[PrinterId]) -> Presence:
    """Return the presence without some printers."""
    kept = tuple(each for each in presence.printers if each.printer_id not in claimed)
    return replace(presence, printers=kept)


def _registered(presence: Presence, description: PrinterDescription) -> Effects:
    printer = Printer(
        printer_id=description.printer_id,
        agent_id=presence.agent_id,
        name=description.name,
        printer_class=description.printer_class,
        driver=description.driver,
        material=description.material,
        can_pause=description.can_pause,
        bed_policy=description.bed_policy,
        online=True,
        bed=Bed(journal_id=presence.journal_id),
        journal_id=presence.journal_id,
    )
    note = Note(
        subject="printer",
        subject_id=printer.printer_id,
        name="printer.registered",
        facts={"agent_id": printer.agent_id, "printer_class": printer.printer_class},
    )
    return (Save(printer), note, Say(printer.printer_id))


def _returned(
    presence: Presence, description: PrinterDescription, holding: Holding, now: datetime
) -> Effects:
    known = holding.printer
    printer = replace(
        known,
        name=description.name,
        printer_class=description.printer_class,
        driver=description.driver,
        material=known.material if known.spool_id else description.material or known.material,
        can_pause=description.can_pause,
        bed_policy=description.bed_policy,
        online=True,
    )
    effects: Effects = () if printer == known else (Save(printer),)
    holding = replace(holding, printer=printer)
    if printer.journal_id != presence.journal_id:
        effects = (*effects, *_with_new_memory(holding, presence.journal_id, now))
    elif presence.draining and holding.run and holding.run.state is RunState.LEASED:
        # It would not begin; what was permitted may have.
        effects = (*effects, *leases.move(holding, RunChange.REVOKE, now, reason=DRAINED)[1])
    return (*effects, Say(printer.printer_id))


def _with_new_memory(holding: Holding, journal_id: JournalId, now: datetime) -> Effects:
    """Fence off all that the old memory may have known: the epoch is raised in any case."""
    by = f"agent:{holding.printer.agent_id}"
    printer = forgotten(holding.printer, journal_id, now, by=by)
    note = Note(
        subject="printer",
        subject_id=printer.printer_id,
        name="bed.unknown",
        cause=MEMORY_IS_NEW,
        facts={"journal_id": journal_id},
    )
    effects: Effects = (Save(printer), note)
    run = holding.run
    if run is None or not run.live:
        return (*effects, *leases.close(printer)[1])
    change = RunChange.REVOKE if run.state is RunState.LEASED else RunChange.LOSE
    holding = replace(holding, printer=printer)
    _, more = leases.move(holding, change, now, reason=MEMORY_IS_NEW)
    return (*effects, *more)
