"""Lines of history as they come, for programs that listen over MQTT; who comes later missed them.

Webhooks are for who must miss nothing.
"""

import json

from coordinator.domain.automation.documents import packed
from coordinator.domain.automation.happenings import printer_event
from coordinator.domain.automation.topics import Message, Topics
from coordinator.domain.messages import message_of, type_of
from coordinator.usecases.farm import Farm
from coordinator.usecases.outgoing import things_of

# More at once than a farm of hundreds of printers writes in a second.
LINES_MAX = 500


class Happenings:
    """The lines that were told already, by number."""

    def __init__(self, farm: Farm, topics: Topics) -> None:
        """Begin with what happens from `begin` on."""
        self._farm, self._topics = farm, topics
        self._number = 0

    async def begin(self) -> None:
        """Tell nothing of what was before."""
        async with self._farm.store.read() as unit:
            self._number = (await unit.head()).number

    async def news(self) -> list[Message]:
        """Return what happened since the last time, as messages that nobody keeps."""
        said: list[Message] = []
        async with self._farm.store.read() as unit:
            for line in await unit.events(after=self._number, limit=LINES_MAX):
                self._number = line.number
                its_type = type_of(line)
                if not its_type:
                    continue
                things = await things_of(unit, line)
                body = json.loads(message_of(line, its_type, things).body)
                told = packed({"event_type": its_type, **body})
                said.append(Message(self._topics.events, told, retain=False))
                if (found := printer_event(line, its_type, things)) is not None:
                    printer_id, document = found
                    topic = self._topics.happened(printer_id)
                    said.append(Message(topic, packed(document), retain=False))
        return said
