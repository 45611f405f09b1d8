"""What the coordinator wants of one printer: documents as they arrive, looked at one by one."""

from collections import deque
from datetime import UTC, datetime

import structlog

from agent.core.fence import admit
from agent.errors import JournalDamaged
from agent.outbox import Outbox
from agent.remembered import Remembered
from protocols.wire.from_agent import Refusal
from protocols.wire.to_agent import Desired

log = structlog.get_logger(__name__)

DOCUMENTS_MAX = 32


class Documents:
    """Those that wait, and the one that is obeyed.

    Attributes:
        desired: the last that was admitted, None before the first.
        refused: the last that was not, None where the last one was.
    """

    def __init__(self) -> None:
        """Nothing was said yet."""
        self.desired: Desired | None = None
        self.refused: Refusal | None = None
        self._arrived: deque[Desired] = deque()
        self._waiting: Desired | None = None

    def add(self, document: Desired) -> None:
        """Take a document; when too many wait, the oldest is dropped."""
        if len(self._arrived) >= DOCUMENTS_MAX:
            self._arrived.popleft()
        self._arrived.append(document)

    def begin_again(self) -> None:
        """Have the one that is obeyed looked at anew, before all others."""
        if self.desired is not None:
            self._arrived.appendleft(self.desired)
        self.desired = None

    async def admit(self, remembered: Remembered, outbox: Outbox) -> None:
        """Look at every document, in the order of arrival: which is newest, the fence knows.

        One of a later lease that comes while a run goes on waits for its end.

        Raises:
            JournalDamaged: what was not looked at stays.
        """
        if self._waiting is not None:
            self._arrived.append(self._waiting)
            self._waiting = None
        while self._arrived:
            document = self._arrived.popleft()
            try:
                await self._consider(document, remembered, outbox)
            except JournalDamaged:
                self._arrived.appendleft(document)
                raise

    async def _consider(self, document: Desired, remembered: Remembered, outbox: Outbox) -> None:
        memory = remembered.memory
        await outbox.acknowledge(document.acknowledged, events_stored=memory.events_stored)
        verdict = admit(memory, document, datetime.now(UTC))
        if isinstance(verdict, Refusal):
            if verdict != self.refused:
                log.warning(
                    "document.refused",
                    printer_id=memory.printer_id,
                    epoch=verdict.epoch,
                    reason=verdict.reason,
                )
            self.refused = verdict
            if document.epoch > memory.epoch:
                self._waiting = document
            return
        await remembered.save(verdict)
        self.desired, self.refused = document, None
