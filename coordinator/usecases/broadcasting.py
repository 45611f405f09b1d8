"""The farm told to programs beside it, over MQTT: all of it at first, then what changed.

Theory. A session with the broker begins with everything, for a broker may have lost what it
retained; from then on only what differs from what was told last in this session is told again.
What was decided is looked at by itself, and told at once; whatever is measured or looked up now and
then stands beside it and never in its way (`telling`): of each printer every `LIVE_S` at most, and
of all of them so many a second that who listens keeps up. Who is away is not told about: what was
said of them stays as it was.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from coordinator.domain.automation import documents
from coordinator.domain.automation.documents import Document, FarmSeen, PrinterSeen, packed
from coordinator.domain.automation.topics import OFFLINE, ONLINE, Message, Topics
from coordinator.domain.history import Thing
from coordinator.domain.rates import Rate, arrive
from coordinator.errors import FarmError
from coordinator.ports_automation import AutomationLink
from coordinator.usecases import reading
from coordinator.usecases.discovering import Discovering
from coordinator.usecases.farm import Farm
from coordinator.usecases.happening import Happenings
from coordinator.usecases.health import PARTS, health
from coordinator.usecases.reading import PrinterView
from coordinator.usecases.showing import printers_showing
from coordinator.usecases.telling import Telling
from coordinator.usecases.telling_agents import AgentsTold
from protocols.wire.vocabulary import AgentId, PrinterId

log = structlog.get_logger(__name__)

# What changed is gathered for so long: a run's start is some changes within milliseconds.
GATHER_S = 0.02
# What is measured is looked at so often.
TICK_S = 0.1
LOOK_S = 1.0
# A print of hours needs no more, and Home Assistant keeps each value for days.
LIVE_S = 5.0
# Somebody who has just had a printer do something looks for what comes of it.
LIVELY_S, LIVELY_FOR_S = 1.0, 10.0
AGENTS_S = 30.0
FARM_S = 2.0
TROUBLES_S = 30.0
# So many printers' measurements in one turn of the loop.
LIVE_AT_ONCE = 10
# Of 250 printers every 5 s, so that a Pi with Home Assistant keeps up; of more less often.
LIVE_RATE = Rate(burst=50, period_s=0.02)
# A broker that is behind: what is measured, and what happened, waits where it can't pile up.
WAITING_MAX = 100
# Brokers limit messages, ours as `configs/mosquitto` has it to 300,000 bytes.
PICTURE_BYTES_MAX = 256 * 1024
# Home Assistant starts with much else; and its neighbours tell it everything in the same moment.
BIRTH_SPREAD_S = 2.0
PICTURES_AT_ONCE = 10
# A store or broker that does not answer: soon, but without haste.
RETRY_S = 1.0


@dataclass(slots=True)
class _Changed:
    """What is to be looked at; what was decided, and what was measured, in the order it came."""

    things: set[Thing] = field(default_factory=set)
    decided: asyncio.Event = field(default_factory=asyncio.Event)
    moved: dict[PrinterId, None] = field(default_factory=dict)
    pictures: set[PrinterId] = field(default_factory=set)
    measured: asyncio.Event = field(default_factory=asyncio.Event)


class Broadcaster:
    """Tells one farm; `run` has to run."""

    def __init__(
        self,
        farm: Farm,
        link: AutomationLink,
        topics: Topics,
        discovery: Discovering | None,
        *,
        version: str,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Take the way to tell; nothing is told before `run`.

        Args:
            discovery: has Home Assistant discover what is told; None where nobody wants it.
            chance: 0 to 1, for a spread over time.
        """
        self._farm, self._link, self._topics = farm, link, topics
        self._discovery, self._version, self._chance = discovery, version, chance
        self._happenings = Happenings(farm, topics)
        self._telling = Telling(link, farm.clock.monotonic)
        self._changed = _Changed()
        self._views: dict[PrinterId, PrinterView] = {}
        self._live: dict[PrinterId, Document] = {}
        self._live_at_s: dict[PrinterId, float] = {}
        self._lively_until_s: dict[PrinterId, float] = {}
        self._live_empty_at_s = 0.0
        self._agents = AgentsTold(farm, self._telling, topics, discovery, self._forget_agents)
        self._farm_at_s = self._troubles_at_s = 0.0
        self._troubles: dict[str, str] = {}
        self._farm_moved = self._has_news = False
        self._again_at_s: float | None = None
        self._trouble = ""
        # What each printer's picture was called that was told; they are too large to be kept.
        self._pictures: dict[PrinterId, str] = {}

    async def run(self) -> None:
        """Tell, session after session, until cancelled."""
        live = self._farm.live
        with live.news.heard(self._hear), live.pictures.heard(self._hear_pictures):
            while True:
                await self._link.wait_up()
                try:
                    await self._one_session()
                except* FarmError as errors:
                    self._note("automation.waits", errors.exceptions[0])
                except* Exception as errors:  # the top of this side: it must not end the farm
                    self._note("automation.failed", errors.exceptions[0])
                await asyncio.sleep(RETRY_S)

    def _note(self, event: str, error: Exception) -> None:
        """Log what is wrong, once while it is the same; the link tells of the broker itself."""
        if not self._link.session or self._trouble == repr(error):
            return
        self._trouble = repr(error)
        log.warning(event, reason=str(error), exc_info=not isinstance(error, FarmError) and error)

    def is_born(self) -> None:
        """Tell everything again in a moment: Home Assistant has just come."""
        self._again_at_s = self._now_s() + self._chance() * BIRTH_SPREAD_S
        self._changed.measured.set()

    # ------------------------------------------------------------------ what is heard

    def _hear(self, things: Collection[Thing]) -> None:
        if not self._link.session:
            return  # the next one begins with everything
        changed = self._changed
        for thing in things:
            if thing[0] == "sample":
                changed.moved[PrinterId(thing[1])] = None
                changed.measured.set()
            elif thing[0] not in ("host", "progress"):
                changed.things.add(thing)
                changed.decided.set()

    def _hear_pictures(self, things: Collection[Thing]) -> None:
        self._changed.pictures.update(PrinterId(its_id) for _, its_id in things)
        self._changed.measured.set()

    # ------------------------------------------------------------------ a session

    async def _one_session(self) -> None:
        session = self._link.session
        self._telling.begin()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._telling.run(session), name="automation-says")
            await self._begin()
            self._trouble = ""
            tasks.create_task(self._decided(session), name="automation-decided")
            tasks.create_task(self._measured(session), name="automation-measured")

    async def _begin(self) -> None:
        """Tell everything, and take back what is retained of what is gone."""
        self._pictures.clear()
        if self._discovery is not None:
            await self._discovery.begin(self._link.kept)
        await self._happenings.begin()
        changed = self._changed
        changed.things.clear()
        async with self._farm.store.read() as unit:
            agents = await unit.agents()
        self._agents.ids = {agent.agent_id for agent in agents}
        self._views = {
            view.printer.printer_id: view for view in await reading.printer_views(self._farm)
        }
        changed.moved.update(dict.fromkeys(self._views))
        changed.pictures.update(self._views)
        self._troubles_at_s = 0.0
        self._forget(self._gone())
        await self._tell_farm()
        await self._agents.tell()
        for printer_id, view in list(self._views.items()):
            self._tell_printer(view)
            self._tell_live(printer_id, measured=False)
            await asyncio.sleep(0)  # a device has dozens of entities: others have their turn
        self._telling.say(Message(self._topics.status, ONLINE.encode()))

    def _gone(self) -> list[tuple[str, str]]:
        """Return of which printers and agents the broker retains something, that are no more."""
        kept = {
            found
            for topic, payload in self._link.kept.items()
            if payload and (found := self._topics.kept_of(topic)) is not None
        }
        there = {("printers", its_id) for its_id in self._views}
        return sorted(kept - there - {("agents", its_id) for its_id in self._agents.ids})

    def _forget(self, gone: Iterable[tuple[str, str]]) -> None:
        """Take back all that is retained of printers and agents."""
        # First what it means to somebody: of an empty document entities would complain.
        if self._discovery is not None:
            self._telling.say(*self._discovery.removed([*self._views], self._agents.ids))
        for kind, its_id in gone:
            is_printer = kind == "printers"
            for topic in (self._topics.of_printer if is_printer else self._topics.of_agent)(its_id):
                self._telling.forget(topic)

    def _forget_agents(self, gone: Collection[AgentId]) -> None:
        self._forget(("agents", agent_id) for agent_id in gone)

    async def _decided(self, session: int) -> None:
        """Tell what was decided, as it is, until the session is over."""
        changed = self._changed
        while self._link.session == session:
            await _arrived(changed.decided, LOOK_S)
            await asyncio.sleep(GATHER_S)
            things, changed.things = changed.things, set()
            await self._tell_decided(things)

    async def _measured(self, session: int) -> None:
        """Tell what is measured, and what is looked up now and then, until the session is over."""
        while self._link.session == session:
            until_again_s = LOOK_S
            if self._again_at_s is not None:
                until_again_s = min(max(0.0, self._again_at_s - self._now_s()), LOOK_S)
            await _arrived(self._changed.measured, until_again_s)
            await asyncio.sleep(TICK_S)
            now_s = self._now_s()
            if self._again_at_s is not None and now_s >= self._again_at_s:
                self._again_at_s = None
                self._tell_again()
            self._tell_moved(now_s)
            await self._tell_pictures()
            if now_s >= self._agents.told_at_s + AGENTS_S:
                await self._agents.tell()
            if now_s >= self._farm_at_s + (FARM_S if self._farm_moved else TROUBLES_S):
                await self._tell_farm()

    def _tell_moved(self, now_s: float) -> None:
        """Tell of the printers that measured something, as far as that is their turn."""
        moved = self._changed.moved
        due = [each for each in moved if now_s >= self._live_due_s(each, now_s)]
        for printer_id in due[:LIVE_AT_ONCE]:
            verdict = arrive(LIVE_RATE, self._live_empty_at_s, now_s)
            if not verdict.admitted or self._telling.others > WAITING_MAX:
                return
            del moved[printer_id]
            if self._tell_live(printer_id):
                self._live_empty_at_s = verdict.empty_at_s
        if len(due) > LIVE_AT_ONCE:
            self._changed.measured.set()

    def _live_due_s(self, printer_id: PrinterId, now_s: float) -> float:
        """Return when what was measured of a printer may be told again."""
        lively = now_s < self._lively_until_s.get(printer_id, 0.0)
        return self._live_at_s.get(printer_id, 0.0) + (min(LIVELY_S, LIVE_S) if lively else LIVE_S)

    async def _tell_decided(self, things: Collection[Thing]) -> None:
        if things:
            meant = printers_showing(things, self._views.values())
            views = await reading.printer_views_of(self._farm, meant) if meant else []
            for view in views:
                self._views[view.printer.printer_id] = view
                self._lively_until_s[view.printer.printer_id] = self._now_s() + LIVELY_FOR_S
                self._tell_printer(view)
            if lost := meant - {view.printer.printer_id for view in views}:
                for printer_id in lost:
                    self._views.pop(printer_id, None)
                self._forget(("printers", printer_id) for printer_id in lost)
            if any(subject in ("agent", "release", "rollout") for subject, _ in things):
                await self._agents.tell()
            self._farm_moved = self._has_news = True
        if self._has_news and self._telling.decided <= WAITING_MAX:
            self._telling.say(*await self._happenings.news())
            self._has_news = False

    # ------------------------------------------------------------------ what is told

    def _tell_printer(self, view: PrinterView) -> None:
        """Tell what a printer is; have it discovered first, so that nothing is told to nobody."""
        printer = view.printer
        if self._discovery is not None:
            self._telling.say(*self._discovery.printer(view))
        document = documents.printer_document(_seen(view))
        self._telling.keep(self._topics.printer(printer.printer_id), packed(document))
        online = ONLINE if documents.reachable(printer) else OFFLINE
        self._telling.keep(self._topics.online(printer.printer_id), online.encode())

    def _tell_live(self, printer_id: PrinterId, *, measured: bool = True) -> bool:
        """Tell what was measured of a printer; return whether there was anything to tell."""
        known = self._views.get(printer_id)
        if known is None:
            return False
        view = reading.looked_at(self._farm.live, known)
        findings_changed = (view.findings, view.waits_for) != (known.findings, known.waits_for)
        self._views[printer_id] = view
        if findings_changed or (self._discovery is not None and self._discovery.learns(view)):
            self._tell_printer(view)
        before = self._live.get(printer_id)
        document = documents.live_document(_seen(view), before) or before
        if document is None:
            return False
        self._live_at_s[printer_id] = self._now_s()
        self._live[printer_id] = document
        topic = self._topics.live(printer_id)
        return self._telling.keep(topic, packed(document), measured=measured)

    async def _tell_pictures(self) -> None:
        pictures = self._changed.pictures
        while pictures and self._telling.others < PICTURES_AT_ONCE:
            printer_id = pictures.pop()
            picture = await self._farm.pictures.newest(printer_id)
            if picture is None or len(picture.data) > PICTURE_BYTES_MAX:
                continue  # a broker may end the connection of who says more
            if printer_id in self._views and self._pictures.get(printer_id) != picture.tag:
                self._telling.show(self._topics.picture(printer_id), picture.data)
                self._pictures[printer_id] = picture.tag

    async def _tell_farm(self) -> None:
        now_s = self._farm_at_s = self._now_s()
        self._farm_moved = False
        if now_s >= self._troubles_at_s + TROUBLES_S:
            self._troubles_at_s = now_s
            found = await health(self._farm)
            self._troubles = {part: found.troubles.get(part, "") for part in PARTS}
        async with self._farm.store.read() as unit:
            jobs = await unit.job_states()
        seen = FarmSeen(
            version=self._version,
            printers=Counter(view.status for view in self._views.values()),
            jobs=jobs,
            troubles=self._troubles,
        )
        if self._discovery is not None:
            self._telling.say(*self._discovery.farm())
        self._telling.keep(self._topics.farm, packed(documents.farm_document(seen)))

    def _tell_again(self) -> None:
        """Say again what was said in this session; who came just now has heard none of it."""
        self._telling.again(self._discovery.all() if self._discovery is not None else ())
        self._pictures.clear()
        self._changed.pictures.update(self._views)

    def _now_s(self) -> float:
        return self._farm.clock.monotonic()


async def _arrived(event: asyncio.Event, within_s: float) -> None:
    """Return once something has come, or the time is over."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()
    event.clear()


def _seen(view: PrinterView) -> PrinterSeen:
    return PrinterSeen(
        printer=view.printer,
        status=view.status,
        run=view.run,
        job=view.job,
        sample=view.sample.printer if view.sample is not None else None,
        sampled_at=view.sample.seen_at if view.sample is not None else None,
        waits_for=view.waits_for,
        findings=view.findings,
    )
