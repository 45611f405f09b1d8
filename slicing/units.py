"""Numbers in a model file become millimetres with Z up, and nobody guesses silently.

What the request says comes first, then what the file says (3MF, AMF), then what its format says
(GLB, glTF and STEP: metres), then millimetres. Generators of models give cubes of about one unit
whatever the unit is called: then only a size to fit (`fit_mm`) can tell.
"""

import numpy as np
from numpy.typing import NDArray

from slicing.request import Unit, Up

MM_PER_UNIT: dict[Unit, float] = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "inch": 25.4}

# The words of files for units, the plural and the abbreviations that libraries make of them too.
_MM_PER_WORD = {
    "micron": 0.001,
    "millimeter": 1.0,
    "centimeter": 10.0,
    "meter": 1000.0,
    "inch": 25.4,
    "foot": 304.8,
    "feet": 304.8,
    "inche": 25.4,
}
_METRES = frozenset({"glb", "gltf", "step"})
_Y_UP = frozenset({"glb", "gltf"})

# Nozzles draw lines of 0.45 mm, and no bed of a farm is much longer than a metre.
_TINY_MM = 2.0

# Generators scale what they make to a cube of one or two units.
_NORMALISED = (0.5, 3.0)


def to_print_space(
    corners: NDArray[np.float64],
    *,
    form: str,
    declared: str = "",
    unit: Unit | None = None,
    fit_mm: float | None = None,
    scale: float | None = None,
    up: Up | None = None,
) -> tuple[NDArray[np.float64], float, tuple[str, ...]]:
    """Return corners in millimetres with Z up, how scaled, and what a person should know of it.

    Args:
        corners: as the file has them.
        form: the format, `stl`, `glb` ...
        declared: the file's own word for its unit, empty where it has none.
        unit: what the request says the file's unit is; it outranks the file.
        fit_mm: the longest side to scale to, whatever the unit.
        scale: what to multiply the numbers with, whatever the unit.
        up: the axis that points up; None for the one of the format.
    """
    if (up or ("y" if form in _Y_UP else "z")) == "y":
        corners = corners[:, :, (0, 2, 1)] * np.array((1.0, -1.0, 1.0))
    longest = float(np.ptp(corners.reshape(-1, 3), axis=0).max(initial=0.0))
    if fit_mm is not None:
        factor = fit_mm / longest if longest > 0 else 1.0
        return corners * factor, factor, (f"Scaled by {factor:.4g} to {fit_mm:g} mm, as asked.",)
    if scale is not None:
        said = (f"Scaled by {scale:.4g}, as asked.",) if scale != 1.0 else ()
        return corners * scale, scale, said
    if unit is not None:
        factor, told = MM_PER_UNIT[unit], f"Read as {unit}, as asked."
    elif declared.lower().removesuffix("s") in _MM_PER_WORD:
        factor, told = (
            _MM_PER_WORD[declared.lower().removesuffix("s")],
            f"Read as {declared}, as the file says.",
        )
    elif form in _METRES:
        factor, told = MM_PER_UNIT["m"], _as_metres(form, longest)
    else:
        return corners, 1.0, _doubts(longest)
    if factor == 1.0:
        return corners, 1.0, _doubts(longest)
    return corners * factor, factor, (told, *_doubts(longest * factor))


def _as_metres(form: str, longest: float) -> str:
    told = f"Read as metres{' with Y up' if form in _Y_UP else ''}, as {form.upper()} says."
    if form in _Y_UP and _NORMALISED[0] <= longest <= _NORMALISED[1]:
        told += (
            f" It measures {longest:.3g} of them, as models of generators do, which have no size: "
            "give one (fit_mm)."
        )
    return told


def _doubts(longest_mm: float) -> tuple[str, ...]:
    if not 0 < longest_mm < _TINY_MM:
        return ()
    told = (
        f"The model measures only {longest_mm:.3g} mm: if it was drawn in inches or metres, "
        "say so (unit), or give it a size (fit_mm)."
    )
    return (told,)
