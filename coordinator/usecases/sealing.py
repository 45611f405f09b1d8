"""Old history leaves for an archive: given out, and removed once somebody proves to have it.

Whoever archives reads the bytes, keeps them safely, and comes back with their hash. Nothing is
removed for anything else: the same bytes are made anew here, and must have that hash.
"""

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime

import structlog

from coordinator.domain.history import FarmEvent, Head, Thing
from coordinator.domain.rebuilding import Audit
from coordinator.domain.rebuilt import Rebuilt, Told, rows_digest
from coordinator.domain.sealing import Checkpoint, archived, first_line, sealed
from coordinator.errors import NotNow, Refused, Unavailable
from coordinator.ports import Unit
from coordinator.usecases.auditing import PAGE_LINES, begin, others_turn, take_lines
from coordinator.usecases.farm import Farm
from coordinator.usecases.outgoing import catch_up

log = structlog.get_logger(__name__)

# Removing a line takes some microseconds; others write between two pages.
_PAGE_REMOVED = 1000


async def last_before(farm: Farm, before: datetime) -> int:
    """Return the number of the last line of an archive of what happened before a time.

    Raises:
        Refused: nothing happened before, or all of that is in an archive already.
    """
    async with farm.store.read() as unit:
        later = await unit.events(limit=1, since=before)
        upto = later[0].number - 1 if later else (await unit.head()).number
        first = await _sealed(unit)
    if upto <= first.number:
        raise Refused("nothing_to_archive", "no event from before that time is left to be archived")
    return upto


async def archive(farm: Farm, upto: int) -> AsyncIterator[bytes]:
    """Yield the archive of all lines from the checkpoint up to a number.

    Raises:
        NotNow: these lines left for another archive meanwhile.
    """
    async with farm.store.read() as unit:
        last = await _sealed(unit)
    yield first_line(last)
    while last.number < upto:
        # A transaction a page: lines do not change, and a slow reader must hold up nobody.
        async with farm.store.read() as unit:
            limit = min(PAGE_LINES, upto - last.number)
            lines = await unit.events(after=last.number, limit=limit)
        if not lines or lines[0].number != last.number + 1:
            raise _left()
        yield b"".join(archived(line) for line in lines)
        last = Head(number=lines[-1].number, hash=lines[-1].hash)
        await others_turn()


async def seal(
    farm: Farm, *, upto: int, archive_sha256: str, actor: str, origin: str = ""
) -> Checkpoint:
    """Put a checkpoint in the place of all lines up to a number, and remove these.

    Args:
        archive_sha256: of the archive of these lines, by whoever holds it.

    Raises:
        Refused: that is no archive of these lines, or they are not to be trusted.
        NotNow: they left for another archive meanwhile, or an endpoint was not told of them yet.
    """
    with farm.store.scratch() as rebuilt:
        before, checkpoint = await _found(farm, rebuilt, upto)
        if checkpoint.archive_sha256 != archive_sha256:
            raise Refused(
                "other_archive",
                f"that is not the archive of the events {before.number + 1} to {upto}: "
                "nothing was removed",
            )
        like = FarmEvent(
            subject="history",
            subject_id="",
            name="",
            at=farm.clock.now(),
            actor=actor,
            origin=origin,
            cause=f"events {before.number + 1} to {upto} are in an archive",
        )
        async with farm.store.write() as unit:
            if await _sealed(unit) != before:
                raise _left()
            await catch_up(unit, upto)
            await unit.put_checkpoint(checkpoint)
            await _keep(unit, rebuilt)
            await unit.record(sealed(checkpoint, like))
    log.info("history.sealed", number=upto, archive_sha256=archive_sha256)
    try:
        await drop_sealed(farm)
    except Unavailable as error:
        # It is sealed, which is what was asked for; the next start removes what is left.
        log.warning("history.sealed_lines_left", reason=error.message)
    return checkpoint


async def drop_sealed(farm: Farm) -> None:
    """Remove the lines that the checkpoint covers; what a crash left of them, the next call."""
    removed = _PAGE_REMOVED
    while removed == _PAGE_REMOVED:
        async with farm.store.write() as unit:
            removed = await unit.drop_sealed(_PAGE_REMOVED)


async def _sealed(unit: Unit) -> Head:
    """Return where the sealed part ends."""
    checkpoint = await unit.checkpoint()
    return checkpoint.head if checkpoint is not None else Head()


async def _found(farm: Farm, rebuilt: Rebuilt, upto: int) -> tuple[Head, Checkpoint]:
    """Return where the sealed part ends now, and the checkpoint for what follows it."""
    audit = Audit(rows=rebuilt)
    async with farm.store.read() as unit:
        await begin(audit, unit)
        before = audit.head
        if not before.number < upto <= (await unit.head()).number:
            raise _left()
        await take_lines(audit, unit, upto=upto)
    if audit.faults or audit.head.number != upto:
        first = audit.faults[0].words if audit.faults else f"event {upto} is missing"
        raise Refused("history_broken", f"a history that can't be trusted is not archived: {first}")
    hashed = hashlib.sha256()
    async for part in archive(farm, upto):
        hashed.update(part)
    return before, Checkpoint(
        number=upto,
        hash=audit.head.hash,
        rows_sha256=rows_digest(rebuilt.in_order()),
        archive_sha256=hashed.hexdigest(),
    )


async def _keep(unit: Unit, rebuilt: Rebuilt) -> None:
    page: list[tuple[Thing, Told]] = []
    for row in rebuilt.in_order():
        page.append(row)
        if len(page) == PAGE_LINES:
            await unit.keep_rows(page)
            page.clear()
            await others_turn()
    if page:
        await unit.keep_rows(page)


def _left() -> NotNow:
    return NotNow("archived_meanwhile", "these events left for another archive; archive anew")
