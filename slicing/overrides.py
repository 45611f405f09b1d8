"""What a person may choose for one plate: every setting with its range, its unit and its meaning.

The only list of them: requests are checked against it, and the command and the API show it.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from slicing.material import Material
from slicing.quality import InfillPattern, Quality, Seam
from slicing.shapes import Shape


def _without_percent_sign(value: Any) -> Any:
    return value.strip().removesuffix("%") if isinstance(value, str) else value


def _setting(words: str, unit: str = "", **limits: Any) -> Any:
    return Field(default=None, description=words, json_schema_extra={"unit": unit}, **limits)


_PercentSign = BeforeValidator(_without_percent_sign)


class Overrides(Shape):
    """What a request may change of quality and material; None leaves it as it is."""

    layer_height: float | None = _setting("height of a layer", "mm", ge=0.02, le=2)
    first_layer_height: float | None = _setting("height of the first one", "mm", ge=0.05, le=2)
    infill: Annotated[float | None, _PercentSign] = _setting("how solid inside", "%", ge=0, le=100)
    infill_pattern: InfillPattern | None = _setting("pattern inside")
    supports: bool | None = _setting("hold overhangs")
    support_overhang: float | None = _setting(
        "hold what leans further from the vertical", "degrees", ge=0, le=89
    )
    supports_from_bed_only: bool | None = _setting("no supports that stand on the part")
    orient: bool | None = _setting("turn the part the way that prints best")
    brim: float | None = _setting("width of a brim, 0 for none", "mm", ge=0, le=30)
    perimeters: int | None = _setting("walls", ge=0, le=20)
    top_layers: int | None = _setting("closed layers on top", ge=0, le=1000)
    bottom_layers: int | None = _setting("closed layers at the bottom", ge=0, le=1000)
    seam: Seam | None = _setting("where walls begin and end")
    ironing: bool | None = _setting("smooth top faces by going over them again")
    speed: Annotated[float | None, _PercentSign] = _setting(
        "of all speeds but travel", "%", ge=10, le=300
    )
    nozzle_temperature: float | None = _setting("all layers", "degrees Celsius", ge=150, le=500)
    bed_temperature: float | None = _setting("all layers", "degrees Celsius", ge=0, le=200)
    flow: Annotated[float | None, _PercentSign] = _setting(
        "of filament, on top of the material's own", "%", ge=50, le=150
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting as it is shown.

    Attributes:
        kind: number, whole number, yes or no, or the words to choose from.
        least, most: its range; None where it has none.
    """

    name: str
    words: str
    kind: str
    unit: str
    least: float | None
    most: float | None


def settings_known() -> tuple[Setting, ...]:
    """Return every setting, in the order in which they are shown."""
    schema = Overrides.model_json_schema()
    shown = []
    for name, facts in schema["properties"].items():
        options = [option for option in facts["anyOf"] if option.get("type") != "null"]
        (option,) = options
        if "$ref" in option:
            option = schema["$defs"][option["$ref"].rpartition("/")[2]]
        words = {"number": "number", "integer": "whole number", "boolean": "yes or no"}
        shown.append(
            Setting(
                name=name,
                words=facts["description"],
                kind=", ".join(option["enum"]) if "enum" in option else words[option["type"]],
                unit=facts["unit"],
                least=option.get("minimum"),
                most=option.get("maximum"),
            )
        )
    return tuple(shown)


# Where each wish goes: section and key of a quality.
_PLACES = {
    "layer_height": ("layers", "height_mm"),
    "first_layer_height": ("layers", "first_height_mm"),
    "perimeters": ("shell", "perimeters"),
    "top_layers": ("shell", "top_layers"),
    "bottom_layers": ("shell", "bottom_layers"),
    "seam": ("shell", "seam"),
    "ironing": ("shell", "ironing"),
    "infill": ("infill", "percent"),
    "infill_pattern": ("infill", "pattern"),
    "supports": ("adhesion", "supports"),
    "support_overhang": ("adhesion", "support_overhang_degrees"),
    "supports_from_bed_only": ("adhesion", "supports_from_bed_only"),
    "brim": ("adhesion", "brim_mm"),
}


def changed_quality(quality: Quality, wishes: Overrides, *, speed_max_mm_s: float) -> Quality:
    """Return a quality as wished for; every speed is capped by what the printer can do."""
    sections = {name: getattr(quality, name) for name in ("layers", "shell", "infill", "adhesion")}
    for wish, (section, key) in _PLACES.items():
        value = getattr(wishes, wish)
        if value is not None:
            sections[section] = sections[section].model_copy(update={key: value})
    share = 1.0 if wishes.speed is None else wishes.speed / 100
    speeds = {
        key: min(value * (1.0 if key == "travel_mm_s" else share), speed_max_mm_s)
        for key, value in quality.speed.model_dump().items()
    }
    sections["speed"] = quality.speed.model_copy(update=speeds)
    return quality.model_copy(update=sections)


def changed_material(material: Material, wishes: Overrides) -> Material:
    """Return a material as wished for."""
    heat: dict[str, float] = {}
    for part, value in (("nozzle", wishes.nozzle_temperature), ("bed", wishes.bed_temperature)):
        if value is not None:
            heat |= {f"{part}_celsius": value, f"{part}_first_layer_celsius": value}
    share = 1.0 if wishes.flow is None else wishes.flow / 100
    filament = material.filament
    return material.model_copy(
        update={
            "temperatures": material.temperatures.model_copy(update=heat),
            "filament": filament.model_copy(update={"flow_factor": filament.flow_factor * share}),
        }
    )
