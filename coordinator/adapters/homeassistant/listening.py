"""What comes in: presses of Home Assistant and its birth, requests of programs."""

import asyncio
import json
from collections.abc import Callable

import structlog

from coordinator.adapters.homeassistant.asking import request_of
from coordinator.domain.automation.documents import packed
from coordinator.domain.automation.topics import Message, Topics, is_request_id
from coordinator.domain.history import Plain
from coordinator.domain.homeassistant.verbs import UPDATE
from coordinator.domain.rates import Rate, arrive
from coordinator.errors import FarmError, NotFound, Refused, Unavailable
from coordinator.ports_automation import AutomationLink, Heard
from coordinator.usecases.automating import answer
from coordinator.usecases.gate import Gate
from coordinator.usecases.pressing import press, press_agent
from protocols.wire.vocabulary import AgentId, PrinterId, is_id

log = structlog.get_logger(__name__)

# A file may be fetched for minutes: others are answered meanwhile.
HANDS = 8
# An order with all its settings is some kilobytes.
REQUEST_BYTES_MAX = 64 * 1024
PRESS_BYTES_MAX = 256
RATE = Rate(burst=100, period_s=0.05)


class Listener:
    """Does what is asked at one link; `run` has to run."""

    def __init__(
        self,
        gate: Gate,
        link: AutomationLink,
        topics: Topics,
        *,
        born: str,
        armed: frozenset[str],
        is_born: Callable[[], None],
        file_bytes_max: int,
    ) -> None:
        """Take who lets programs in.

        Args:
            born: where Home Assistant says that it has come; `is_born` is told.
            armed: what it may ask beside the harmless.
            file_bytes_max: longest file that is fetched.
        """
        self._gate, self._link, self._topics = gate, link, topics
        self._born, self._armed, self._is_born = born, armed, is_born
        self._file_bytes_max = file_bytes_max
        self._in_flight: set[str] = set()
        self._empty_at_s = 0.0

    async def run(self) -> None:
        """Do what is asked until cancelled."""
        async with asyncio.TaskGroup() as hands:
            for number in range(HANDS):
                hands.create_task(self._work(), name=f"automation-hand-{number}")

    async def _work(self) -> None:
        while True:
            heard = await self._link.hear()
            try:
                await self._take(heard)
            except FarmError as error:
                log.warning("automation.refused", topic=heard.topic, reason=str(error))
            except Exception:  # the top of this side: a defect must not end the farm
                log.exception("automation.failed", topic=heard.topic)

    async def _take(self, heard: Heard) -> None:
        if heard.topic == self._born:
            if heard.payload == b"online" and not heard.retained:
                self._is_born()
        elif heard.topic == self._topics.requests:
            await self._answer(heard)
        elif (pressed := self._topics.pressed(heard.topic)) is not None:
            await self._press(heard, *pressed)

    async def _press(self, heard: Heard, its_id: str, verb: str) -> None:
        if heard.retained:
            # Whoever retained it would have it done at each start.
            await self._link.say(Message(heard.topic, b""))
            raise Refused("retained", "a retained press counts for nothing: it was removed")
        if not heard.payload:
            return  # that is how a retained one is removed
        if not is_id(its_id) or len(heard.payload) > PRESS_BYTES_MAX:
            raise NotFound("printer", its_id[:64])
        self._count()
        payload = heard.payload.decode("utf-8", "replace").strip()
        farm = self._gate.farm
        if verb == UPDATE:
            await press_agent(farm, AgentId(its_id), verb, self._armed)
        else:
            await press(farm, PrinterId(its_id), verb, payload, self._armed)
        log.info("automation.pressed", id=its_id, verb=verb)

    async def _answer(self, heard: Heard) -> None:
        if not heard.payload:
            return
        # It may hold a key, for everybody who may read there; and whether it is retained no broker
        # says to who listens already.
        await self._link.say(Message(heard.topic, b""))
        request_id = _id_in(heard.payload)
        if not request_id:
            raise Refused(
                "invalid_fields",
                f"a request is JSON of {REQUEST_BYTES_MAX} bytes at most, "
                "with an id of 1 to 64 of A-Z a-z 0-9 _ -",
            )
        try:
            told: dict[str, Plain] = {"ok": True, "result": await self._done(heard, request_id)}
        except FarmError as error:
            kind = "not_found" if isinstance(error, NotFound) else "unavailable"
            code = getattr(error, "code", kind)
            told = {"ok": False, "code": code, "message": str(error)}
            log.info("automation.refused", request_id=request_id, code=code)
        except Exception:  # the top of this side, as above; the sender is told
            log.exception("automation.failed", request_id=request_id)
            told = {"ok": False, "code": "internal_error", "message": "the farm's log has more"}
        said = packed({"id": request_id, **told})
        await self._link.say(Message(self._topics.answer(request_id), said, retain=False))

    async def _done(self, heard: Heard, request_id: str) -> dict[str, Plain]:
        if heard.retained:
            raise Refused("retained", "publish requests without retain: keys must not be kept")
        self._count()
        request = request_of(heard.payload)
        if request_id in self._in_flight:
            raise Refused("in_flight", "a request with this id is being answered now")
        self._in_flight.add(request_id)
        try:
            return await answer(
                self._gate, request.key, request_id, request.asked(), self._file_bytes_max
            )
        finally:
            self._in_flight.discard(request_id)

    def _count(self) -> None:
        verdict = arrive(RATE, self._empty_at_s, self._gate.farm.clock.monotonic())
        self._empty_at_s = verdict.empty_at_s
        if not verdict.admitted:
            raise Unavailable("too_many_requests", "too many requests: wait a moment")


def _id_in(payload: bytes) -> str:
    """Return what a request calls itself, empty where that is no id."""
    if len(payload) > REQUEST_BYTES_MAX:
        return ""
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return ""
    its_id = said.get("id") if isinstance(said, dict) else None
    return its_id if isinstance(its_id, str) and is_request_id(its_id) else ""
