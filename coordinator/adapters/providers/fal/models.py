"""The models at fal that make meshes: what each takes and gives, in one table.

Names of fields are those of fal's own schemas (github.com/fal-ai/fal-js, types/endpoints.ts).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from coordinator.adapters.providers.http import data_uri
from coordinator.domain.providing import Kind, Wish

# In which order several pictures of one thing are taken, where each has a field of its own.
VIEWS = ("front_image_url", "left_image_url", "back_image_url", "right_image_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """Where a model takes a limit of faces."""

    field: str
    least: int = 1
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model.

    Attributes:
        endpoint: where it is; the first two parts of it are where its tasks are asked for.
        kinds: what it takes.
        words: the field for them; empty where it takes none.
        words_max: so many characters.
        picture: the field for one picture; for several where `listed`, or one field each: `VIEWS`.
        listed: the field takes a list, also of one.
        pictures_max: of one thing.
        seed: the field for it; empty where it takes none.
        seed_max: the highest.
        faces: None where it decides itself how many there are.
        fixed: what is asked besides, for a mesh to print.
        coloured: what is asked in its place where it shall have colours; None: it always has, or
            never.
        gives: the fields with meshes, best first.
        price: a guess on the high side in USD; fal tells none over its API.
    """

    endpoint: str
    kinds: frozenset[Kind]
    words: str = ""
    words_max: int = 1024
    picture: str = ""
    listed: bool = False
    pictures_max: int = 1
    seed: str = ""
    seed_max: int = 2**31 - 1
    faces: Faces | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    coloured: Mapping[str, Any] | None = None
    gives: tuple[str, ...] = ("model_mesh",)
    price: Decimal

    @property
    def queue(self) -> str:
        """Return where its tasks are, which leaves out all but owner and alias."""
        return "/".join(self.endpoint.split("/")[:2])


def _several(model: Model, pictures_max: int) -> Model:
    """Return a model that takes several pictures of one thing in place of one."""
    return replace(model, kinds=frozenset({Kind.MULTIVIEW}), pictures_max=pictures_max)


def _from_words(model: Model) -> Model:
    """Return a model that takes words in place of pictures."""
    no_pictures = replace(model, picture="", listed=False, pictures_max=1)
    return replace(no_pictures, kinds=frozenset({Kind.TEXT}), words="prompt")


_IMAGE, _VIEWS = frozenset({Kind.IMAGE}), frozenset({Kind.MULTIVIEW})

# What a family's models have in common stands with one of them; the others differ from it.
_TRELLIS = Model(
    endpoint="fal-ai/trellis",
    kinds=_IMAGE,
    picture="image_url",
    seed="seed",
    price=Decimal("0.05"),
)
_TRIPO = Model(
    endpoint="tripo3d/tripo/v2.5/image-to-3d",
    kinds=_IMAGE,
    picture="image_url",
    seed="seed",
    faces=Faces(field="face_limit", most=500_000),
    fixed={"texture": "no", "pbr": False},
    coloured={"texture": "standard", "pbr": True},
    gives=("model_mesh", "base_model", "pbr_model", "model_urls"),
    price=Decimal("0.40"),
)
_HUNYUAN = Model(
    endpoint="fal-ai/hunyuan3d-v3/image-to-3d",
    kinds=_IMAGE,
    picture="input_image_url",
    faces=Faces(field="face_count", least=40_000, most=1_500_000),
    fixed={"generate_type": "Geometry"},
    coloured={"generate_type": "Normal"},
    gives=("model_urls", "model_glb", "model_obj"),
    price=Decimal("0.60"),
)
_RODIN = Model(
    endpoint="fal-ai/hyper3d/rodin",
    kinds=_IMAGE | _VIEWS,
    picture="input_image_urls",
    listed=True,
    pictures_max=5,
    seed="seed",
    seed_max=65535,
    fixed={"geometry_file_format": "stl"},
    price=Decimal("0.50"),
)
_MESHY = Model(
    endpoint="fal-ai/meshy/v6/image-to-3d",
    kinds=_IMAGE,
    picture="image_url",
    faces=Faces(field="target_polycount", least=100, most=300_000),
    fixed={"should_texture": False},
    coloured={"should_texture": True},
    gives=_HUNYUAN.gives,
    price=Decimal("1.00"),
)

MODELS: dict[str, Model] = {
    "trellis": _TRELLIS,
    "trellis-views": replace(
        _several(_TRELLIS, 8), endpoint="fal-ai/trellis/multi", picture="image_urls", listed=True
    ),
    "trellis-2": replace(
        _TRELLIS,
        endpoint="fal-ai/trellis-2",
        seed="",
        faces=Faces(field="decimation_target", least=1000, most=2_000_000),
        gives=("model_glb",),
        price=Decimal("0.40"),
    ),
    "triposr": Model(
        endpoint="fal-ai/triposr",
        kinds=_IMAGE,
        picture="image_url",
        fixed={"output_format": "obj"},
        price=Decimal("0.10"),
    ),
    "tripo": _TRIPO,
    "tripo-views": replace(
        _several(_TRIPO, len(VIEWS)),
        endpoint="tripo3d/tripo/v2.5/multiview-to-3d",
        picture=VIEWS[0],
        price=Decimal("0.50"),
    ),
    "tripo-text": replace(
        _from_words(_TRIPO),
        endpoint="tripo3d/h3.1/text-to-3d",
        seed="model_seed",
        faces=Faces(field="face_limit", most=1_500_000),
        fixed={"texture": False, "pbr": False},
        coloured={"texture": True, "pbr": True},
        price=Decimal("0.50"),
    ),
    "hunyuan3d": Model(
        endpoint="fal-ai/hunyuan3d/v2",
        kinds=_IMAGE,
        picture="input_image_url",
        seed="seed",
        fixed={"textured_mesh": False},
        coloured={"textured_mesh": True},
        price=Decimal("0.50"),
    ),
    "hunyuan3d-v3": _HUNYUAN,
    "hunyuan3d-text": replace(_from_words(_HUNYUAN), endpoint="fal-ai/hunyuan3d-v3/text-to-3d"),
    "rodin": _RODIN,
    "rodin-text": _from_words(_RODIN),
    "meshy-text": replace(
        _from_words(_MESHY),
        endpoint="fal-ai/meshy/v6/text-to-3d",
        words_max=600,
        seed="seed",
        fixed={"mode": "preview"},
        coloured={"mode": "full"},
    ),
    "meshy": _MESHY,
    "meshy-views": replace(
        _several(_MESHY, 4),
        endpoint="fal-ai/meshy/v6/multi-image-to-3d",
        picture="image_urls",
        listed=True,
    ),
}


def objection_to(name: str, wish: Wish) -> str:
    """Return why one of the models does not take a wish; empty where it does."""
    model = MODELS[name]
    if wish.kind not in model.kinds:
        takes = ", ".join(sorted(model.kinds))
        return f"{name} takes {takes}; for {wish.kind} there are {', '.join(names_for(wish.kind))}"
    if len(wish.prompt) > model.words_max and model.words:
        return f"{name} takes at most {model.words_max} characters of words"
    if len(wish.pictures) > model.pictures_max:
        return f"{name} takes at most {model.pictures_max} pictures"
    if wish.seed is not None and not model.seed:
        return f"{name} takes no seed"
    if wish.seed is not None and not 0 <= wish.seed <= model.seed_max:
        return f"a seed of {name} is from 0 to {model.seed_max}"
    if "texture" in wish.options and model.coloured is None:
        return f"{name} has no option texture"
    faces = wish.options.get("faces")
    if faces is None:
        return ""
    if model.faces is None:
        return f"{name} takes no limit of faces"
    if not model.faces.least <= int(faces) <= model.faces.most:
        return f"faces of {name} are from {model.faces.least} to {model.faces.most}"
    return ""


def input_of(model: Model, wish: Wish) -> dict[str, Any]:
    """Return a wish as a model's input."""
    asked = dict(model.fixed)
    if wish.options.get("texture") and model.coloured is not None:
        asked |= model.coloured
    if model.words:
        asked[model.words] = wish.prompt
    shown = [data_uri(picture.media_type, picture.data) for picture in wish.pictures]
    if model.listed:
        asked[model.picture] = shown
    elif model.picture in VIEWS:
        asked |= dict(zip(VIEWS, shown, strict=False))
    elif model.picture:
        asked[model.picture] = shown[0]
    if wish.seed is not None:
        asked[model.seed] = wish.seed
    if model.faces is not None and "faces" in wish.options:
        asked[model.faces.field] = wish.options["faces"]
        if model.faces.field == "target_polycount":
            asked["should_remesh"] = True
    return asked


def names_for(kind: Kind) -> list[str]:
    """Return the models that take a kind of wish."""
    return [name for name, model in MODELS.items() if kind in model.kinds]
