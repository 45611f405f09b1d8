"""Every printer as it is now, rendered once: what a wall of screens asks for again and again.

Theory. What is written of a printer changes now and then, what it says of itself once a second.
The board is told of both (`News`), looks only at what changed, and keeps the bytes. So an answer is
never older than the question, and costs little more than sending it.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from coordinator.api.documents import PrinterDocument
from coordinator.api.packing import digest, gzipped, packed
from coordinator.api.render_printers import now_document, standing_document
from coordinator.domain.history import Thing
from coordinator.errors import NotFound
from coordinator.usecases import reading
from coordinator.usecases.farm import Farm
from coordinator.usecases.reading import PrinterView
from coordinator.usecases.showing import printers_showing
from protocols.wire.vocabulary import AgentId, PrinterId

# Compressing half a megabyte takes some milliseconds; of live values alone it is done so often.
COMPRESSED_S = 0.25


@dataclass(slots=True)
class Entry:
    """A printer on the board.

    Attributes:
        body: the document's bytes; `written` is the version of what is written in it.
        number: grows with every change, over all printers.
    """

    view: PrinterView
    document: PrinterDocument
    standing: bytes
    written: str
    body: bytes
    number: int

    @property
    def tag(self) -> str:
        """Its version, as an ETag."""
        return f'W/"{self.written}.{digest(self.body)}"'


@dataclass(frozen=True, slots=True)
class Listed:
    """All printers as one answer."""

    body: bytes
    tag: str


class Board:
    """The printers of one farm; `heard` has to last as long as it is used."""

    def __init__(self, farm: Farm) -> None:
        """Begin without any; the first who asks has all of them read."""
        self._farm = farm
        # Of another process the same numbers mean other things.
        self._process = farm.ids.new("board")
        self._entries: dict[PrinterId, Entry] = {}
        self._read_all = True
        # Once an agent's, still in here: a look too many does no harm.
        self._of_agent: dict[AgentId, set[PrinterId]] = {}
        self._stale: set[Thing] = set()
        self._moved: set[PrinterId] = set()
        self._turn = asyncio.Lock()
        self._number = 0
        self._listed: Listed | None = None
        self._compressed: tuple[Listed, int, float] | None = None
        self._standing_number = 0

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear what changes, as long as the block lasts."""
        with self._farm.live.news.heard(self._hear):
            yield

    async def entries(self) -> Iterable[Entry]:
        """Return every printer, by id."""
        await self._refresh()
        return self._entries.values()

    async def standing(self) -> list[PrinterView]:
        """Return every printer, by id, as what is written of it has it; the rest may be older."""
        await self._refresh(looks=False)
        return [entry.view for entry in self._entries.values()]

    async def entry(self, printer_id: PrinterId) -> Entry:
        """Return one printer.

        Raises:
            NotFound: there is none.
        """
        await self._refresh()
        if (entry := self._entries.get(printer_id)) is None:
            raise NotFound("printer", printer_id)
        return entry

    async def listed(self) -> Listed:
        """Return all printers as one answer."""
        await self._refresh()
        if self._listed is None:
            self._listed = Listed(self._body(), f'W/".{self._process}-{self._number}"')
        return self._listed

    async def compressed(self) -> Listed:
        """Return all printers as one answer, compressed with gzip.

        Live values in it are `COMPRESSED_S` old at most, all else is as it is.
        """
        await self._refresh()
        now_s = asyncio.get_running_loop().time()
        if self._compressed is not None:
            kept, standing, until_s = self._compressed
            if standing == self._standing_number and now_s < until_s:
                return kept
        listed = await self.listed()
        if self._compressed is not None and kept.tag == listed.tag:
            return kept
        made = Listed(gzipped(listed.body), listed.tag)
        self._compressed = made, self._standing_number, now_s + COMPRESSED_S
        return made

    def _body(self) -> bytes:
        """Return the answer's bytes; half a megabyte is copied once, not thrice."""
        bodies = [entry.body for entry in self._entries.values()]
        head, tail = b'{"items":[', b'],"next":null,"total":%d}' % len(bodies)
        if not bodies:
            return head + tail
        bodies[0] = head + bodies[0]
        bodies[-1] += tail
        return b",".join(bodies)

    def _hear(self, things: Collection[Thing]) -> None:
        for subject, its_id in things:
            if subject == "sample":
                self._moved.add(PrinterId(its_id))
            elif subject == "host":
                self._moved |= self._of_agent.get(AgentId(its_id), frozenset())
            elif subject in ("printer", "run", "job"):
                self._stale.add((subject, its_id))

    async def _refresh(self, *, looks: bool = True) -> None:
        """Have all of it as it is now; what printers say of themselves only if `looks`."""
        # Whoever is at it may just be reading what this question must already see.
        if not (self._read_all or self._stale or self._moved or self._turn.locked()):
            return
        async with self._turn:
            if self._read_all:
                await self._read()
            if self._stale:
                await self._read_stale()
            if looks:
                self._look()

    async def _read(self) -> None:
        self._stale.clear()
        views = await reading.printer_views(self._farm)
        self._entries.clear()
        for view in views:
            self._put(view)
        self._read_all = False

    async def _read_stale(self) -> None:
        stale, self._stale = self._stale, set()
        meant = printers_showing(stale, (entry.view for entry in self._entries.values()))
        try:
            views = await reading.printer_views_of(self._farm, meant)
        except BaseException:
            self._stale |= stale  # who asks next tries again
            raise
        for printer_id in meant.difference(view.printer.printer_id for view in views):
            if self._entries.pop(printer_id, None) is not None:  # it is retired
                self._number, self._listed = self._number + 1, None
                self._standing_number += 1
        known = len(self._entries)
        for view in views:
            self._put(view)
        if len(self._entries) > known:
            self._entries = dict(sorted(self._entries.items()))

    def _put(self, view: PrinterView) -> None:
        printer_id = view.printer.printer_id
        self._of_agent.setdefault(view.printer.agent_id, set()).add(printer_id)
        self._moved.discard(printer_id)
        standing_part = standing_document(view)
        standing = packed(standing_part)
        known = self._entries.get(printer_id)
        written = known.written if known is not None and known.standing == standing else ""
        if not written:
            written = digest(standing)
            self._standing_number += 1
        now_part = now_document(view)
        self._number += 1
        self._listed = None
        self._entries[printer_id] = Entry(
            view=view,
            document={**standing_part, **now_part},
            standing=standing,
            written=written,
            body=standing[:-1] + b"," + packed(now_part)[1:],
            number=self._number,
        )

    def _look(self) -> None:
        """Take over what printers said of themselves."""
        moved, self._moved = self._moved, set()
        for printer_id in moved:
            entry = self._entries.get(printer_id)
            if entry is None:
                continue
            entry.view = reading.looked_at(self._farm.live, entry.view)
            now_part = now_document(entry.view)
            self._number += 1
            self._listed = None
            entry.document = {**entry.document, **now_part}
            entry.body = entry.standing[:-1] + b"," + packed(now_part)[1:]
            entry.number = self._number
