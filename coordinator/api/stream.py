"""The farm as it changes, told to everybody who looks on.

Theory. As long as somebody looks on, a picture of the farm is taken whenever something changed, not
more often than a few times a second, and told as the difference to the one before. It is encoded
once for all who may see the same. Who comes gets the picture that the next difference belongs to.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import structlog

from coordinator.api.board import Board
from coordinator.api.packing import packed
from coordinator.api.pictures import (
    COUNTS,
    GENERATIONS,
    HISTORY,
    JOBS,
    PRINTERS,
    Delta,
    Document,
    Picture,
    between,
    only,
)
from coordinator.api.render import event_document
from coordinator.api.render_live import (
    generation_glance_document,
    job_glance_document,
    with_ratio,
    with_stage,
)
from coordinator.api.seats import Audience, Ending, Message, Seat
from coordinator.domain import generations as domain
from coordinator.domain.history import Thing
from coordinator.domain.jobs import ENDED
from coordinator.errors import FarmError, Unavailable
from coordinator.usecases import watching
from coordinator.usecases.farm import Farm
from protocols.wire.vocabulary import JobId

log = structlog.get_logger(__name__)

# Between two messages, where something was decided, and where only live values changed.
DECIDED_S, MEASURED_S = 0.1, 0.5
# While plates are being sliced: nobody tells of that.
SLICING_S = 1.0
SEATS_MAX = 200
# So many jobs, runs and plates may change while nobody looks on.
THINGS_MAX = 5000

# Told once more, as it ended, and then no longer.
_OVER = frozenset(state.value for state in domain.ENDED)
_MEASURED = frozenset({"sample", "host", "progress"})


class Stream:
    """The live connections of one farm; `run` has to run as long as there are any."""

    def __init__(self, farm: Farm, board: Board) -> None:
        """Begin with nobody looking on."""
        self._farm, self._board = farm, board
        self._id = farm.ids.new("stream")
        self._audiences: dict[frozenset[str], Audience] = {}
        self._picture = Picture()
        self._bodies: dict[str, bytes] = {}
        self._things: set[Thing] = set()
        self._number: int | None = None
        # Somebody looks on; anything changed; something was decided.
        self._watched, self._moved, self._decided = (asyncio.Event() for _ in range(3))
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Tell what changes, until cancelled."""
        loop = asyncio.get_running_loop()
        told_s = 0.0
        with self._farm.live.news.heard(self._hear):
            while True:
                await self._due()
                await _until(self._decided, told_s + MEASURED_S - loop.time())
                await asyncio.sleep(told_s + DECIDED_S - loop.time())
                told_s = loop.time()
                try:
                    async with self._turn:
                        await self._tell()
                except FarmError as error:
                    log.warning("live.waits", reason=str(error))
                except Exception:  # the top of this side: a defect must not end all connections
                    log.exception("live.failed")

    @asynccontextmanager
    async def seat(self, parts: frozenset[str], after: str = "") -> AsyncIterator[Seat]:
        """Look on, at some parts, as long as the block lasts.

        Args:
            after: the id of the last message that was got, as `message_id` made it.

        Raises:
            Unavailable: too many look on.
        """
        if self.seats >= SEATS_MAX:
            raise Unavailable("too_many_watch", f"{SEATS_MAX} live connections are open already")
        seat = Seat()
        async with self._turn:
            if not self.seats:
                await self._tell()
            audience = self._audiences.setdefault(parts, Audience())
            missed = self._missed(audience, after)
            for message in [self._snapshot(parts, audience)] if missed is None else missed:
                seat.offer(message)
            audience.seats.add(seat)
            self._watched.set()
        try:
            yield seat
        finally:
            audience.seats.discard(seat)
            if not self.seats:
                self._watched.clear()

    def resync(self, parts: frozenset[str], seat: Seat) -> None:
        """Have somebody get a snapshot, who missed something."""
        seat.offer(self._snapshot(parts, self._audiences[parts]))

    def message_id(self, message: Message) -> str:
        """Return what tells a message from all others of this farm."""
        return f"{self._id}.{message.sequence}"

    def close(self) -> None:
        """Have all connections closed."""
        for audience in self._audiences.values():
            for seat in audience.seats:
                seat.end(Ending.STOPPING)

    @property
    def seats(self) -> int:
        """How many look on."""
        return sum(len(audience.seats) for audience in self._audiences.values())

    def _hear(self, things: Collection[Thing]) -> None:
        decided = [thing for thing in things if thing[0] not in _MEASURED]
        self._things.update(decided)
        if len(self._things) > THINGS_MAX:
            self._forget()
        if decided:
            self._decided.set()
        self._moved.set()

    def _forget(self) -> None:
        """Begin anew: nobody looked on for long, and so much happened that all is read again."""
        self._things.clear()
        self._number = None
        for audience in self._audiences.values():
            audience.forget()

    async def _due(self) -> None:
        """Return when there is something to tell, and somebody to be told."""
        while True:
            await self._watched.wait()
            await _until(self._moved, SLICING_S)
            if self._moved.is_set() or self._farm.live.slicings:
                return

    async def _tell(self) -> None:
        """Take a picture, and tell how it differs from the one before."""
        self._moved.clear()
        self._decided.clear()
        things, self._things = self._things, set()
        try:
            picture, lines = await self._look(things)
        except BaseException:
            self._things |= things
            raise
        delta = between(self._picture, picture)
        self._picture = picture
        if lines:
            delta[HISTORY] = lines
        if len(lines) == watching.LINES_MAX:  # there are more
            self._hear((("history", ""),))
        for parts, audience in self._audiences.items():
            if seen := only(delta, parts):
                audience.say(self._message("delta", audience.sequence + 1, seen))

    async def _look(self, things: Collection[Thing]) -> tuple[Picture, list[object]]:
        glance = (
            await watching.glance_at_all(self._farm)
            if self._number is None
            else await watching.glance_at(self._farm, things, self._number)
            if things
            else None
        )
        generations = await self._generations(things)
        known = self._picture.jobs if self._number is not None else {}
        jobs = {its_id: job for its_id, job in known.items() if _is_open(job)}
        lines: list[object] = []
        states = self._picture.counts.get("jobs", {})
        if glance is not None:
            lines = [event_document(line) for line in glance.lines]
            jobs |= {each.job.job_id: job_glance_document(each) for each in glance.jobs}
            states, self._number = dict(glance.states), glance.number
        for its_id in jobs:
            jobs[its_id] = with_ratio(jobs[its_id], self._farm.live.preparing(JobId(its_id)))
        entries = list(await self._board.entries())
        printers = {entry.document["id"]: entry.document for entry in entries}
        self._bodies = {entry.document["id"]: entry.body for entry in entries}
        counts = {
            "printers": dict(Counter(printer["status"] for printer in printers.values())),
            "jobs": states,
        }
        picture = Picture(printers=printers, jobs=jobs, generations=generations, counts=counts)
        return picture, lines

    async def _generations(self, things: Collection[Thing]) -> dict[str, Document]:
        """Return the open generations, and those that have just ended."""
        farm, known = self._farm, self._picture.generations
        if self._number is None:
            found, known = await watching.open_generations(farm), {}
        else:
            found = await watching.generations_of(farm, things)
        shown = {its_id: each for its_id, each in known.items() if each["state"] not in _OVER}
        shown |= {each.generation_id: generation_glance_document(each) for each in found}
        now = farm.live.generating
        return {its_id: with_stage(each, now.get(its_id)) for its_id, each in shown.items()}

    def _missed(self, audience: Audience, after: str) -> list[Message] | None:
        stream, _, sequence = after.rpartition(".")
        if stream != self._id or not sequence.isdigit() or len(sequence) > 18:
            return None
        return audience.missed(int(sequence))

    def _snapshot(self, parts: frozenset[str], audience: Audience) -> Message:
        """Return the picture that the audience's next delta belongs to."""
        if audience.snapshot is None:
            shown: Delta = {}
            if JOBS in parts:
                shown[JOBS] = list(self._picture.jobs.values())
            if GENERATIONS in parts:
                shown[GENERATIONS] = list(self._picture.generations.values())
            if COUNTS in parts:
                shown[COUNTS] = self._picture.counts
            message = self._message("snapshot", audience.sequence, shown)
            # The board has the printers' bytes already.
            printers = b",".join(self._bodies.values()) if PRINTERS in parts else b""
            body = message.body[:-1] + b',"printers":[' + printers + b"]}"
            audience.snapshot = Message("snapshot", audience.sequence, body)
        return audience.snapshot

    def _message(self, kind: str, sequence: int, parts: Delta) -> Message:
        body = {"kind": kind, "stream": self._id, "sequence": sequence, **parts}
        return Message(kind, sequence, packed(body))


def _is_open(job: object) -> bool:
    return isinstance(job, dict) and job["state"] not in ENDED


async def _until(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but not longer."""
    if seconds <= 0:
        return
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
