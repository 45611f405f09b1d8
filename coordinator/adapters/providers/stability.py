"""Stability AI (v2beta/3d): a picture to GLB, in the answer to the one call there is.

What was made is nowhere but in that answer; a lost one is lost, and may have been charged.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from coordinator.adapters.providers.bare import Bare
from coordinator.adapters.providers.blaming import number_of, read_plainly
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
_FAST, _AWARE = "stable-fast-3d", "stable-point-aware-3d"
_PRICES = {_FAST: 10, _AWARE: 4}
_FACES = (100, 20_000)
_GLB = b"glTF"
_MESH_BYTES_MAX = 128 * MIB  # it is held in memory
_SEED_MAX = 4_294_967_294


class StabilityOptions(HttpOptions):
    """Options of a Stability AI account.

    Attributes:
        model: where a wish names none.
        prices: credits by model, where they differ from ours.
        call_s: it answers once the mesh is made.
    """

    base_url: str = "https://api.stability.ai"
    model: Literal["stable-fast-3d", "stable-point-aware-3d"] = "stable-point-aware-3d"
    prices: dict[
        Literal["stable-fast-3d", "stable-point-aware-3d"], Annotated[Decimal, Field(ge=0)]
    ] = Field(default_factory=dict)
    call_s: float = Field(default=180.0, gt=0, le=3600)


class Stability(Bare):
    """Implements `Provider`."""

    _title = "Stability AI"

    def __init__(self, name: str, options: Mapping[str, Any], tools: Tools) -> None:
        """Take its table of the settings; see `ProviderMaker`."""
        self._options = options_of(StabilityOptions, name, options)
        key = key_of(name, self._options)
        self._api = Api(
            "Stability AI",
            self._options,
            tools,
            headers={"Authorization": f"Bearer {key}"},
            secrets=[key],
            reads=read,
        )
        self.offer = Offer(
            service="stability",
            title="Stability AI",
            kinds=frozenset({Kind.IMAGE}),
            pictures_max=1,
            picture_bytes_max=10 * MIB,
            picture_types=(*PICTURE_TYPES, WEBP),
            options=(
                Option(
                    name="model",
                    type="string",
                    words="which of its models",
                    choices=(_FAST, _AWARE),
                ),
                Option(name="faces", type="integer", words="how many, 100 to 20000"),
            ),
            again=Again.NEVER,
            at_once_max=5,
            patience_s=self._options.call_s,
        )

    def objection(self, wish: Wish) -> str:
        """Return why this wish can't be met."""
        if words := objection_of(self.offer, wish):
            return words
        aware = self._model_of(wish) == _AWARE
        if "faces" in wish.options:
            if not aware:
                return f"{_FAST} takes no number of faces"
            if not _FACES[0] <= int(wish.options["faces"]) <= _FACES[1]:
                return f"faces are from {_FACES[0]} to {_FACES[1]}"
        if wish.seed is not None and not (aware and 0 <= wish.seed <= _SEED_MAX):
            return f"only {_AWARE} takes a seed, from 0 to {_SEED_MAX}"
        return ""

    async def estimate(self, wish: Wish) -> Cost | None:
        """Return the credits of its price list."""
        model = self._model_of(wish)
        told = {str(name): price for name, price in self._options.prices.items()}
        return Cost(amount=told.get(model, Decimal(_PRICES[model])), unit=_UNIT)

    async def submit(self, wish: Wish, key: str, told: Told) -> Submitted:
        """Make a mesh; see the port. The answer holds it."""
        model = self._model_of(wish)
        picture = wish.pictures[0]
        name = "picture." + picture.media_type.rpartition("/")[2]
        form = [
            Part(name="image", data=picture.data, file_name=name, media_type=picture.media_type)
        ]
        if "faces" in wish.options:
            form += [
                Part(name="remesh", data="triangle"),
                Part(name="target_type", data="face"),
                Part(name="target_count", data=str(wish.options["faces"])),
            ]
        if wish.seed is not None:
            form.append(Part(name="seed", data=str(wish.seed)))
        told(None, "making the mesh")
        reply = await self._api.call(
            "POST",
            f"/v2beta/3d/{model}",
            form=form,
            paid=True,
            answer_bytes_max=_MESH_BYTES_MAX,
        )
        if not reply.body.startswith(_GLB):
            raise reply.nonsense("it is no GLB")
        facts: dict[str, Any] = {"service_model": model}
        if (seed := reply.headers.get("seed", "")).isdecimal():
            facts["seed"] = int(seed[:18])
        mesh = Piece(role="mesh", name="model.glb", suffix=".glb", data=reply.body)
        look = Look(phase=Phase.SUCCEEDED, progress=1.0, pieces=(mesh,), told=facts)
        return Submitted(handle=Handle(task_id=key), look=look)

    async def look(self, handle: Handle) -> Look:
        """Tell that what was made was in the answer."""
        raise ProviderFault(
            Blame.EXPIRED, "not_kept", "Stability AI keeps nothing: the mesh was in its answer"
        )

    async def health(self) -> Health:
        """Return what is left of the credits."""
        try:
            left = (await self._api.call("GET", "/v1/user/balance")).document().get("credits")
        except ProviderFault as fault:
            return Health(ready=False, words=fault.message)
        known = number_of(left)
        balance = None if known is None else Cost(amount=known, unit=_UNIT, exact=True)
        return Health(ready=True, balance=balance)

    def _model_of(self, wish: Wish) -> str:
        return str(wish.options.get("model") or self._options.model)


def read(reply: Reply) -> Spoken:
    """Read a fault: `{"id", "name", "errors": [...]}`."""
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        return Spoken()
    if not isinstance(document, dict) or not isinstance(document.get("errors"), list):
        return read_plainly(reply)
    name = str(document.get("name") or "")
    blame = Blame.CONTENT_BLOCKED if reply.status == 403 and "moderation" in name else None
    words = "; ".join(each for each in document["errors"] if isinstance(each, str))
    return Spoken(blame=blame, code=name, message=words)
