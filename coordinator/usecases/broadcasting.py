"""The farm told to programs beside it, over MQTT: all of it at first, then what changed.

Theory. A session with the broker begins with everything, for a broker may have lost what it
retained; from then on only what differs from what was told last in this session is told again.
What was decided goes out at once; what is measured, of each printer every `LIVE_S` at most, and
after everything that was decided. A rate bounds all of it, so that a farm of any size can't drown
whoever listens. Who is away is not told about: what was said of them stays as it was.
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
from coordinator.usecases.update_views import updates_seen
from protocols.wire.vocabulary import AgentId, PrinterId

log = structlog.get_logger(__name__)

# What changed is gathered for so long: a run's start is some changes within milliseconds.
TICK_S = 0.1
LOOK_S = 1.0
# A print of hours needs no more, and Home Assistant keeps each value for days.
LIVE_S = 5.0
# Somebody who has just had a printer do something looks for what comes of it.
LIVELY_S, LIVELY_FOR_S = 1.0, 10.0
AGENTS_S = 30.0
FARM_S = 2.0
TROUBLES_S = 30.0
# So many printers' measurements between two looks at what was decided.
LIVE_AT_ONCE = 10
# All of a farm of 250 printers at once; then so many that a Pi with Home Assistant keeps up.
RATE = Rate(burst=1000, period_s=0.02)
# Brokers limit messages, ours as `configs/mosquitto` has it to 300,000 bytes.
PICTURE_BYTES_MAX = 256 * 1024
# Home Assistant starts with much else; and its neighbours tell it everything in the same moment.
BIRTH_SPREAD_S = 5.0
# A store or broker that does not answer: soon, but without haste.
RETRY_S = 1.0


@dataclass(slots=True)
class _Changed:
    """What is to be looked at; what was decided, and what was measured, in the order it came."""

    things: set[Thing] = field(default_factory=set)
    moved: dict[PrinterId, None] = field(default_factory=dict)
    pictures: set[PrinterId] = field(default_factory=set)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)


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
        self._changed = _Changed()
        self._views: dict[PrinterId, PrinterView] = {}
        self._told: dict[str, bytes] = {}
        self._live: dict[PrinterId, Document] = {}
        self._live_at_s: dict[PrinterId, float] = {}
        self._lively_until_s: dict[PrinterId, float] = {}
        self._agents: dict[AgentId, Document] = {}
        self._agent_ids: set[AgentId] = set()
        self._agents_at_s = self._farm_at_s = self._troubles_at_s = 0.0
        self._troubles: dict[str, str] = {}
        self._farm_moved = False
        self._empty_at_s = 0.0
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
                except FarmError as error:
                    self._note("automation.waits", error)
                except Exception as error:  # the top of this side: a defect must not end the farm
                    self._note("automation.failed", error)
                await asyncio.sleep(RETRY_S)

    def _note(self, event: str, error: Exception) -> None:
        """Log what is wrong, once while it is the same; the link tells of the broker itself."""
        if not self._link.session or self._trouble == repr(error):
            return
        self._trouble = repr(error)
        log.warning(event, reason=str(error), exc_info=not isinstance(error, FarmError))

    def is_born(self) -> None:
        """Tell everything again in a moment: Home Assistant has just come."""
        self._again_at_s = self._now_s() + self._chance() * BIRTH_SPREAD_S
        self._changed.arrived.set()

    # ------------------------------------------------------------------ what is heard

    def _hear(self, things: Collection[Thing]) -> None:
        if not self._link.session:
            return  # the next one begins with everything
        changed = self._changed
        for thing in things:
            if thing[0] == "sample":
                changed.moved[PrinterId(thing[1])] = None
            elif thing[0] not in ("host", "progress"):
                changed.things.add(thing)
        changed.arrived.set()

    def _hear_pictures(self, things: Collection[Thing]) -> None:
        self._changed.pictures.update(PrinterId(its_id) for _, its_id in things)
        self._changed.arrived.set()

    # ------------------------------------------------------------------ a session

    async def _one_session(self) -> None:
        session = self._link.session
        await self._begin()
        self._trouble = ""
        while self._link.session == session:
            await self._wait()
            if self._again_at_s is not None and self._now_s() >= self._again_at_s:
                self._again_at_s = None
                await self._say_all()
            await self._tell()

    async def _begin(self) -> None:
        """Tell everything, and take back what is retained of what is gone."""
        self._told.clear()
        self._pictures.clear()
        if self._discovery is not None:
            await self._discovery.begin(self._link.kept)
        await self._happenings.begin()
        changed = self._changed
        changed.things.clear()
        async with self._farm.store.read() as unit:
            agents = await unit.agents()
        self._agent_ids = {agent.agent_id for agent in agents}
        self._views = {
            view.printer.printer_id: view for view in await reading.printer_views(self._farm)
        }
        changed.moved.update(dict.fromkeys(self._views))
        changed.pictures.update(self._views)
        self._agents_at_s = self._farm_at_s = self._troubles_at_s = 0.0
        await self._forget(self._gone())
        await self._tell_farm()
        await self._tell_agents()
        for view in self._views.values():
            await self._tell_printer(view)
            await self._tell_live(view.printer.printer_id)
        await self._say(Message(self._topics.status, ONLINE.encode()))

    def _gone(self) -> list[tuple[str, str]]:
        """Return of which printers and agents the broker retains something, that are no more."""
        kept = {
            found
            for topic, payload in self._link.kept.items()
            if payload and (found := self._topics.kept_of(topic)) is not None
        }
        there = {("printers", its_id) for its_id in self._views}
        return sorted(kept - there - {("agents", its_id) for its_id in self._agent_ids})

    async def _forget(self, gone: Iterable[tuple[str, str]]) -> None:
        """Take back all that is retained of printers and agents."""
        # First what it means to somebody: of an empty document entities would complain.
        if self._discovery is not None:
            for message in self._discovery.removed([*self._views], self._agent_ids):
                await self._say(message)
        for kind, its_id in gone:
            is_printer = kind == "printers"
            topics = self._topics.of_printer if is_printer else self._topics.of_agent
            for topic in topics(its_id):
                await self._say(Message(topic, b""))
                self._told.pop(topic, None)

    async def _wait(self) -> None:
        """Return when there may be something to tell."""
        arrived = self._changed.arrived
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await arrived.wait()
        arrived.clear()
        await asyncio.sleep(TICK_S)

    async def _tell(self) -> None:
        """Tell what changed since the last look."""
        changed = self._changed
        things, changed.things = changed.things, set()
        try:
            await self._tell_decided(things)
        except BaseException:
            changed.things |= things
            raise
        now_s = self._now_s()
        due = [each for each in changed.moved if now_s >= self._live_due_s(each, now_s)]
        for printer_id in due[:LIVE_AT_ONCE]:
            del changed.moved[printer_id]
            await self._tell_live(printer_id)
        if len(due) > LIVE_AT_ONCE:
            changed.arrived.set()
        await self._tell_pictures()
        if now_s >= self._agents_at_s + AGENTS_S:
            await self._tell_agents()
        if now_s >= self._farm_at_s + (FARM_S if self._farm_moved else TROUBLES_S):
            await self._tell_farm()

    def _live_due_s(self, printer_id: PrinterId, now_s: float) -> float:
        """Return when what was measured of a printer may be told again."""
        lively = now_s < self._lively_until_s.get(printer_id, 0.0)
        return self._live_at_s.get(printer_id, 0.0) + (min(LIVELY_S, LIVE_S) if lively else LIVE_S)

    async def _tell_decided(self, things: Collection[Thing]) -> None:
        if not things:
            return
        meant = printers_showing(things, self._views.values())
        views = await reading.printer_views_of(self._farm, meant) if meant else []
        for view in views:
            self._views[view.printer.printer_id] = view
            self._lively_until_s[view.printer.printer_id] = self._now_s() + LIVELY_FOR_S
            await self._tell_printer(view)
        if lost := meant - {view.printer.printer_id for view in views}:
            for printer_id in lost:
                self._views.pop(printer_id, None)
            await self._forget(("printers", printer_id) for printer_id in lost)
        if any(subject in ("agent", "release", "rollout") for subject, _ in things):
            await self._tell_agents()
        for message in await self._happenings.news():
            await self._say(message)
        self._farm_moved = True

    # ------------------------------------------------------------------ what is told

    async def _tell_printer(self, view: PrinterView) -> None:
        """Tell what a printer is; have it discovered first, so that nothing is told to nobody."""
        printer = view.printer
        if self._discovery is not None:
            for message in self._discovery.printer(view):
                await self._say(message)
        document = documents.printer_document(_seen(view))
        await self._keep(self._topics.printer(printer.printer_id), packed(document))
        online = ONLINE if documents.reachable(printer) else OFFLINE
        await self._keep(self._topics.online(printer.printer_id), online.encode())

    async def _tell_live(self, printer_id: PrinterId) -> None:
        known = self._views.get(printer_id)
        if known is None:
            return
        view = reading.looked_at(self._farm.live, known)
        findings_changed = (view.findings, view.waits_for) != (known.findings, known.waits_for)
        self._views[printer_id] = view
        if findings_changed or (self._discovery is not None and self._discovery.learns(view)):
            await self._tell_printer(view)
        before = self._live.get(printer_id)
        document = documents.live_document(_seen(view), before) or before
        if document is not None:
            self._live_at_s[printer_id] = self._now_s()
            self._live[printer_id] = document
            await self._keep(self._topics.live(printer_id), packed(document), qos=0)

    async def _tell_pictures(self) -> None:
        pictures = self._changed.pictures
        while pictures:
            printer_id = pictures.pop()
            picture = await self._farm.pictures.newest(printer_id)
            if picture is None or len(picture.data) > PICTURE_BYTES_MAX:
                continue  # a broker may end the connection of who says more
            if printer_id in self._views and self._pictures.get(printer_id) != picture.tag:
                await self._say(Message(self._topics.picture(printer_id), picture.data, qos=0))
                self._pictures[printer_id] = picture.tag

    async def _tell_agents(self) -> None:
        self._agents_at_s = self._now_s()
        live = self._farm.live
        agents, updates = await updates_seen(self._farm)
        there = {agent.agent_id for agent in agents}
        gone, self._agent_ids = self._agent_ids - there, there
        if gone:
            await self._forget(("agents", agent_id) for agent_id in gone)
        for agent in agents:
            its_id = agent.agent_id
            host = live.hosts.get(its_id)
            document = documents.agent_document(
                agent, host, draining=its_id in live.draining, update=updates[its_id]
            )
            known = self._agents.get(its_id)
            if host is None and known is not None:
                # What its machine told before stays.
                document |= {name: known[name] for name in documents.OF_MACHINE}
            document = self._agents[its_id] = documents.steady_agent(document, known)
            if self._discovery is not None:
                for message in self._discovery.agent(agent):
                    await self._say(message)
            await self._keep(self._topics.agent(its_id), packed(document))
            online = ONLINE if agent.online else OFFLINE
            await self._keep(self._topics.agent_online(its_id), online.encode())

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
            for message in self._discovery.farm():
                await self._say(message)
        await self._keep(self._topics.farm, packed(documents.farm_document(seen)))

    async def _say_all(self) -> None:
        """Say again what was said in this session; who came just now has heard none of it."""
        if self._discovery is not None:
            for message in self._discovery.all():
                await self._say(message)
        for topic, payload in list(self._told.items()):
            await self._say(Message(topic, payload))
        self._pictures.clear()
        self._changed.pictures.update(self._views)

    async def _keep(self, topic: str, payload: bytes, *, qos: int = 1) -> None:
        """Have the broker retain this, where it does not already."""
        if self._told.get(topic) != payload:
            await self._say(Message(topic, payload, qos=qos))
            self._told[topic] = payload

    async def _say(self, message: Message) -> None:
        verdict = arrive(RATE, self._empty_at_s, self._now_s())
        self._empty_at_s = verdict.empty_at_s
        if not verdict.admitted:
            self._empty_at_s += RATE.period_s
            await asyncio.sleep(verdict.wait_s)
        await self._link.say(message)

    def _now_s(self) -> float:
        return self._farm.clock.monotonic()


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
