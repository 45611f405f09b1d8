"""The settings that a designer put into a 3MF: a few of them, only where that was asked for.

A project's settings can make a slicer run programs. What is read here is translated into wishes as
a person could type them, and so can't do more than those.
"""

import json
from pathlib import Path

from slicing import orca_keys
from slicing.bundles import parse_sections
from slicing.errors import ProfileInvalid
from slicing.importing import foreign_text
from slicing.overrides import Overrides
from slicing.prusaslicer_keys import Keys, quality_of

# Wish -> the key of PrusaSlicer that has to be there, section and key of our quality.
_WISHES = {
    "layer_height": ("layer_height", "layers", "height_mm"),
    "perimeters": ("perimeters", "shell", "perimeters"),
    "top_layers": ("top_solid_layers", "shell", "top_layers"),
    "bottom_layers": ("bottom_solid_layers", "shell", "bottom_layers"),
    "seam": ("seam_position", "shell", "seam"),
    "infill": ("fill_density", "infill", "percent"),
    "infill_pattern": ("fill_pattern", "infill", "pattern"),
    "supports": ("support_material", "adhesion", "supports"),
    "supports_from_bed_only": (
        "support_material_buildplate_only",
        "adhesion",
        "supports_from_bed_only",
    ),
    "brim": ("brim_width", "adhesion", "brim_mm"),
}


def designer_wishes(path: Path, wishes: Overrides) -> Overrides:
    """Return a person's wishes, and below them what the designer of a 3MF wished.

    Raises:
        ProfileInvalid: the settings in it can't be read.
    """
    text = foreign_text(path) if path.suffix.lower() == ".3mf" else ""
    try:
        if text.lstrip().startswith("{"):
            keys, _ = orca_keys.translated(json.loads(text))
        else:
            keys = parse_sections(text)[""]
        quality = quality_of(Keys(keys), "designer", "designer")
        theirs = {
            wish: getattr(getattr(quality, section), own)
            for wish, (key, section, own) in _WISHES.items()
            if key in keys
        }
        return Overrides.model_validate(theirs | wishes.model_dump(exclude_none=True))
    except (ValueError, TypeError) as error:
        raise ProfileInvalid(
            f"The designer's settings in {path.name} can't be right: slice without them.",
            file=str(path),
        ) from error
