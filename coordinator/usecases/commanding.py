"""What a person has a printer do that is not state: say a line, show the dialogue, stop at once."""

import asyncio
from collections.abc import Mapping

import structlog

from coordinator.domain.effects import Note
from coordinator.domain.printers import Printer
from coordinator.errors import FarmError, NotNow, Refused, Unavailable
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import the_printer, writing
from coordinator.usecases.speaking_of import ids_of
from coordinator.usecases.tracing import traced
from protocols.wire.from_agent import CommandResult
from protocols.wire.to_agent import Command, Scalar
from protocols.wire.vocabulary import AgentId, PrinterId

log = structlog.get_logger(__name__)

# An agent gives a command 60 s, and a message a second each way.
ANSWER_S_MAX = 65.0
# These change nothing, and are not written to the history.
_LOOKS = frozenset({"dialogue", "picture"})


@traced
async def command_printer(
    farm: Farm, printer_id: PrinterId, name: str, arguments: Mapping[str, Scalar], actor: str
) -> str:
    """Have a printer's agent do one thing; return its words.

    What changes something is written to the printer's history before it is asked for.

    Raises:
        NotFound: there is no such printer.
        NotNow: its agent is away, or the printer can't do it now; the text says why.
        Refused: it knows no such command.
        Unavailable: no broker, or no answer: it may still have been done.
    """
    command_id = farm.ids.new("command")
    async with farm.store.read() as unit:
        printer = await the_printer(unit, printer_id)
    if not printer.online:
        raise NotNow("printer_offline", f"the agent of {printer_id} is not connected")
    if name not in _LOOKS:
        async with writing(farm, actor) as transaction:
            facts = {"command_id": command_id, **arguments}
            note = Note(
                subject="printer",
                subject_id=printer_id,
                name=f"printer.{name}",
                facts=facts,
            )
            await transaction.perform((note,))
    result = await ask_agent(farm, printer, name, arguments, command_id=command_id)
    if not result.ok:
        raise _failure(result)
    return result.message


async def ask_agent(
    farm: Farm,
    printer: Printer,
    name: str,
    arguments: Mapping[str, Scalar],
    *,
    command_id: str = "",
    answer_s_max: float | None = None,
) -> CommandResult:
    """Send a command to a printer's agent; return what it answers, well or not.

    Args:
        command_id: in the history already; a new one where it is empty.
        answer_s_max: patience; `ANSWER_S_MAX` for None.

    Raises:
        Unavailable: no broker, or no answer.
    """
    command = Command(
        id=command_id or farm.ids.new("command"),
        agent_id=printer.agent_id,
        printer_id=printer.printer_id,
        name=name,
        arguments=arguments,
    )
    return await _ask(farm, command, printer.printer_id, answer_s_max)


@traced
async def command_agent(
    farm: Farm,
    agent_id: AgentId,
    name: str,
    arguments: Mapping[str, Scalar],
    *,
    answer_s_max: float | None = None,
) -> CommandResult:
    """Have an agent do one thing with itself; return its answer.

    Args:
        answer_s_max: as in `ask_agent`.

    Raises:
        NotNow: it can't now; the text says why.
        Refused: it knows no such command, or `printer_invalid`.
        Unavailable: no broker, or no answer: it may still have been done.
    """
    command = Command(id=farm.ids.new("command"), agent_id=agent_id, name=name, arguments=arguments)
    result = await _ask(farm, command, agent_id, answer_s_max)
    if not result.ok:
        raise _failure(result)
    return result


async def _ask(farm: Farm, command: Command, who: str, answer_s_max: float | None) -> CommandResult:
    answer = farm.live.expect(command.id)
    tell = log.debug if command.name in _LOOKS else log.info
    tell(
        "command.sent", command_id=command.id, name=command.name,
        agent_id=command.agent_id, printer_id=command.printer_id,
    )  # fmt: skip
    try:
        await farm.link.send_command(command)
        async with asyncio.timeout(ANSWER_S_MAX if answer_s_max is None else answer_s_max):
            return await answer
    except TimeoutError:
        words = f"{who} gave no answer; it may still have been done"
        raise Unavailable("no_answer", words) from None
    finally:
        farm.live.expect_no_more(command.id)


def answered(farm: Farm, result: CommandResult) -> None:
    """Take in an answer; nobody may be waiting for it any more."""
    log.info("command.answered", ok=result.ok, code=result.code, **ids_of(result))
    farm.live.answer(result)


def _failure(result: CommandResult) -> FarmError:
    match result.code:
        case "unknown_command" | "printer_invalid":
            return Refused(result.code, result.message)
        case "failed" | "timeout":
            return Unavailable(result.code, result.message)
        case _:
            return NotNow(result.code or "not_possible", result.message)
