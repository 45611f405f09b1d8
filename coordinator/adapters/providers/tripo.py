"""Tripo (openapi.tripo3d.ai, v3): words and pictures to GLB.

Every answer is an envelope with a `code` of its own: 0 is success, whatever the status says.
Pictures are uploaded first, which is free. A lost submit may be found among the rows of usage; that
it is not there proves nothing, for nobody says when a row appears.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import Field, SecretStr

from coordinator.adapters.providers.bare import Bare
from coordinator.adapters.providers.blaming import clean, number_of
from coordinator.adapters.providers.http import Api, Part, Reply, Spoken
from coordinator.adapters.providers.options import MIB, HttpOptions, key_of, options_of
from coordinator.domain.providing import (
    PICTURE_TYPES,
    WEBP,
    Again,
    Blame,
    Cost,
    Handle,
    Health,
    Hint,
    Kind,
    Look,
    Offer,
    Option,
    Phase,
    Picture,
    Piece,
    ProviderFault,
    Submitted,
    Wish,
)
from coordinator.domain.wishes import objection_of
from coordinator.ports_providers import Told, Tools

_UNIT = "credits"
_PATHS = {
    Kind.TEXT: "/v3/generation/text-to-model",
    Kind.IMAGE: "/v3/generation/image-to-model",
    Kind.MULTIVIEW: "/v3/generation/multiview-to-model",
}
_TYPES = {
    Kind.TEXT: "text_to_model",
    Kind.IMAGE: "image_to_model",
    Kind.MULTIVIEW: "multiview_to_model",
}
_PHASES = {
    "queued": Phase.QUEUED,
    "running": Phase.RUNNING,
    "success": Phase.SUCCEEDED,
    "cancelled": Phase.CANCELLED,
}
_BLAMED = {
    **dict.fromkeys((2, 1000, 1001, 1002, 2015, 2016, 2017, 4001), Blame.AUTH_CONFIG),
    **dict.fromkeys((1007, 2000), Blame.WAIT_SLOT),
    **dict.fromkeys((1003, 1004, *range(2002, 2008), 2009, 2021, 2022), Blame.INVALID_INPUT),
    2001: Blame.EXPIRED,
    2008: Blame.CONTENT_BLOCKED,
    2010: Blame.QUOTA,
    2018: Blame.PROVIDER_FAILED,
}
# Fewest and most faces, by how a model's name begins; others take what the largest does.
_FACES = {
    "v3.1": (1, 1_500_000),
    "v3.0": (1, 1_000_000),
    "v2.5": (1, 500_000),
    "P1": (50, 20_000),
    "P2": (50, 20_000),
}
_PRICES = {"text": 10, "picture": 20, "texture": 10, "detailed": 20}
_WEBHOOK_APART_S = 300
_ROWS = 200
_CLOCKS_APART = timedelta(minutes=2)


class TripoOptions(HttpOptions):
    """Options of a Tripo account; key and address have to be of one region.

    Attributes:
        model: which of its models, where a wish names none.
        webhook_secret: all of it, `whsec_...`; empty where no webhook is set up there.
        prices: credits, where they differ from its list; the names are those of `_PRICES`.
    """

    base_url: str = "https://openapi.tripo3d.ai"
    model: str = "v3.1-20260211"
    webhook_secret: SecretStr = SecretStr("")
    prices: dict[str, Annotated[Decimal, Field(ge=0)]] = Field(default_factory=dict)


class Tripo(Bare):
    """Implements `Provider`."""

    _title = "Tripo"

    def __init__(self, name: str, options: Mapping[str, Any], tools: Tools) -> None:
        """Take its table of the settings; see `ProviderMaker`."""
        self._options = options_of(TripoOptions, name, options)
        key = key_of(name, self._options)
        self._secret = self._options.webhook_secret.get_secret_value()
        self._tools = tools
        self._api = Api(
            "Tripo",
            self._options,
            tools,
            headers={"Authorization": f"Bearer {key}"},
            secrets=[key, self._secret],
            reads=read,
        )
        self.offer = Offer(
            service="tripo",
            title="Tripo",
            kinds=frozenset(_PATHS),
            prompt_chars_max=1024,
            pictures_max=4,
            picture_bytes_max=20 * MIB,
            picture_types=(*PICTURE_TYPES, WEBP),
            options=(
                Option(name="model", type="string", words="which of its models"),
                Option(name="faces", type="integer", words="how many at most"),
                Option(name="texture", type="boolean", words="with colours; costs more"),
                Option(name="detailed", type="boolean", words="finer geometry; costs more"),
            ),
            again=Again.LISTED,
            at_once_max=5,
            look_every_s=3.0,
        )

    def objection(self, wish: Wish) -> str:
        """Return why this wish can't be met."""
        if words := objection_of(self.offer, wish):
            return words
        model = self._model_of(wish)
        if wish.options.get("detailed") and not model.startswith("v3"):
            return f"{model} has no finer geometry"
        known = (span for name, span in _FACES.items() if model.startswith(name))
        least, most = next(known, _FACES["v3.1"])
        if not least <= int(wish.options.get("faces", least)) <= most:
            return f"faces of {model} are from {least} to {most}"
        if wish.seed is not None and wish.seed < 0:
            return "a seed is 0 or more"
        return ""

    async def estimate(self, wish: Wish) -> Cost | None:
        """Return the credits of its price list."""
        chosen = ["text" if wish.kind is Kind.TEXT else "picture"]
        chosen += [name for name in ("texture", "detailed") if wish.options.get(name)]
        listed = {name: Decimal(price) for name, price in _PRICES.items()} | self._options.prices
        return Cost(amount=sum((listed[name] for name in chosen), Decimal()), unit=_UNIT)

    async def submit(self, wish: Wish, key: str, told: Told) -> Submitted:
        """Make a task; see the port. Tripo takes no key of ours."""
        del key
        asked: dict[str, Any] = {"model": self._model_of(wish)}
        # A bare mesh needs both of them off.
        coloured = bool(wish.options.get("texture", False))
        asked |= {"texture": coloured, "pbr": coloured}
        if "faces" in wish.options:
            asked["face_limit"] = wish.options["faces"]
        if wish.options.get("detailed"):
            asked["geometry_quality"] = "detailed"
        if wish.seed is not None:
            asked["model_seed"] = wish.seed
        if wish.pictures:
            told(None, "uploading pictures")
        tokens = [await self._uploaded(picture) for picture in wish.pictures]
        match wish.kind:
            case Kind.TEXT:
                asked["prompt"] = wish.prompt
            case Kind.IMAGE:
                asked["input"] = tokens[0]
            case _:
                asked["inputs"] = tokens
        reply = await self._api.call("POST", _PATHS[wish.kind], json=asked, paid=True)
        data = self._data(reply)
        return Submitted(handle=self._handle(_text(data, "task_id", reply), wish))

    async def recall(self, wish: Wish, key: str, since: datetime) -> Handle | None:
        """Find a task in the rows of usage, never that there is none; see the port."""
        del key
        query = {"limit": str(_ROWS), "offset": "0"}
        reply = await self._api.call("GET", "/v3/account/usage", query=query)
        found = [
            row.task_id
            for row in _rows(self._data(reply))
            if row.type == _TYPES[wish.kind] and row.made_at >= since - _CLOCKS_APART
        ]
        if wish.kind is Kind.TEXT:
            found = [task_id for task_id in found if await self._asked(task_id) == wish.prompt]
        if len(found) != 1:
            raise ProviderFault(
                Blame.SUBMIT_UNSURE,
                "not_found_for_certain",
                f"Tripo's usage has {len(found)} tasks that might be this one: see its own page",
            )
        return self._handle(found[0], wish)

    async def look(self, handle: Handle) -> Look:
        """Return how a task is."""
        reply = await self._api.call("GET", _place(handle.task_id))
        return look_of(self._data(reply), str(handle.extra.get("service_model", "")))

    async def health(self) -> Health:
        """Return what is left of the credits."""
        try:
            data = self._data(await self._api.call("GET", "/v3/account/balance"))
        except ProviderFault as fault:
            return Health(ready=False, words=fault.message)
        left = number_of(data.get("balance"))
        balance = None if left is None else Cost(amount=left, unit=_UNIT, exact=True)
        return Health(ready=True, balance=balance)

    def hints(self, headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
        """Return which task a webhook speaks of; signed as Stripe's are."""
        told = headers.get("tripo-webhook-signature", "")
        now_s = self._tools.clock.now().timestamp()
        if not self._secret or not _signed(told, body, self._secret, now_s):
            raise ProviderFault(
                Blame.AUTH_CONFIG, "bad_signature", "a webhook is not signed by the webhook_secret"
            )
        try:
            said = json.loads(body)
            task_id = said["data"]["task_id"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return []
        if not isinstance(task_id, str):
            return []
        delivery_id = headers.get("tripo-webhook-delivery", "")[:200]
        return [Hint(task_id=task_id, delivery_id=delivery_id)]

    def _model_of(self, wish: Wish) -> str:
        return str(wish.options.get("model") or self._options.model)

    def _handle(self, task_id: str, wish: Wish) -> Handle:
        return Handle(task_id=task_id, extra={"service_model": self._model_of(wish)})

    async def _uploaded(self, picture: Picture) -> str:
        """Return the token of a picture there."""
        name = "picture." + picture.media_type.rpartition("/")[2]
        part = Part(name="file", data=picture.data, file_name=name, media_type=picture.media_type)
        reply = await self._api.call("POST", "/v3/files", form=[part])
        return _text(self._data(reply), "file_token", reply)

    async def _asked(self, task_id: str) -> str:
        """Return the words that a task was made of."""
        asked = self._data(await self._api.call("GET", _place(task_id))).get("input")
        return str(asked.get("prompt", "")) if isinstance(asked, dict) else ""

    def _data(self, reply: Reply) -> dict[str, Any]:
        """Return what is in the envelope.

        Raises:
            ProviderFault: its code is none of success.
        """
        document = reply.document()
        if document.get("code") != 0:
            if not isinstance(document.get("code"), int):
                raise reply.nonsense("it has no code")
            spoken = read(reply)
            raise self._api.fault(reply, spoken)
        data = document.get("data")
        if not isinstance(data, dict):
            raise reply.nonsense("it has no data")
        return data


@dataclass(frozen=True, slots=True)
class _Row:
    task_id: str
    type: str
    made_at: datetime


def _rows(data: Mapping[str, Any]) -> list[_Row]:
    """Return the rows of usage that can be read."""
    listed = data.get("items")
    found = []
    for each in listed if isinstance(listed, list) else []:
        try:
            made_at = datetime.fromisoformat(each["created_at"])
            if made_at.tzinfo is None:
                made_at = made_at.replace(tzinfo=UTC)
            kind = str(each["type"]).replace("-", "_")
            found.append(_Row(str(each["task_id"]), kind, made_at))
        except (TypeError, KeyError, ValueError):
            continue
    return found


def look_of(task: Mapping[str, Any], model: str) -> Look:
    """Return what Tripo tells of a task."""
    # Its pages say that every word that is none of these is a failure.
    phase = _PHASES.get(str(task.get("status")), Phase.FAILED)
    percent, used = number_of(task.get("progress")), number_of(task.get("credits_consumed"))
    ahead = task.get("queuing_num")
    done = phase is Phase.SUCCEEDED
    output = task.get("output")
    files = output if done and isinstance(output, dict) else {}
    pieces = []
    if isinstance(url := files.get("model_url"), str) and url:
        suffix = ".fbx" if ".fbx" in url.partition("?")[0].lower() else ".glb"
        pieces.append(Piece(role="mesh", name=f"model{suffix}", suffix=suffix, url=url))
    if isinstance(url := files.get("rendered_image_url"), str) and url:
        pieces.append(Piece(role="picture", name="picture.webp", suffix=".webp", url=url))
    return Look(
        phase=phase,
        progress=None if percent is None else min(max(float(percent) / 100, 0.0), 1.0),
        queue_position=ahead if phase is Phase.QUEUED and isinstance(ahead, int) else None,
        pieces=tuple(pieces),
        fault=_failure(task) if phase is Phase.FAILED else None,
        charged=None if used is None else Cost(amount=used, unit=_UNIT, exact=True),
        told={"service_model": model} if done and model else {},
    )


def _failure(task: Mapping[str, Any]) -> ProviderFault:
    told = task.get("error")
    error = told if isinstance(told, dict) else {}
    code = task.get("error_code") or error.get("code")
    words = clean(str(task.get("error_message") or error.get("message") or task.get("status")))
    blame = _BLAMED.get(code) if isinstance(code, int) else None
    if blame not in (Blame.CONTENT_BLOCKED, Blame.INVALID_INPUT):
        blame = Blame.PROVIDER_FAILED
    return ProviderFault(blame, clean(str(code or "failed")), f"Tripo could not make it: {words}")


def read(reply: Reply) -> Spoken:
    """Read a fault out of its envelope."""
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        return Spoken()
    if not isinstance(document, dict) or not isinstance(code := document.get("code"), int):
        return Spoken()
    said = [document.get("message"), document.get("suggestion")]
    blame = _BLAMED.get(code)
    if reply.status < 300 and blame is None:
        blame = Blame.SUBMIT_UNSURE if reply.paid else Blame.PROTOCOL
    words = "; ".join(each for each in said if isinstance(each, str) and each)
    return Spoken(blame=blame, code=str(code), message=words)


def _signed(told: str, body: bytes, secret: str, now_s: float) -> bool:
    """Return whether a signature is one of the secret's, made now: `t=<s>,v1=<hex>[,v1=<hex>]`."""
    parts = [part.strip().partition("=") for part in told.split(",")]
    stamp = next((value for name, _, value in parts if name == "t"), "")
    if not stamp.isdecimal() or abs(now_s - int(stamp[:12])) > _WEBHOOK_APART_S:
        return False
    right = hmac.digest(secret.encode(), stamp.encode() + b"." + body, "sha256").hex().encode()
    shown = [value.encode() for name, _, value in parts if name == "v1"]
    return any(hmac.compare_digest(each, right) for each in shown)


def _place(task_id: str) -> str:
    return f"/v3/tasks/{quote(task_id, safe='')}"


def _text(data: Mapping[str, Any], name: str, reply: Reply) -> str:
    found = data.get(name)
    if not isinstance(found, str) or not found:
        raise reply.nonsense(f"it has no {name}")
    return found
