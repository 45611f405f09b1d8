"""What Meshy is asked for: a wish as one of its requests, and what that costs."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator

from coordinator.adapters.providers.http import data_uri
from coordinator.adapters.providers.options import MIB, HttpOptions
from coordinator.domain.providing import Kind, Offer, Option, Wish
from coordinator.domain.wishes import objection_of

PATHS = {
    "text-to-3d": "/openapi/v2/text-to-3d",
    "image-to-3d": "/openapi/v1/image-to-3d",
    "multi-image-to-3d": "/openapi/v1/multi-image-to-3d",
    "remesh": "/openapi/v1/remesh",
    "repair": "/openapi/v1/print/repair",
    "analyze": "/openapi/v1/print/analyze",
}
# Those whose tasks keep a name that they are given.
NAMED = ("image-to-3d", "multi-image-to-3d")
_FAMILIES_MADE = ("text-to-3d", *NAMED)
# Words are made in two works, each with fields of its own; every other family is one work.
_PREVIEW, _REFINE = "preview", "refine"
_SHAPED = (_PREVIEW, *NAMED)
_COLOURED = (_REFINE, *NAMED)
_MADE = (_PREVIEW, _REFINE, *NAMED)

PROMPT_CHARS_MAX = 600  # newer pages say 800
PICTURES_MAX = 4
_FACES, _FACES_T2 = (100, 300_000), (100, 15_000)
_T2 = "meshy-t2"

# What goes into a request as it stands in a wish, and for which works.
_PASSED: dict[str, tuple[Option, tuple[str, ...]]] = {
    option.name: (option, families)
    for option, families in (
        (Option(name="ai_model", type="string", words="which of its models"), _MADE),
        (
            Option(
                name="topology", type="string", words="of its faces", choices=("triangle", "quad")
            ),
            (*_SHAPED, "remesh"),
        ),
        (
            Option(name="target_polycount", type="integer", words="how many faces, 100 to 300000"),
            (*_SHAPED, "remesh"),
        ),
        (
            Option(name="geometry_resolution", type="string", words="2k, 4k; costs more"),
            (_PREVIEW,),
        ),
        (Option(name="texture_prompt", type="string", words="how its surface looks"), _COLOURED),
        (Option(name="texture_resolution", type="string", words="2k, 4k, 8k"), _COLOURED),
        (Option(name="moderation", type="boolean", words="have the wish looked at first"), _MADE),
        (Option(name="image_enhancement", type="boolean", words="mend the picture first"), NAMED),
        (
            Option(name="ultra_mode", type="boolean", words="finer; costs more"),
            ("image-to-3d",),
        ),
    )
}
_MESHED = ("repair", "remesh", "analyze")
# What is said in our words, and for which works.
_OWN: dict[str, tuple[Option, tuple[str, ...]]] = {
    option.name: (option, works)
    for option, works in (
        (
            Option(
                name="format",
                type="string",
                words="of the mesh",
                choices=("stl", "3mf", "obj", "glb"),
            ),
            (*_MADE, "remesh"),
        ),
        (Option(name="texture", type="boolean", words="pictures: with colours; costs more"), NAMED),
        (
            Option(name="refine", type="string", words="words: the preview that gets colours"),
            (_REFINE,),
        ),
        (
            Option(name="operation", type="string", words="done to a mesh", choices=_MESHED),
            _MESHED,
        ),
    )
}
_ALL = _OWN | _PASSED
_KINDS = {
    _PREVIEW: Kind.TEXT,
    _REFINE: Kind.TEXT,
    NAMED[0]: Kind.IMAGE,
    NAMED[1]: Kind.MULTIVIEW,
    **dict.fromkeys(_MESHED, Kind.MESH),
}
OPTIONS = tuple(
    replace(option, kinds=frozenset(_KINDS[work] for work in works))
    for option, works in _ALL.values()
)

# Credits of its price list; `consumed_credits` of the task is the truth.
_PRICES = {
    "preview": 20,
    "preview_small": 5,
    "refine": 10,
    "refine_8k": 15,
    "image": 20,
    "image_textured": 30,
    "image_8k": 35,
    "finer": 5,
    "remesh": 5,
    "repair": 10,
    "analyze": 0,
}
_SMALL = ("meshy-5", "meshy-6-lite", _T2)


class MeshyOptions(HttpOptions):
    """Options of a Meshy account.

    Attributes:
        ai_model: which of its models, where a wish names none.
        webhook_secret: what its webhooks show; empty where none is set up there.
        prices: credits, where they differ from its list: `preview = 20`; the names are `_PRICES`.
        mesh_bytes_max: the longest mesh that is sent there.
    """

    base_url: str = "https://api.meshy.ai"
    ai_model: str = "latest"
    webhook_secret: SecretStr = SecretStr("")
    prices: dict[str, Annotated[Decimal, Field(ge=0)]] = Field(default_factory=dict)
    mesh_bytes_max: int = Field(default=50 * MIB, gt=0, le=100 * MIB)

    @field_validator("prices")
    @classmethod
    def _are_known(cls, value: dict[str, Decimal]) -> dict[str, Decimal]:
        if value.keys() - _PRICES.keys():
            raise ValueError(f"prices are those of {', '.join(_PRICES)}")
        return value


def objection(offer: Offer, wish: Wish, options: MeshyOptions) -> str:
    """Return why a wish can't be met; empty where nothing speaks against it."""
    if words := objection_of(offer, wish):
        return words
    if wish.seed is not None:
        return "Meshy takes no seed"
    work = _work_of(wish)
    for name in wish.options:
        if work not in _ALL[name][1]:
            return f"Meshy has no option {name} for {work}; it is for {', '.join(_ALL[name][1])}"
    if work in NAMED and not wish.options.get("texture"):
        for name in ("texture_prompt", "texture_resolution"):
            if name in wish.options:
                return f"the option {name} wants texture as well: else there are no colours"
    if len(str(wish.options.get("texture_prompt", ""))) > PROMPT_CHARS_MAX:
        return f"texture_prompt has at most {PROMPT_CHARS_MAX} characters"
    least, most = _FACES_T2 if model_of(wish, options) == _T2 else _FACES
    if not least <= int(wish.options.get("target_polycount", least)) <= most:
        return f"target_polycount is from {least} to {most}"
    return ""


def _work_of(wish: Wish) -> str:
    family = family_of(wish)
    if family == "text-to-3d":
        return _REFINE if "refine" in wish.options else _PREVIEW
    return family


def family_of(wish: Wish) -> str:
    """Return which of its families a wish belongs to."""
    match wish.kind:
        case Kind.IMAGE:
            return "image-to-3d"
        case Kind.MULTIVIEW:
            return "multi-image-to-3d"
        case Kind.MESH:
            return str(wish.options.get("operation", "repair"))
        case _:
            return "text-to-3d"


def model_of(wish: Wish, options: MeshyOptions) -> str:
    """Return which of its models is asked; a mesh is worked on by none."""
    if wish.kind is Kind.MESH:
        return ""
    return str(wish.options.get("ai_model") or options.ai_model)


def body_of(wish: Wish, options: MeshyOptions, key: str) -> dict[str, Any]:
    """Return a request's body.

    Args:
        key: ours, for the families that keep it.
    """
    family = family_of(wish)
    body: dict[str, Any] = {name: wish.options[name] for name in wish.options if name in _PASSED}
    if family != "repair" and family != "analyze":
        body["target_formats"] = [str(wish.options.get("format", "stl"))]
    if body.keys() & {"topology", "target_polycount"} and family in _FAMILIES_MADE:
        body["should_remesh"] = True  # else it takes no notice of either
    if family in _FAMILIES_MADE:
        body["ai_model"] = model_of(wish, options)
    if family in NAMED:
        body |= {"name": key, "should_texture": bool(wish.options.get("texture", False))}
    pictures = [data_uri(picture.media_type, picture.data) for picture in wish.pictures]
    match family:
        case "text-to-3d" if refined := wish.options.get("refine"):
            body |= {"mode": "refine", "preview_task_id": refined}
            body.setdefault("texture_prompt", wish.prompt)
        case "text-to-3d":
            body |= {"mode": "preview", "prompt": wish.prompt}
        case "image-to-3d":
            body["image_url"] = pictures[0]
        case "multi-image-to-3d":
            body["image_urls"] = pictures
        case _:
            body["model_url"] = data_uri("application/octet-stream", wish.mesh)
    return body


def alike(task: Mapping[str, Any], wish: Wish) -> bool:
    """Return whether a task of its list may have come of a wish; it keeps no key of ours."""
    if family_of(wish) != "text-to-3d":
        return True
    refines = str(task.get("type", "")).endswith("refine")
    return refines == ("refine" in wish.options) and (refines or task.get("prompt") == wish.prompt)


def price_of(wish: Wish, options: MeshyOptions) -> Decimal:
    """Return the credits that a wish costs at most, by list."""
    chosen: list[str]
    family = family_of(wish)
    fine = "8k" in str(wish.options.get("texture_resolution", ""))
    if family == "text-to-3d":
        if "refine" in wish.options:
            chosen = ["refine_8k" if fine else "refine"]
        else:
            small = model_of(wish, options) in _SMALL
            chosen = ["preview_small" if small else "preview"]
            chosen += ["finer"] if "geometry_resolution" in wish.options else []
    elif family in NAMED:
        coloured = ["image_8k" if fine else "image_textured"]
        chosen = coloured if wish.options.get("texture") else ["image"]
        chosen += ["finer"] if wish.options.get("ultra_mode") else []
    else:
        chosen = [family]
    listed = {name: Decimal(price) for name, price in _PRICES.items()} | options.prices
    return sum((listed[name] for name in chosen), Decimal())
