"""Whom a line of the log is about: the ids that a message from an agent names."""

from protocols.wire.codec import Message
from protocols.wire.from_agent import CommandResult, Presence, Reported, RunEvent, Telemetry


def ids_of(message: Message) -> dict[str, str | int]:
    """Return the ids of a message's agent, printer, run and job, and the command it answers."""
    match message:
        case Reported(agent_id=agent_id, printer_id=printer_id, run=run):
            ids: dict[str, str | int] = {"agent_id": agent_id, "printer_id": printer_id}
            return ids if run is None else ids | {"run_id": run.run_id, "job_id": run.job_id}
        case RunEvent():
            return {
                "agent_id": message.agent_id,
                "printer_id": message.printer_id,
                "run_id": message.run_id,
                "job_id": message.job_id,
                "epoch": message.epoch,
            }
        case CommandResult():
            return {"agent_id": message.agent_id, "command_id": message.id}
        case Presence() | Telemetry():
            return {"agent_id": message.agent_id}
        case _:
            return {}
