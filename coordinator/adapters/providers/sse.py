"""Server-sent events: bytes in, events out (HTML Living Standard, 9.2.6)."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

# A task with all of its addresses has some ten kilobytes.
EVENT_CHARACTERS_MAX = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event; `name` is `message` where the server gives none."""

    name: str
    data: str


class EventReader:
    """Takes a stream's bytes as they come, however they are cut."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._rest = ""
        self._after_return = False
        self._name = ""
        self._data: list[str] = []
        self._characters = 0

    @property
    def too_long(self) -> bool:
        """Whether the event that comes is longer than any that is meant."""
        return self._characters + len(self._rest) > EVENT_CHARACTERS_MAX

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """Yield the events that are whole now; what is not whole at the stream's end is none."""
        text = self._decoder.decode(chunk)
        if self._after_return and text:
            # The second half of a line's end that was cut in two.
            text = text.removeprefix("\n")
            self._after_return = False
        if text.endswith("\r"):
            self._after_return = True
        lines = (self._rest + text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._rest = lines.pop()
        for line in lines:
            yield from self._line(line)

    def _line(self, line: str) -> Iterator[ServerEvent]:
        if not line:
            if self._data:
                yield ServerEvent(self._name or "message", "\n".join(self._data))
            self._name, self._data, self._characters = "", [], 0
            return
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._name = value
        elif field == "data":
            self._data.append(value)
            self._characters += len(value)
