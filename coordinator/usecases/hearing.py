"""Messages on their way into the store: none is given up while the store does not answer."""

import asyncio
from collections.abc import Sequence

import structlog

from coordinator.errors import FarmError, Unavailable
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.farm import Farm
from coordinator.usecases.speaking_of import ids_of
from protocols.wire.codec import Message

log = structlog.get_logger(__name__)

# A database that another program holds, a full disk: soon, but without haste.
RETRY_S = 1.0


async def hear(farm: Farm, messages: Sequence[Message], *, retry_s: float = RETRY_S) -> None:
    """Take in messages, together; where that fails, one by one, so that one harms no other.

    While the store does not answer this waits, and what comes meanwhile waits in the line before
    it. Returns once each was taken in, or left out because it can't be.
    """
    try:
        await _patiently(farm, messages, retry_s)
        return
    except Exception as error:
        if len(messages) == 1:
            _tell(messages[0], error)
            return
    for message in messages:
        try:
            await _patiently(farm, (message,), retry_s)
        except Exception as error:
            _tell(message, error)


async def _patiently(farm: Farm, messages: Sequence[Message], retry_s: float) -> None:
    """Take in messages; as often as the store does not answer, after a pause again."""
    waiting = False
    while True:
        try:
            await absorb(farm, *messages)
        except Unavailable as error:
            if not waiting:
                log.warning("messages.wait", waiting=len(messages), reason=str(error))
            waiting = True
            await asyncio.sleep(retry_s)
            continue
        if waiting:
            log.info("messages.taken", waiting=len(messages))
        return


def _tell(message: Message, error: Exception) -> None:
    """Say that a message can't be taken in. It must not keep the others waiting: agents repeat."""
    about = ids_of(message)
    if isinstance(error, FarmError):
        log.warning("message.not_absorbed", kind=message.kind, error=str(error), **about)
    else:
        log.error("message.failed", kind=message.kind, exc_info=error, **about)
