"""The provider: every family of tasks has the same verbs below a path of its own.

A lost submit is found again in its family's list: by our key where the tasks keep a name, else by
what was asked for.
"""

import hmac
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import structlog

from coordinator.adapters.providers.bare import Bare
from coordinator.adapters.providers.blaming import Reply, Spoken, read_plainly
from coordinator.adapters.providers.http import Api
from coordinator.adapters.providers.meshy import asking
from coordinator.adapters.providers.meshy.telling import UNIT, balance_of, look_of
from coordinator.adapters.providers.options import MIB, key_of, options_of
from coordinator.domain.providing import (
    Again,
    Blame,
    CallingOff,
    Cancels,
    Cost,
    Handle,
    Health,
    Hint,
    Kind,
    Look,
    Offer,
    Phase,
    ProviderFault,
    Submitted,
    Wish,
)
from coordinator.ports_providers import Told, Tools

_log = structlog.get_logger(__name__)

_PAGE = 50
_PAGES_MAX = 20
_STREAM_S = 1800.0
# How far its clock and ours may be apart, where tasks are told from older ones.
_CLOCKS_APART = timedelta(minutes=2)
_FULL = ("NoMoreConcurrentTasks", "NoMorePendingTasks")
_ENDED = (Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED)


class Meshy(Bare):
    """Implements `Provider`, `Watched` and `Deletes`."""

    _title = "Meshy"

    def __init__(self, name: str, options: Mapping[str, Any], tools: Tools) -> None:
        """Take its table of the settings; see `ProviderMaker`."""
        self._options = options_of(asking.MeshyOptions, name, options)
        key = key_of(name, self._options)
        self._secret = self._options.webhook_secret.get_secret_value()
        self._api = Api(
            "Meshy",
            self._options,
            tools,
            headers={"Authorization": f"Bearer {key}"},
            secrets=[key, self._secret],
            reads=_read,
        )
        self._words_told: set[str] = set()
        self.offer = Offer(
            service="meshy",
            title="Meshy",
            kinds=frozenset({Kind.TEXT, Kind.IMAGE, Kind.MULTIVIEW, Kind.MESH}),
            prompt_chars_max=asking.PROMPT_CHARS_MAX,
            pictures_max=asking.PICTURES_MAX,
            picture_bytes_max=20 * MIB,
            mesh_types=(".stl", ".obj", ".glb", ".gltf"),
            mesh_bytes_max=self._options.mesh_bytes_max,
            options=asking.OPTIONS,
            again=Again.LISTED,
            cancels=Cancels.WAITING,
            at_once_max=10,  # by the smallest plan
        )

    def objection(self, wish: Wish) -> str:
        """Return why this wish can't be met."""
        return asking.objection(self.offer, wish, self._options)

    async def estimate(self, wish: Wish) -> Cost | None:
        """Return the credits of its price list, None where it is free."""
        amount = asking.price_of(wish, self._options)
        return Cost(amount=amount, unit=UNIT) if amount else None

    async def submit(self, wish: Wish, key: str, told: Told) -> Submitted:
        """Make a task; see the port."""
        del told
        body = asking.body_of(wish, self._options, key)
        path = asking.PATHS[asking.family_of(wish)]
        reply = await self._api.call("POST", path, json=body, paid=True)
        return Submitted(handle=self._handle(reply.text_at("result"), wish))

    async def recall(self, wish: Wish, key: str, since: datetime) -> Handle | None:
        """Find a task in the list of its family; see the port.

        Raises:
            ProviderFault: `SUBMIT_UNSURE`: several might be it.
        """
        family = asking.family_of(wish)
        found = [task async for task in self._newer(family, since - _CLOCKS_APART)]
        mine = [task for task in found if task.get("name") == key]
        if not mine:
            mine = [task for task in found if not task.get("name") and asking.alike(task, wish)]
        if len(mine) > 1:
            raise ProviderFault(
                Blame.SUBMIT_UNSURE,
                "several_alike",
                f"Meshy has {len(mine)} tasks that might be this one: see its list of tasks",
            )
        return self._handle(str(mine[0]["id"]), wish) if mine else None

    async def look(self, handle: Handle) -> Look:
        """Return how a task is."""
        reply = await self._api.call("GET", _place(handle))
        return self._seen(reply.document(), handle)

    async def watch(self, handle: Handle) -> AsyncGenerator[Look, None]:
        """Yield looks while the task goes on; see `Watched`."""
        events = self._api.events("GET", f"{_place(handle)}/stream", within_s=_STREAM_S)
        async with aclosing(events):
            async for event in events:
                try:
                    said = json.loads(event.data)
                except ValueError as error:
                    raise _unreadable("an event is no JSON") from error
                if event.name == "error" or not isinstance(said, dict):
                    raise _unreadable("its stream tells of an error")
                look = self._seen(said, handle)
                yield look
                if look.phase in _ENDED:
                    return

    async def call_off(self, handle: Handle) -> CallingOff:
        """Remove a task that waits.

        One that runs Meshy would refuse to remove; one that ended a moment later it would not, and
        what was paid for would be gone. So it is not asked.
        """
        try:
            look = await self.look(handle)
            if look.phase is Phase.CANCELLED:
                return CallingOff.DONE
            if look.phase is not Phase.QUEUED:
                return CallingOff.REFUSED
            reply = await self._api.call("DELETE", _place(handle), accepts=(409,))
        except ProviderFault as fault:
            if fault.blame is Blame.EXPIRED:
                return CallingOff.UNKNOWN
            raise
        return CallingOff.REFUSED if reply.status == 409 else CallingOff.DONE

    async def delete(self, handle: Handle) -> None:
        """Remove a task and its files."""
        await self._api.call("DELETE", _place(handle), accepts=(404,))

    async def health(self) -> Health:
        """Return what is left of the credits."""
        try:
            reply = await self._api.call("GET", "/openapi/v1/balance")
            return Health(ready=True, balance=balance_of(reply.document()))
        except ProviderFault as fault:
            return Health(ready=False, words=fault.message)

    def hints(self, headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
        """Return which task a webhook speaks of; it shows a shared secret, and signs nothing."""
        shown = headers.get("x-meshy-api-webhook-secret-key", "")
        if not self._secret or not hmac.compare_digest(shown.encode(), self._secret.encode()):
            raise ProviderFault(
                Blame.AUTH_CONFIG, "bad_signature", "a webhook did not show the webhook_secret"
            )
        try:
            said = json.loads(body)
            task_id = said["id"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return []
        if not isinstance(task_id, str):
            return []
        seen = f"{task_id}:{said.get('status')}:{said.get('progress')}"
        return [Hint(task_id=task_id, delivery_id=seen[:200])]

    def _handle(self, task_id: str, wish: Wish) -> Handle:
        made_by = asking.model_of(wish, self._options)
        extra = {"family": asking.family_of(wish), "service_model": made_by}
        return Handle(task_id=task_id, extra=extra)

    async def _newer(self, family: str, since: datetime) -> AsyncIterator[dict[str, Any]]:
        """Yield the tasks of a family that were made then or later."""
        for page in range(1, _PAGES_MAX + 1):
            query = {"page_num": str(page), "page_size": str(_PAGE), "sort_by": "-created_at"}
            reply = await self._api.call("GET", asking.PATHS[family], query=query)
            tasks = reply.json()
            if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
                raise reply.nonsense("it is no list of tasks")
            for task in tasks:
                made_at = task.get("created_at")
                if not isinstance(made_at, int) or not isinstance(task.get("id"), str):
                    raise reply.nonsense("a task has no id or no time")
                if datetime.fromtimestamp(made_at / 1000, UTC) < since:
                    return
                yield task
            if len(tasks) < _PAGE:
                return
        raise ProviderFault(
            Blame.SUBMIT_UNSURE,
            "list_too_long",
            "Meshy's list of tasks is too long to look through",
        )

    def _seen(self, task: Mapping[str, Any], handle: Handle) -> Look:
        look = look_of(task, str(handle.extra.get("service_model", "")))
        word = str(task.get("status"))[:40]
        if look.phase is Phase.UNKNOWN and word not in self._words_told:
            self._words_told.add(word)
            _log.warning("provider.word_unknown", provider="meshy", word=word)
        return look


def _place(handle: Handle) -> str:
    family = asking.PATHS.get(str(handle.extra.get("family")), asking.PATHS["text-to-3d"])
    return f"{family}/{quote(handle.task_id, safe='')}"


def _read(reply: Reply) -> Spoken:
    """Read a fault: `{"message": ...}`; that the account is full is told in its words."""
    spoken = read_plainly(reply)
    full = next((word for word in _FULL if word in f"{spoken.code} {spoken.message}"), "")
    if reply.status == 429 and full:
        return Spoken(blame=Blame.WAIT_SLOT, code=full, message=spoken.message)
    return spoken


def _unreadable(words: str) -> ProviderFault:
    return ProviderFault(Blame.RETRY_SAFE, "stream_unusable", f"Meshy: {words}")
