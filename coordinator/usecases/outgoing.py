"""Lines of history on their way outside: what each is about, and the next one that is wanted."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from coordinator.domain.history import Line
from coordinator.domain.messages import Message, Things, message_of, type_of, wanted
from coordinator.domain.webhooks import Endpoint, moved
from coordinator.errors import NotNow, StoreUnusable
from coordinator.ports import Unit
from protocols.wire.vocabulary import JobId, PrinterId, RunId

# So many lines are read in one transaction: some milliseconds.
PAGE_LINES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a look at a page of lines found.

    Attributes:
        found: the first line that is wanted, with its type; None where none is.
        upto: the number of the last line before it that was looked at.
        end: there were no more lines.
    """

    found: tuple[Line, str] | None
    upto: int
    end: bool


async def look(
    unit: Unit, wants: Callable[[str], bool], *, after: int, upto: int | None = None
) -> Looked:
    """Look through a page of lines for the first whose type is wanted.

    Args:
        upto: the number of the last line that may be found.
    """
    lines = await unit.events(after=after, limit=PAGE_LINES)
    last = after
    for line in lines:
        if upto is not None and line.number > upto:
            return Looked(found=None, upto=last, end=True)
        its_type = _type_of(line)
        if its_type and wants(its_type):
            return Looked(found=(line, its_type), upto=last, end=False)
        last = line.number
    return Looked(found=None, upto=last, end=len(lines) < PAGE_LINES)


async def next_message(unit: Unit, endpoint: Endpoint, after: int) -> tuple[Message | None, Looked]:
    """Return the next message that an endpoint wants, and how far was looked for it."""
    looked = await look(unit, partial(wanted, endpoint.types), after=after)
    if looked.found is None:
        return None, looked
    line, its_type = looked.found
    return message_of(line, its_type, await things_of(unit, line)), looked


async def things_of(unit: Unit, line: Line) -> Things:
    """Return what a line is about, as it is stored now."""
    match line.subject:
        case "run":
            run = await unit.run(RunId(line.subject_id))
            if run is None:
                return Things()
            job, printer = await unit.job(run.job_id), await unit.printer(run.printer_id)
            return Things(job=job, run=run, printer=printer)
        case "job":
            return Things(job=await unit.job(JobId(line.subject_id)))
        case "plate":
            return Things(job=await unit.job(JobId(line.subject_id.partition("/")[0])))
        case "printer":
            printer = await unit.printer(PrinterId(line.subject_id))
            holds = printer is not None and printer.run_id is not None
            run = await unit.run(printer.run_id) if holds else None  # type: ignore[union-attr, arg-type]
            return Things(run=run, printer=printer)
        case "generation":
            return Things(generation=await unit.generation(line.subject_id))
        case "rollout":
            return Things(rollout=await unit.rollout(line.subject_id))
        case _:
            return Things()


async def catch_up(unit: Unit, upto: int) -> None:
    """Bring endpoints behind lines that are about to leave for an archive.

    Raises:
        NotNow: one of them wants to be told of such a line first.
    """
    for endpoint in await unit.endpoints():
        if not endpoint.enabled or endpoint.cursor >= upto:
            continue
        wants, after, end = endpoint.types, endpoint.cursor, False
        while not end:
            looked = await look(unit, partial(wanted, wants), after=after, upto=upto)
            if looked.found is not None:
                raise NotNow(
                    "webhook_behind",
                    f"webhook {endpoint.endpoint_id} was not told of event "
                    f"{looked.found[0].number} yet: wait for it, or disable it first",
                )
            after, end = looked.upto, looked.end
        await unit.save_endpoint(moved(endpoint, upto))


def _type_of(line: Line) -> str:
    try:
        return type_of(line)
    except ValueError as error:
        # It is told by every audit; nobody is told of what it does not say.
        raise StoreUnusable(f"event {line.number} can't be read: {error}") from error
