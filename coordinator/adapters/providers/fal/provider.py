"""The provider: a task in fal's queue for each wish.

Submitting takes the whole name of a model's endpoint, everything after it only owner and alias.
COMPLETED includes failure: only the result tells. A lost submit can't be found again.
"""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import quote

import structlog
from pydantic import Field, field_validator

from coordinator.adapters.providers.bare import Bare
from coordinator.adapters.providers.fal.models import (
    MODELS,
    Model,
    input_of,
    names_for,
    objection_to,
)
from coordinator.adapters.providers.fal.telling import CANCELLED, failure_of, pieces_of, read
from coordinator.adapters.providers.fal.webhooks import hints_of, keys_of
from coordinator.adapters.providers.http import Api, Reply, Spoken
from coordinator.adapters.providers.options import (
    MIB,
    HttpOptions,
    http_address,
    key_of,
    options_of,
)
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
    Option,
    Phase,
    ProviderFault,
    Submitted,
    Wish,
)
from coordinator.domain.wishes import objection_of
from coordinator.ports_providers import Told, Tools

_log = structlog.get_logger(__name__)

_STREAM_S = 3600.0
_KEYS_GOOD_S = 24 * 3600.0  # fal's own advice
_KEYS_AGAIN_S = 300.0
_NO_TASK = "00000000-0000-0000-0000-000000000000"
_PHASES = {"IN_QUEUE": Phase.QUEUED, "IN_PROGRESS": Phase.RUNNING}


class FalOptions(HttpOptions):
    """Options of a fal account.

    Attributes:
        keys_url: where the keys are that webhooks are signed with.
        webhook_url: where fal tells of tasks that have ended, https; empty for looking only.
        text_model, image_model, multiview_model: where a wish names none.
        prices: USD by model, where they differ from our guess: `trellis = 0.02`.
        inputs: what is asked of a model besides: `[providers.NAME.inputs.trellis]`.
        keep_s: how long fal keeps what it made.
    """

    base_url: str = "https://queue.fal.run"
    keys_url: str = "https://rest.fal.ai/.well-known/jwks.json"
    webhook_url: str = ""
    text_model: str = "tripo-text"
    image_model: str = "trellis"
    multiview_model: str = "trellis-views"
    prices: dict[str, Annotated[Decimal, Field(ge=0)]] = Field(default_factory=dict)
    inputs: dict[str, dict[str, str | int | float | bool]] = Field(default_factory=dict)
    keep_s: int = Field(default=7 * 24 * 3600, ge=3600)

    @field_validator("keys_url")
    @classmethod
    def _keys_are_somewhere(cls, value: str) -> str:
        return http_address(value)

    @field_validator("text_model", "image_model", "multiview_model")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in MODELS:
            raise ValueError(f"the models are {', '.join(MODELS)}")
        return value

    @field_validator("prices", "inputs")
    @classmethod
    def _are_known(cls, value: dict[str, Any]) -> dict[str, Any]:
        if value.keys() - MODELS.keys():
            raise ValueError(f"the models are {', '.join(MODELS)}")
        return value


class Fal(Bare):
    """Implements `Provider` and `Watched`."""

    _title = "fal"

    def __init__(self, name: str, options: Mapping[str, Any], tools: Tools) -> None:
        """Take its table of the settings; see `ProviderMaker`."""
        self._options = options_of(FalOptions, name, options)
        key = key_of(name, self._options)
        self._tools = tools
        self._api = Api(
            "fal",
            self._options,
            tools,
            headers={"Authorization": f"Key {key}"},
            secrets=[key],
            reads=read,
        )
        # No key goes there: what it tells is public.
        keys_at = self._options.model_copy(update={"base_url": self._options.keys_url})
        self._keys_api = Api("fal", keys_at, tools)
        self._keys: list[bytes] = []
        self._keys_until_s = float("-inf")
        self._words_told: set[str] = set()
        self.offer = Offer(
            service="fal",
            title="fal",
            kinds=frozenset({Kind.TEXT, Kind.IMAGE, Kind.MULTIVIEW}),
            prompt_chars_max=max(model.words_max for model in MODELS.values()),
            pictures_max=max(model.pictures_max for model in MODELS.values()),
            picture_bytes_max=8 * MIB,
            options=(
                Option(
                    name="model", type="string", words="which of its models", choices=(*MODELS,)
                ),
                Option(name="faces", type="integer", words="how many at most"),
                Option(name="texture", type="boolean", words="with colours; costs more"),
            ),
            again=Again.NEVER,
            cancels=Cancels.WAITING,
            at_once_max=25,  # its queue holds what is more than it runs
            look_every_s=2.0,
        )

    def objection(self, wish: Wish) -> str:
        """Return why this wish can't be met."""
        return objection_of(self.offer, wish) or objection_to(self._name_of(wish), wish)

    async def estimate(self, wish: Wish) -> Cost | None:
        """Return what the settings, or else we, take a model to cost."""
        name = self._name_of(wish)
        return Cost(amount=self._options.prices.get(name, MODELS[name].price), unit="USD")

    async def submit(self, wish: Wish, key: str, told: Told) -> Submitted:
        """Make a task; see the port. fal takes no key of ours."""
        del key, told
        await self._refresh_keys()
        name = self._name_of(wish)
        kept = json.dumps({"expiration_duration_seconds": self._options.keep_s})
        hook = self._options.webhook_url
        reply = await self._api.call(
            "POST",
            f"/{MODELS[name].endpoint}",
            json=input_of(MODELS[name], wish) | self._options.inputs.get(name, {}),
            query={"fal_webhook": hook} if hook else None,
            headers={"X-Fal-Object-Lifecycle-Preference": kept},
            paid=True,
        )
        document = reply.document()
        extra = {"model": name}
        for place in ("status_url", "response_url", "cancel_url"):
            if isinstance(url := document.get(place), str) and self._api.here(url):
                extra[place] = url
        return Submitted(handle=Handle(task_id=reply.text_at("request_id"), extra=extra))

    async def look(self, handle: Handle) -> Look:
        """Return how a task is."""
        await self._refresh_keys()
        reply = await self._api.call("GET", _place(handle, "status"), accepts=(202,))
        return await self._seen(reply, reply.document(), handle)

    async def watch(self, handle: Handle) -> AsyncGenerator[Look, None]:
        """Yield looks while the task goes on; see `Watched`."""
        place = f"{_place(handle, 'status')}/stream"
        async with aclosing(self._api.events("GET", place, within_s=_STREAM_S)) as events:
            async for event in events:
                reply = Reply(status=200, headers={}, body=event.data.encode())
                look = await self._seen(reply, reply.document(), handle)
                yield look
                if look.phase in (Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED):
                    return

    async def call_off(self, handle: Handle) -> CallingOff:
        """Ask for a task to be called off: one that waits is, one that runs may be charged."""
        try:
            before = await self.look(handle)
            if before.phase is Phase.CANCELLED:
                return CallingOff.DONE
            if before.phase in (Phase.SUCCEEDED, Phase.FAILED):
                return CallingOff.REFUSED
            reply = await self._api.call("PUT", _place(handle, "cancel"), accepts=(202, 400))
        except ProviderFault as fault:
            if fault.blame is Blame.EXPIRED:
                return CallingOff.UNKNOWN
            raise
        if reply.status == 400:
            return CallingOff.REFUSED
        return CallingOff.DONE if before.phase is Phase.QUEUED else CallingOff.UNKNOWN

    async def health(self) -> Health:
        """Ask for a task that is none: that costs nothing, and wants the key."""
        place = f"/{MODELS[self._options.image_model].queue}/requests/{_NO_TASK}/status"
        try:
            await self._api.call("GET", place, accepts=(202, 400, 404, 405, 410, 422))
        except ProviderFault as fault:
            return Health(ready=False, words=fault.message)
        return Health(ready=True, words="fal tells no balance")

    def hints(self, headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
        """Return which task a webhook speaks of."""
        now_s = self._tools.clock.now().timestamp()
        try:
            return hints_of(headers, body, keys=self._keys, now_s=now_s)
        except ProviderFault:
            # Perhaps it has new keys: they are looked for at the next look, not at each forgery.
            soon_s = self._tools.clock.monotonic() + _KEYS_AGAIN_S
            self._keys_until_s = min(self._keys_until_s, soon_s)
            raise

    async def close(self) -> None:
        """Leave no connection behind."""
        await self._api.close()
        await self._keys_api.close()

    def _name_of(self, wish: Wish) -> str:
        usual = {
            Kind.IMAGE: self._options.image_model,
            Kind.MULTIVIEW: self._options.multiview_model,
        }.get(wish.kind, self._options.text_model)
        return str(wish.options.get("model") or usual)

    async def _refresh_keys(self) -> None:
        """Fetch the keys of webhooks where they are wanted; without them looking goes on."""
        now_s = self._tools.clock.monotonic()
        if not self._options.webhook_url or now_s < self._keys_until_s:
            return
        self._keys_until_s = now_s + _KEYS_AGAIN_S
        try:
            found = keys_of((await self._keys_api.call("GET", self._options.keys_url)).document())
        except ProviderFault as fault:
            _log.warning("provider.keys_missing", provider="fal", reason=fault.message)
            return
        self._keys, self._keys_until_s = found, now_s + _KEYS_GOOD_S

    async def _seen(self, reply: Reply, status: Mapping[str, Any], handle: Handle) -> Look:
        word = str(status.get("status"))[:40]
        if word == "COMPLETED":
            return await self._ended(reply, status, handle)
        phase = _PHASES.get(word, Phase.UNKNOWN)
        if phase is Phase.UNKNOWN and word not in self._words_told:
            self._words_told.add(word)
            _log.warning("provider.word_unknown", provider="fal", word=word)
        ahead = status.get("queue_position")
        return Look(phase=phase, queue_position=ahead if isinstance(ahead, int) else None)

    async def _ended(self, reply: Reply, status: Mapping[str, Any], handle: Handle) -> Look:
        """Return what became of a task that has ended, which is a failure too."""
        result = await self._api.call("GET", _place(handle, ""), accepts=range(400, 600))
        if result.status == 400 and b"still in progress" in result.body:
            return Look(phase=Phase.RUNNING)
        own = b'"detail"' in result.body or "x-fal-error-type" in result.headers
        if result.status >= 400 and own and result.status not in (401, 403, 404, 429):
            return _failed(result.status, read(result), result.headers.get("x-fal-retryable", ""))
        if status.get("error") or status.get("error_type"):
            return _failed(500, read(reply))
        if result.status >= 400:
            raise self._api.fault(result)  # of fal or what stands before it, not of the model
        output = result.document()
        model = _model(handle)
        told: dict[str, Any] = {"service_model": model.endpoint}
        if isinstance(seed := output.get("seed"), int):
            told["seed"] = seed
        pieces = pieces_of(model, output)
        if not any(piece.role == "mesh" for piece in pieces):
            return Look(phase=Phase.FAILED, fault=result.nonsense("it names no mesh"))
        return Look(phase=Phase.SUCCEEDED, progress=1.0, pieces=pieces, told=told)


def _failed(status: int, spoken: Spoken, again: str = "") -> Look:
    if spoken.code in CANCELLED or status == 499:
        return Look(phase=Phase.CANCELLED)
    return Look(phase=Phase.FAILED, fault=failure_of(status, spoken, again.lower()))


def _model(handle: Handle) -> Model:
    return MODELS.get(str(handle.extra.get("model")), MODELS[names_for(Kind.IMAGE)[0]])


def _place(handle: Handle, verb: str) -> str:
    """Return where a task is asked for: as fal told, else as its pages say."""
    told = handle.extra.get({"": "response_url", "status": "status_url"}.get(verb, "cancel_url"))
    if isinstance(told, str):
        return told
    place = f"/{_model(handle).queue}/requests/{quote(handle.task_id, safe='')}"
    return f"{place}/{verb}" if verb else place
