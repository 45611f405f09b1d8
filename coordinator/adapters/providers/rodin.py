"""Rodin (Hyper3D, api/v2): words and up to five pictures to STL.

A task has two names: one to ask how it is, one to ask for its files, whose addresses are good for
ten minutes. An answer with a status of success may hold an `error` all the same. A lost submit
can't be found again.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

from pydantic import Field

from coordinator.adapters.providers.bare import Bare
from coordinator.adapters.providers.blaming import number_of, read_plainly
from coordinator.adapters.providers.http import Api, Part, Reply, Spoken
from coordinator.adapters.providers.options import MIB, HttpOptions, key_of, options_of
from coordinator.domain.providing import (
    Again,
    Blame,
    Cost,
    Handle,
    Health,
    Kind,
    Look,
    Offer,
    Option,
    Phase,
    Piece,
    ProviderFault,
    Submitted,
    Wish,
)
from coordinator.domain.wishes import objection_of
from coordinator.ports_providers import Told, Tools

_UNIT = "credits"
_SEED_MAX = 65535
_MESHES = (".3mf", ".stl", ".obj", ".glb", ".fbx")
_DRAWN = (".png", ".jpg", ".webp")
_BLAMED = {
    "NO_ACTIVE_SUBSCRIPTION": Blame.AUTH_CONFIG,
    "SUBSCRIPTION_PLAN_TOO_LOW": Blame.AUTH_CONFIG,
    "PERMISSION_DENIED": Blame.AUTH_CONFIG,
    "USER_NOT_FOUND": Blame.AUTH_CONFIG,
    "GROUP_NOT_FOUND": Blame.AUTH_CONFIG,
    "INSUFFICIENT_FUND": Blame.QUOTA,
    "INVALID_REQUEST": Blame.INVALID_INPUT,
}


class RodinOptions(HttpOptions):
    """Options of a Hyper3D account.

    Attributes:
        tier: which of its models, where a wish names none: Sketch, Regular, Gen-2 ...
        price: credits of a task; it tells none over its API, and they differ by tier.
    """

    base_url: str = "https://api.hyper3d.com"
    tier: str = "Regular"
    price: Decimal = Field(default=Decimal(2), ge=0)


class Rodin(Bare):
    """Implements `Provider`."""

    _title = "Rodin"

    def __init__(self, name: str, options: Mapping[str, Any], tools: Tools) -> None:
        """Take its table of the settings; see `ProviderMaker`."""
        self._options = options_of(RodinOptions, name, options)
        key = key_of(name, self._options)
        self._api = Api(
            "Rodin",
            self._options,
            tools,
            headers={"Authorization": f"Bearer {key}"},
            secrets=[key],
            reads=read,
        )
        self.offer = Offer(
            service="rodin",
            title="Rodin",
            kinds=frozenset({Kind.TEXT, Kind.IMAGE, Kind.MULTIVIEW}),
            prompt_chars_max=1000,
            pictures_max=5,
            picture_bytes_max=20 * MIB,
            options=(
                Option(name="tier", type="string", words="which of its models"),
                Option(name="faces", type="integer", words="how many, roughly"),
                Option(
                    name="quality",
                    type="string",
                    words="of its geometry",
                    choices=("high", "medium", "low", "extra-low"),
                ),
            ),
            again=Again.NEVER,
            at_once_max=1,
            look_every_s=5.0,  # more often is refused
        )

    def objection(self, wish: Wish) -> str:
        """Return why this wish can't be met."""
        if words := objection_of(self.offer, wish):
            return words
        if wish.seed is not None and not 0 <= wish.seed <= _SEED_MAX:
            return f"a seed of Rodin is from 0 to {_SEED_MAX}"
        return "" if int(wish.options.get("faces", 1)) > 0 else "faces are 1 or more"

    async def estimate(self, wish: Wish) -> Cost | None:
        """Return what the settings take a task to cost."""
        del wish
        return Cost(amount=self._options.price, unit=_UNIT)

    async def submit(self, wish: Wish, key: str, told: Told) -> Submitted:
        """Make a task; see the port. Rodin takes no key of ours."""
        del key, told
        tier = str(wish.options.get("tier") or self._options.tier)
        asked = {"tier": tier, "geometry_file_format": "stl", "mesh_mode": "Raw"}
        asked |= {"quality": str(wish.options["quality"])} if "quality" in wish.options else {}
        asked |= {"quality_override": str(wish.options["faces"])} if "faces" in wish.options else {}
        asked |= {"seed": str(wish.seed)} if wish.seed is not None else {}
        asked |= {"prompt": wish.prompt} if wish.prompt else {}
        if wish.kind is Kind.MULTIVIEW:
            asked["condition_mode"] = "concat"  # several pictures of one thing
        form = [Part(name=name, data=value) for name, value in asked.items()]
        for number, picture in enumerate(wish.pictures):
            suffix = picture.media_type.rpartition("/")[2]
            form.append(
                Part(
                    name="images",
                    data=picture.data,
                    file_name=f"picture-{number}.{suffix}",
                    media_type=picture.media_type,
                )
            )
        reply = await self._api.call("POST", "/api/v2/rodin", form=form, paid=True)
        self._refuse_error(reply)
        extra = {
            "subscription_key": reply.text_at("jobs", "subscription_key"),
            "service_model": tier,
        }
        return Submitted(handle=Handle(task_id=reply.text_at("uuid"), extra=extra))

    async def look(self, handle: Handle) -> Look:
        """Return how a task is: it has succeeded once all of its parts have."""
        asked = {"subscription_key": str(handle.extra.get("subscription_key", ""))}
        reply = await self._api.call("POST", "/api/v2/status", json=asked)
        self._refuse_error(reply)
        words = _words(reply)
        done = words.count("Done")
        if "Failed" in words:
            fault = ProviderFault(Blame.PROVIDER_FAILED, "failed", "Rodin could not make it")
            return Look(phase=Phase.FAILED, fault=fault)
        if done == len(words):
            return await self._made(handle)
        known = {"Waiting", "Generating", "Done"}.issuperset(words)
        waits = set(words) == {"Waiting"}
        phase = Phase.QUEUED if waits else Phase.RUNNING if known else Phase.UNKNOWN
        return Look(phase=phase, progress=done / len(words))

    async def health(self) -> Health:
        """Return what is left of the credits."""
        place = "/api/v2/check_balance"
        try:
            reply = await self._api.call("GET", place, accepts=(404, 405))
            if (
                reply.status >= 400
            ):  # of its clients some ask with the one verb, some with the other
                reply = await self._api.call("POST", place, json={})
            self._refuse_error(reply)
            left = reply.document().get("balance")
        except ProviderFault as fault:
            return Health(ready=False, words=fault.message)
        known = number_of(left)
        balance = None if known is None else Cost(amount=known, unit=_UNIT, exact=True)
        return Health(ready=True, balance=balance)

    async def _made(self, handle: Handle) -> Look:
        asked = {"task_uuid": handle.task_id}
        reply = await self._api.call("POST", "/api/v2/download", json=asked)
        self._refuse_error(reply)
        listed = reply.document().get("list")
        meshes: list[Piece] = []
        others: list[Piece] = []
        for each in listed if isinstance(listed, list) else []:
            name, url = (each.get("name"), each.get("url")) if isinstance(each, dict) else ("", "")
            if not (isinstance(name, str) and isinstance(url, str) and url):
                continue
            suffix = PurePosixPath(name).suffix.lower()
            role = "mesh" if suffix in _MESHES else "picture" if suffix in _DRAWN else "other"
            piece = Piece(role=role, name=name[-100:], suffix=suffix, url=url)
            (meshes if role == "mesh" else others).append(piece)
        if not meshes:
            raise reply.nonsense("it names no mesh")
        meshes.sort(key=lambda piece: _MESHES.index(piece.suffix))
        return Look(
            phase=Phase.SUCCEEDED,
            progress=1.0,
            pieces=(*meshes, *others),
            told={"service_model": str(handle.extra.get("service_model", ""))},
        )

    def _refuse_error(self, reply: Reply) -> None:
        """Raise what an answer says is wrong, though its status is one of success."""
        error = reply.document().get("error")
        if error:
            unknown = Blame.SUBMIT_UNSURE if reply.paid else Blame.PROTOCOL
            spoken = read(reply)
            blame = spoken.blame or unknown
            raise self._api.fault(
                reply, Spoken(blame=blame, code=spoken.code, message=spoken.message)
            )


def _words(reply: Reply) -> list[str]:
    """Return how the parts of a task are."""
    jobs = reply.document().get("jobs")
    found = (
        [str(job.get("status")) for job in jobs if isinstance(job, dict)]
        if (isinstance(jobs, list))
        else []
    )
    if not found:
        raise reply.nonsense("it tells of no jobs")
    return found


def read(reply: Reply) -> Spoken:
    """Read a fault: `error` is one of a few words, or a sentence."""
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        return Spoken()
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, str):
        return read_plainly(reply)
    message = document.get("message")
    code = error if error.isupper() and " " not in error else ""
    words = message if isinstance(message, str) else error
    return Spoken(blame=_BLAMED.get(error), code=code, message=words)
