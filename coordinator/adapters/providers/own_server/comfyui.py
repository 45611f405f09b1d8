"""A ComfyUI of one's own.

The name of a prompt is ours to choose, so a lost answer is no riddle: queue and history tell
whether it is there, asked in the order in which a prompt passes through them. Both are forgotten at
a restart, so a prompt that is in neither was lost; it is looked for twice before that is said.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from coordinator.adapters.providers.bare import Bare
from coordinator.adapters.providers.blaming import Reply, Spoken
from coordinator.adapters.providers.http import Api, Part
from coordinator.adapters.providers.json_pointer import text_at, value_at
from coordinator.adapters.providers.options import MIB, key_of, options_of
from coordinator.adapters.providers.own_server.comfyui_answers import (
    messages_of,
    pieces_of,
    place_in,
    spoken_of,
)
from coordinator.adapters.providers.own_server.comfyui_workflow import (
    ComfyUIOptions,
    offer_of,
    workflow_of,
)
from coordinator.adapters.providers.own_server.templates import fill
from coordinator.domain.providing import (
    Blame,
    CallingOff,
    Handle,
    Health,
    Look,
    Offer,
    Phase,
    ProviderFault,
    Submitted,
    Wish,
)
from coordinator.domain.wishes import objection_of
from coordinator.ports_providers import Told, Tools

# Every farm makes the same name of the same key; the id has to be a UUID in its usual form.
_NAMES = uuid.UUID("6a1f0d0e-0c1b-5b7e-9a55-3a3f64c1d2b7")
_FOLDER = "farmhand"
_SEED_MAX = 2**32 - 1
# Two looks without a trace: it is lost.
_MISSES_MAX = 2
_HEALTH_S = 10.0
# A history holds what nodes say of themselves; of a long one that is megabytes.
_ANSWER_BYTES_MAX = 64 * MIB


class ComfyUI(Bare):
    """Implements `Provider` over one ComfyUI and one workflow."""

    def __init__(self, name: str, options: Mapping[str, Any], tools: Tools) -> None:
        """Take its settings, and read the workflow; see `ProviderMaker`."""
        self._options = options_of(ComfyUIOptions, name, options)
        self._workflow = workflow_of(name, self._options)
        self._title = self._options.title or name
        key = key_of(name, self._options, needed=False)
        self._api = Api(
            self._title,
            self._options,
            tools,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            secrets=[key],
            reads=spoken_of,
        )
        self._misses: dict[str, int] = {}
        self._offer = offer_of(self._title, self._options)

    @property
    def offer(self) -> Offer:
        """What it takes and gives."""
        return self._offer

    def objection(self, wish: Wish) -> str:
        """Return why this wish can't be met."""
        return objection_of(self._offer, wish)

    async def submit(self, wish: Wish, key: str, told: Told) -> Submitted:
        """Put the workflow into its queue, under a name made of the key."""
        prompt_id = _prompt_id(key)
        seed = _seed_of(wish, prompt_id)
        values = {
            "prompt": wish.prompt,
            "seed": seed,
            "size_mm": wish.size_mm,
            "filename_prefix": f"{_FOLDER}/{prompt_id}",
            **{f"option.{name}": value for name, value in wish.options.items()},
            **await self._brought(wish, prompt_id),
        }
        reply = await self._api.call(
            "POST",
            "/prompt",
            json={
                "prompt": fill(self._workflow, values),
                "prompt_id": prompt_id,
                "client_id": _FOLDER,
            },
            paid=True,
        )
        # Versions that do not know of names of ours give one of theirs.
        task_id = reply.text_at("prompt_id")
        return Submitted(handle=Handle(task_id=task_id, extra={"seed": seed}))

    async def recall(self, wish: Wish, key: str, since: datetime) -> Handle | None:
        """Return the prompt of a key where queue or history has it."""
        prompt_id = _prompt_id(key)
        if await self._place(prompt_id) is None and await self._history(prompt_id) is None:
            return None
        return Handle(task_id=prompt_id, extra={"seed": _seed_of(wish, prompt_id)})

    async def look(self, handle: Handle) -> Look:
        """Return how a prompt is: the queue knows what goes on, the history what has ended."""
        place = await self._place(handle.task_id)
        entry = await self._history(handle.task_id) if place is None else None
        if place is None and entry is None:
            return self._missed(handle.task_id)
        self._misses.pop(handle.task_id, None)
        if entry is not None:
            return self._ended(entry, handle)
        if not place:
            return Look(phase=Phase.RUNNING)
        return Look(phase=Phase.QUEUED, queue_position=place - 1)

    async def call_off(self, handle: Handle) -> CallingOff:
        """Take a prompt out of the queue, or stop it."""
        task_id = handle.task_id
        path = f"/api/jobs/{_escaped(task_id)}/cancel"
        reply = await self._api.call("POST", path, json={}, accepts=(404, 405))
        if reply.status == 200 and value_at(reply.json(), "/cancelled") is True:
            return CallingOff.DONE
        # Versions without that, and those where it stops only what runs.
        place = await self._place(task_id)
        if place is None:
            known = await self._history(task_id) is not None
            return CallingOff.REFUSED if known else CallingOff.UNKNOWN
        if place == 0:
            await self._api.call("POST", "/interrupt", json={"prompt_id": task_id})
        else:
            await self._api.call("POST", "/queue", json={"delete": [task_id]})
        return CallingOff.DONE

    async def delete(self, handle: Handle) -> None:
        """Have it forget the prompt; its files stay, for it has no word to remove them."""
        await self._api.call("POST", "/history", json={"delete": [handle.task_id]})

    async def health(self) -> Health:
        """Return whether it answers, and which version it is."""
        try:
            reply = await self._api.call("GET", "/system_stats", within_s=_HEALTH_S)
            version = text_at(reply.json(), "/system/comfyui_version")
        except ProviderFault as fault:
            return Health(ready=False, words=fault.message)
        return Health(ready=True, words=f"ComfyUI {version}".strip())

    async def _brought(self, wish: Wish, prompt_id: str) -> dict[str, str]:
        """Bring pictures there; return how nodes call them."""
        names = {}
        for number, picture in enumerate(wish.pictures, start=1):
            suffix = f".{picture.media_type.rpartition('/')[2]}"
            form = [
                Part(
                    name="image",
                    data=picture.data,
                    file_name=f"{prompt_id}-{number}{suffix}",
                    media_type=picture.media_type,
                ),
                Part(name="type", data="input"),
                Part(name="subfolder", data=_FOLDER),
                Part(name="overwrite", data="true"),
            ]
            told = (await self._api.call("POST", "/upload/image", form=form)).document()
            folder, name = text_at(told, "/subfolder"), text_at(told, "/name")
            names["image" if number == 1 else f"image_{number}"] = (
                f"{folder}/{name}" if folder else name
            )
        return names

    async def _history(self, task_id: str) -> dict[str, Any] | None:
        """Return what it has written down of a prompt that ended."""
        reply = await self._api.call(
            "GET", f"/history/{_escaped(task_id)}", answer_bytes_max=_ANSWER_BYTES_MAX
        )
        found = reply.document().get(task_id)
        return found if isinstance(found, dict) else None

    async def _place(self, task_id: str) -> int | None:
        """Return a prompt's place in the queue: 0 while it runs, None where it has none."""
        reply = await self._api.call("GET", "/queue", answer_bytes_max=_ANSWER_BYTES_MAX)
        return place_in(reply.document(), task_id)

    def _missed(self, task_id: str) -> Look:
        self._misses[task_id] = self._misses.get(task_id, 0) + 1
        if self._misses[task_id] < _MISSES_MAX:
            return Look(phase=Phase.UNKNOWN, stage="neither in the queue nor in the history")
        del self._misses[task_id]
        words = f"{self._title} no longer knows this task: it was restarted perhaps"
        return _failed(Blame.PROVIDER_FAILED, "task_lost", words)

    def _ended(self, entry: Mapping[str, Any], handle: Handle) -> Look:
        messages = messages_of(entry)
        if "execution_interrupted" in messages:
            return Look(phase=Phase.CANCELLED)
        if text_at(entry, "/status/status_str") == "error":
            told = messages.get("execution_error")
            words = text_at(told, "/exception_message").strip() or "it does not say why"
            node = text_at(told, "/node_type")
            reply = Reply(status=200, headers={}, body=b"")
            spoken = Spoken(
                blame=Blame.PROVIDER_FAILED,
                code="execution_error",
                message=f"{node}: {words}" if node else words,
            )
            return Look(phase=Phase.FAILED, fault=self._api.fault(reply, spoken))
        pieces = pieces_of(entry.get("outputs"), self._options.outputs, self._options.base_url)
        if not any(piece.role == "mesh" for piece in pieces):
            words = f"{self._title}: the workflow saved no model"
            return _failed(Blame.PROTOCOL, "no_model", words)
        seed = handle.extra.get("seed")
        return Look(
            phase=Phase.SUCCEEDED, pieces=pieces, told={} if seed is None else {"seed": seed}
        )


def _prompt_id(key: str) -> str:
    return str(uuid.uuid5(_NAMES, key))


def _seed_of(wish: Wish, prompt_id: str) -> int:
    """Return the seed that a wish names, else one that its prompt's name makes."""
    return wish.seed if wish.seed is not None else uuid.UUID(prompt_id).int & _SEED_MAX


def _escaped(task_id: str) -> str:
    """Return an id as it stands in a path; what is no id finds nothing."""
    return "".join(sign for sign in task_id if sign.isalnum() or sign in "-_") or "-"


def _failed(blame: Blame, code: str, words: str) -> Look:
    return Look(phase=Phase.FAILED, fault=ProviderFault(blame, code, words))
