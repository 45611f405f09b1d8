"""Printers and agents that leave the farm for good, and come back because somebody says so.

Theory. Rows stay, for the history tells of them, with the time since when they are the farm's no
more. What an agent says of a retired printer is not heard, so that one that stands in a forgotten
configuration does not come back by itself. Its lease is closed under a further epoch: nothing that
was ever said of it can start a run there.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from coordinator.domain import leases
from coordinator.domain.effects import Effects, Note, Poke, Save, Say, Work
from coordinator.domain.printers import Agent, Printer
from coordinator.domain.runs import Run, RunState
from coordinator.errors import NotNow
from protocols.wire.vocabulary import AgentId, JournalId


def retire(printer: Printer, its_runs: Iterable[Run], now: datetime) -> Effects:
    """Take a printer out of the farm.

    Args:
        its_runs: all that were ever leased to it.

    Raises:
        NotNow: a run is there or may be, or it prints what no agent started.
    """
    for run in its_runs:
        if run.live:
            raise NotNow("run_live", f"{printer.name} holds {run.run_id}: wait, or cancel its job")
        if run.state is RunState.LOST:
            words = f"{run.run_id} was lost on {printer.name}: settle it first"
            raise NotNow("run_not_settled", words)
    if printer.online and printer.foreign:
        raise NotNow("foreign_print", f"{printer.name} prints what no agent started")
    gone = replace(printer, retired_at=now, online=False)
    closed, effects = leases.close(gone)
    note = _note("printer", closed.printer_id, "retired")
    return (*effects, note, Poke(Work.OUTBOX), Poke(Work.DISPATCH))


def restore(printer: Printer, reported_by: AgentId | None) -> Effects:
    """Take a retired printer back; it is there once its agent presents itself again.

    Args:
        reported_by: the agent that speaks of it by now, None where nobody does.
    """
    back = replace(printer, retired_at=None, agent_id=reported_by or printer.agent_id)
    return (
        Save(back),
        _note("printer", back.printer_id, "restored"),
        Say(back.printer_id),
        Poke(Work.OUTBOX),
    )


def retire_agent(agent_id: AgentId, known: Agent | None, now: datetime) -> Effects:
    """Take an agent out of the farm; its printers and its credential were seen to.

    Args:
        known: None where it never presented itself.
    """
    agent = known or Agent(
        agent_id=agent_id,
        online=False,
        boot_id="",
        connection_id="",
        journal_id=JournalId(""),
        seen_at=now,
    )
    gone = replace(agent, online=False, retired_at=now)
    return (Save(gone), _note("agent", agent_id, "retired"))


def restore_agent(agent: Agent) -> Effects:
    """Hear a retired agent again; one whose credential was taken away has to enrol first."""
    return (Save(replace(agent, retired_at=None)), _note("agent", agent.agent_id, "restored"))


def _note(subject: str, subject_id: str, what: str) -> Note:
    return Note(subject=subject, subject_id=subject_id, name=f"{subject}.{what}")
