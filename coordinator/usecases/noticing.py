"""Notices brought to people: gathered from the history, looked at again, sent, and only then past.

Each channel has a cursor of its own, so that a mail server that is down keeps nobody's phone
silent, and nothing is forgotten while it is. What was settled meanwhile is not told any more.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from coordinator.domain.effects import Note
from coordinator.domain.history import Line
from coordinator.domain.jobs import Job, JobState
from coordinator.domain.messages import wanted
from coordinator.domain.notices import (
    MATTERS,
    Channel,
    Matter,
    Notice,
    Pace,
    delay_s,
    matter_of,
    notice_of,
)
from coordinator.domain.wanting import Lack, alike, lack_of, material_wanted
from coordinator.errors import Unavailable
from coordinator.ports import Unit
from coordinator.ports_outward import People
from coordinator.usecases.farm import Farm
from coordinator.usecases.outgoing import look, things_of
from coordinator.usecases.performing import writing

log = structlog.get_logger(__name__)

# Lines that are no matter are written down as seen only so often.
UNWANTED_LINES_MAX = 1000
# More matters than this wait in the history, not in memory.
WAITING_MAX = 1000
# A job that came a moment ago may find its material yet; nobody looks further than this queue.
PATIENCE = timedelta(minutes=2)
JOBS_LOOKED_AT = 50
MATERIAL_WANTED = "job.material_wanted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way to people, as it is now.

    Attributes:
        behind: lines of history that were not looked at for it yet.
        failures: in a row; `due_at` is the next attempt then.
    """

    name: str
    behind: int
    failures: int
    due_at: datetime | None


async def ways(farm: Farm, people: Sequence[People]) -> list[Way]:
    """Return how each way to people is."""
    async with farm.store.read() as unit:
        head = (await unit.head()).number
        found = [(each.name, await unit.channel(each.name)) for each in people]
    return [
        Way(
            name=name,
            behind=head - known.cursor if known is not None else 0,
            failures=known.failures if known is not None else 0,
            due_at=known.due_at if known is not None else None,
        )
        for name, known in found
    ]


async def send_test(farm: Farm, people: People, actor: str) -> None:
    """Send a notice that asks nothing of anybody.

    Raises:
        Unavailable: it was not taken; the words are the other end's.
    """
    title = "test: notices come through"
    text = f"{actor} sent this to see whether notices come through. There is nothing to do."
    key = farm.ids.new("test")
    await people.send(Notice(key=key, title=title, text=text, urgent=False))


class Herald:
    """Tells people by one way."""

    def __init__(self, farm: Farm, people: People, pace: Pace, types: Sequence[str]) -> None:
        """Take the way; nothing is sent yet.

        Args:
            types: patterns of the types that are told.
        """
        self._farm = farm
        self._people = people
        self.keep_to(pace, types)
        self._waiting: list[tuple[Line, str]] = []
        self._looked: int | None = None

    @property
    def name(self) -> str:
        """The name of its way."""
        return self._people.name

    def keep_to(self, pace: Pace, types: Sequence[str]) -> None:
        """Have another pace, and tell of other types, from the next look on."""
        self._pace = pace
        self._wants: Callable[[str], bool] = lambda kind: kind in MATTERS and wanted(types, kind)

    async def look(self) -> None:
        """Send what is due."""
        channel = await self._channel()
        await self._gather(channel)
        now = self._farm.clock.now()
        if not self._waiting:
            if self._upto(channel) - channel.cursor >= UNWANTED_LINES_MAX:
                await self._save(replace(channel, cursor=self._upto(channel)))
            return
        since = datetime.fromisoformat(self._waiting[0][0].at)
        if (channel.due_at is not None and now < channel.due_at) or not self._pace.gathered(
            since, now
        ):
            return
        if matters := await self._matters():
            if self._pace.is_quiet(now.astimezone().time()) and not any(
                each.urgent for each in matters
            ):
                return
            try:
                await self._people.send(notice_of(matters))
            except Unavailable as error:
                await self._failed(channel, error, now)
                return
            log.info("notice.sent", channel=channel.name, matters=len(matters))
        if channel.failures:
            log.info("notice.recovered", channel=channel.name)
        await self._save(Channel(name=channel.name, cursor=self._upto(channel)))
        self._waiting.clear()

    async def _channel(self) -> Channel:
        """Return how far the channel is; a new one begins with what happens from now on."""
        async with self._farm.store.read() as unit:
            known = await unit.channel(self._people.name)
            head = (await unit.head()).number
        if known is None:
            known = Channel(name=self._people.name, cursor=head)
            await self._save(known)
        return known

    async def _save(self, channel: Channel) -> None:
        async with self._farm.store.write() as unit:
            await unit.save_channel(channel)

    def _upto(self, channel: Channel) -> int:
        return channel.cursor if self._looked is None else self._looked

    async def _gather(self, channel: Channel) -> None:
        end = False
        while not end and len(self._waiting) < WAITING_MAX:
            async with self._farm.store.read() as unit:
                looked = await look(unit, self._wants, after=self._upto(channel))
            self._looked, end = looked.upto, looked.end
            if looked.found is not None:
                self._waiting.append(looked.found)
                self._looked = looked.found[0].number

    async def _matters(self) -> list[Matter]:
        """Return what of all that waits is still a matter."""
        async with self._farm.store.read() as unit:
            found = [
                matter_of(line, its_type, await things_of(unit, line))
                for line, its_type in self._waiting
            ]
        return [each for each in found if each is not None]

    async def _failed(self, channel: Channel, error: Unavailable, now: datetime) -> None:
        failures = channel.failures + 1
        due_at = now + timedelta(seconds=delay_s(failures))
        await self._save(replace(channel, failures=failures, due_at=due_at))
        if failures == 1:
            log.warning("notice.not_sent", channel=channel.name, error=error.message)


async def note_material_wanted(farm: Farm) -> None:
    """Write down, once a job, that no printer holds the material that it needs."""
    now = farm.clock.now()
    async with farm.store.read() as unit:
        notes = await _material_notes(unit, now)
    for note in notes:
        async with writing(farm, "farm", "dispatch") as transaction:
            await transaction.perform((note,))


@dataclass(frozen=True, slots=True)
class Lacks:
    """Which jobs wait for nothing but material, as of a line of history."""

    those: tuple[tuple[Job, Lack], ...]
    history: int


async def lacks(farm: Farm) -> tuple[tuple[Job, Lack], ...]:
    """Return the jobs that wait for nothing but material, of those that are served next.

    Every page that is open asks, again and again: it is looked at once for all of them, and anew
    only after something was decided.
    """

    async def make(before: Lacks | None) -> Lacks:
        async with farm.store.read() as unit:
            history = (await unit.head()).number
            if before is not None and before.history == history:
                return before
            return Lacks(tuple(await _lacks(unit)), history)

    return (await farm.live.lacks.get(farm.clock, make)).those


async def _lacks(unit: Unit) -> list[tuple[Job, Lack]]:
    groups = alike(await unit.printers(online=True))
    jobs = await _next(unit) if groups else []
    plates = await unit.plates_of([job.job_id for job in jobs])
    found = []
    for job in jobs:
        lack = lack_of(job, plates[job.job_id], groups)
        if lack is not None:
            found.append((job, lack))
        await asyncio.sleep(0)  # others have their turn
    return found


async def _next(unit: Unit) -> list[Job]:
    # A model whose material nobody holds is not even prepared.
    unprepared = await unit.jobs((JobState.RECEIVED,))
    wanting = await unit.jobs_wanting(offset=0, limit=JOBS_LOOKED_AT)
    return [*unprepared[:JOBS_LOOKED_AT], *wanting]


async def _material_notes(unit: Unit, now: datetime) -> list[Note]:
    groups = alike(await unit.printers(online=True))
    notes = []
    for job in await _next(unit) if groups else []:
        if now - job.updated_at < PATIENCE:
            continue
        words = material_wanted(job, await unit.plates(job.job_id), groups)
        if not words:
            continue
        told = await unit.history("job", job.job_id)
        if all(line.name != MATERIAL_WANTED for line in told):
            note = Note(subject="job", subject_id=job.job_id, name=MATERIAL_WANTED, cause=words)
            notes.append(note)
    return notes
