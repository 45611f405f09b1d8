"""The last lines of our own log, kept in memory, so that people far from the machine read them."""

import json
import logging
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# A busy farm writes some lines a second, a quiet one some an hour.
LINES_MAX = 10_000
# A line with a traceback has some kilobytes; all of them together must suit a small machine.
CHARACTERS_MAX = 4 * 1024 * 1024

LEVELS = ("debug", "info", "warning", "error", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line.

    Attributes:
        number: 1 for the first of this process, without gaps.
        facts: all else that was said with it: ids, measured things, an exception.
    """

    number: int
    at: datetime
    level: str
    event: str
    logger: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuestion:
    """Which lines somebody wants.

    Attributes:
        after: the number of the last line they have.
        level: of this or more weight.
        facts: lines that were said with all of these: `job_id`, `printer_id` ...
    """

    after: int = 0
    level: str = "debug"
    event: str = ""
    since: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    def wants(self, line: LogLine) -> bool:
        """Whether a line is one of them."""
        return (
            line.number > self.after
            and LEVELS.index(line.level) >= LEVELS.index(self.level)
            and self.event in ("", line.event)
            and (self.since is None or line.at >= self.since)
            and all(line.facts.get(name) == value for name, value in self.facts.items())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCount:
    """How often something was said, and when last."""

    event: str
    level: str
    count: int
    last_at: datetime


class LogRing(logging.Handler):
    """Keeps the last lines; what is older falls out. Its formatter makes JSON of a record."""

    def __init__(self, *, lines_max: int = LINES_MAX, characters_max: int = CHARACTERS_MAX) -> None:
        """Begin empty."""
        super().__init__()
        self._lines: deque[str] = deque()
        self._lines_max, self._characters_max = lines_max, characters_max
        self._characters = 0
        self._last = 0

    @property
    def first(self) -> int:
        """The number of the oldest line that is kept; of the next one where none is."""
        return self._last - len(self._lines) + 1

    @property
    def last(self) -> int:
        """The number of the newest line; 0 before the first."""
        return self._last

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line; nobody else is in here at the same time."""
        try:
            text = self.format(record)
        except Exception:  # as every handler: what can't be told must not stop what is done
            self.handleError(record)
            return
        self._lines.append(text)
        self._characters += len(text)
        self._last += 1
        while len(self._lines) > self._lines_max or (
            self._characters > self._characters_max and len(self._lines) > 1
        ):
            self._characters -= len(self._lines.popleft())

    def read(self, question: LogQuestion, *, limit: int, newest: bool = False) -> list[LogLine]:
        """Return lines in order: the first so many of those that are wanted, or the last."""
        found: deque[LogLine] = deque(maxlen=limit)
        for line in self._those(question):
            if not newest and len(found) == limit:
                break
            found.append(line)
        return list(found)

    def counts(self, question: LogQuestion) -> list[EventCount]:
        """Return how often each thing was said, the most frequent first."""
        counted: Counter[tuple[str, str]] = Counter()
        last_at: dict[tuple[str, str], datetime] = {}
        for line in self._those(question):
            key = (line.event, line.level)
            counted[key] += 1
            last_at[key] = line.at
        return [
            EventCount(event=key[0], level=key[1], count=count, last_at=last_at[key])
            for key, count in sorted(counted.items(), key=lambda each: (-each[1], each[0]))
        ]

    def _those(self, question: LogQuestion) -> Iterator[LogLine]:
        assert self.lock is not None, "handlers of this library have one"
        with self.lock:
            first, texts = self.first, list(self._lines)
        begin = max(0, question.after + 1 - first)
        for number, text in enumerate(texts[begin:], start=first + begin):
            line = _line_of(number, text)
            if question.wants(line):
                yield line


def _line_of(number: int, text: str) -> LogLine:
    said = json.loads(text)
    level = str(said.pop("level", "info"))
    return LogLine(
        number=number,
        at=datetime.fromisoformat(said.pop("timestamp")),
        level=level if level in LEVELS else "info",
        event=str(said.pop("event", "")),
        logger=str(said.pop("logger", "")),
        facts=said,
    )
