"""A person's wishes in PrusaSlicer's keys, on top of a vendor's own configuration."""

from collections.abc import Callable, Mapping
from typing import Any

from slicing.overrides import Overrides

_SPEEDS = (
    "perimeter_speed",
    "external_perimeter_speed",
    "small_perimeter_speed",
    "infill_speed",
    "solid_infill_speed",
    "top_solid_infill_speed",
    "support_material_speed",
    "support_material_interface_speed",
    "bridge_speed",
    "gap_fill_speed",
    "first_layer_speed",
)

_Words = Callable[[Any], dict[str, str]]


def _plain(*keys: str) -> _Words:
    return lambda value: dict.fromkeys(keys, f"{value:g}")


def _switch(*keys: str) -> _Words:
    return lambda value: dict.fromkeys(keys, str(int(value)))


# The keys that each wish sets; speed and flow are shares of what is there.
_KEYS: Mapping[str, _Words] = {
    "layer_height": _plain("layer_height"),
    "first_layer_height": _plain("first_layer_height"),
    # Straight lines alone lie without gaps.
    "infill": lambda value: (
        {"fill_density": f"{value:g}%"} | ({"fill_pattern": "rectilinear"} if value >= 100 else {})
    ),
    "infill_pattern": lambda value: {"fill_pattern": value.value},
    "supports": _switch("support_material", "support_material_auto"),
    "support_overhang": lambda value: {
        "support_material_threshold": str(max(1, round(90 - value)))
    },
    "supports_from_bed_only": _switch("support_material_buildplate_only"),
    "orient": lambda _: {},  # done before any engine sees the part
    "brim": lambda value: {
        "brim_type": "outer_only" if value else "no_brim",
        "brim_width": f"{value:g}",
    },
    "perimeters": _plain("perimeters"),
    "top_layers": _plain("top_solid_layers"),
    "bottom_layers": _plain("bottom_solid_layers"),
    "seam": lambda value: {"seam_position": value.value},
    "ironing": _switch("ironing"),
    "nozzle_temperature": _plain("temperature", "first_layer_temperature"),
    "bed_temperature": _plain("bed_temperature", "first_layer_bed_temperature"),
}


def changed(keys: Mapping[str, str], wishes: Overrides) -> dict[str, str]:
    """Return a flat configuration with the wishes in it."""
    made = dict(keys)
    for name in Overrides.model_fields:
        value = getattr(wishes, name)
        if value is None:
            continue
        if name == "speed":
            made |= {key: _scaled(made[key], value / 100) for key in _SPEEDS if key in made}
        elif name == "flow":
            made["extrusion_multiplier"] = _scaled(
                made.get("extrusion_multiplier", "1"), value / 100
            )
        else:
            made |= _KEYS[name](value)
    return made


def _scaled(text: str, share: float) -> str:
    """Return each number of a list times a share; a percentage follows what it is one of."""
    return ",".join(
        each if each.strip().endswith("%") else f"{float(each) * share:g}"
        for each in text.split(",")
    )
