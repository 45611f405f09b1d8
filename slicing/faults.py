"""What keeps a part from being printed, and what to look at: figures in, sentences out."""

from collections.abc import Iterator
from dataclasses import dataclass

from slicing.changes import many
from slicing.mesh import Vector
from slicing.results import TooLarge
from slicing.standing import Standing
from slicing.walls import Walls

# No nozzle draws a part as small, and no first layer is as thin.
_LONGEST_MIN_MM = 2.0
_SIDE_MIN_MM = 0.15

# Of the box around it: what encloses less has no inside.
_NOTHING = 1e-6

# Of the surface: if so much belongs to walls that no nozzle draws, there is no part.
_THIN_MAX = 0.5

# Lines side by side that make a wall which holds.
_LINES_WANTED = 2

# Of all crossings of lines with the surface.
_INVERTED_MAX = 0.05
_CROSSED_TOLD = 0.005

_OVERHANG_TOLD = 0.02
_FOOT_SHARE_TOLD = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was measured of a part.

    Attributes:
        edges_open: edges at which the surface does not close.
        edges_crowded: edges of more than two triangles.
        volume_mm3: signed.
        nozzle_mm: the thinnest nozzle that could print it.
    """

    size_mm: Vector
    edges_open: int
    edges_crowded: int
    volume_mm3: float
    bodies: int
    cavities: int
    walls: Walls
    standing: Standing
    nozzle_mm: float
    fits: tuple[str, ...]
    too_large: tuple[TooLarge, ...]


def faults(facts: Facts) -> tuple[str, ...]:
    """Return what keeps it from being printed, each a sentence that says what to do."""
    return tuple(_faults(facts))


def remarks(facts: Facts) -> tuple[str, ...]:
    """Return what to look at, each a sentence."""
    return tuple(_remarks(facts))


def _faults(facts: Facts) -> Iterator[str]:
    size, walls = facts.size_mm, facts.walls
    if _hollow(facts):
        yield "It encloses no volume, only sheets: give them a thickness."
    elif facts.edges_open:
        yield (
            f"Its surface stays open at {facts.edges_open:,} edges that could not be closed: "
            "close it where it was made."
        )
    elif facts.volume_mm3 < 0 or walls.inverted > _INVERTED_MAX:
        yield "Parts of its surface are inside out and can't be turned: mend it where it was made."
    if max(size) < _LONGEST_MIN_MM:
        yield f"It measures only {max(size):.3g} mm: say its unit, or give it a size."
    elif min(size) < _SIDE_MIN_MM:
        yield f"It is only {min(size):.3g} mm thick, less than a layer: make it thicker."
    if walls.thin_upright + walls.thin_lying > _THIN_MAX:
        yield (
            f"Most of its walls are thinner than a nozzle of {facts.nozzle_mm:g} mm draws "
            f"({walls.thinnest_mm or 0.0:.2g} mm): make them thicker, or the whole part larger."
        )
    if not facts.fits:
        yield f"It fits no printer: {_beyond(facts.too_large)}. Make it smaller, or cut it."


def _remarks(facts: Facts) -> Iterator[str]:
    if facts.edges_crowded:
        yield f"More than two faces meet at {many(facts.edges_crowded, 'edge', 'edges')}."
    if facts.bodies > 1:
        yield f"It consists of {facts.bodies:,} bodies that do not hold together."
    if facts.cavities:
        yield f"It has {many(facts.cavities, 'closed hollow', 'closed hollows')} inside."
    if not _hollow(facts):
        yield from _of_its_walls(facts)
        yield from _of_its_stand(facts)
    if facts.fits and facts.too_large:
        yield f"Not every printer can take it: {_beyond(facts.too_large)}."


def _of_its_walls(facts: Facts) -> Iterator[str]:
    walls, wanted_mm = facts.walls, _LINES_WANTED * facts.nozzle_mm
    if max(walls.doubled, walls.inverted) > _CROSSED_TOLD:
        yield "Its surface crosses itself: check in the preview how that is filled."
    if walls.thinnest_mm is not None and walls.thinnest_mm < 0.99 * wanted_mm:
        yield (
            f"Its walls are down to {walls.thinnest_mm:.2g} mm; a nozzle of {facts.nozzle_mm:g} mm "
            f"wants {wanted_mm:.2g} mm."
        )


def _of_its_stand(facts: Facts) -> Iterator[str]:
    standing = facts.standing
    if standing.loose_ratio:
        yield (
            f"{standing.loose_ratio:.1%} of it hangs in the air, joined to nothing that stands: "
            "it needs supports, or has to be joined."
        )
    if standing.islands:
        yield (
            f"{many(standing.islands, 'place begins', 'places begin')} in mid-air, the lowest at "
            f"{standing.island_mm:.3g} mm: supports are needed."
        )
    if standing.overhang_ratio > _OVERHANG_TOLD:
        yield (
            f"{standing.overhang_ratio:.0%} of its surface hangs over by more than 45 degrees: "
            "it may need supports."
        )
    if standing.foot_mm2 < _FOOT_SHARE_TOLD * facts.size_mm[0] * facts.size_mm[1]:
        yield f"It stands on {standing.foot_mm2:.3g} mm² only: give it a brim, or supports."


def _hollow(facts: Facts) -> bool:
    box = facts.size_mm[0] * facts.size_mm[1] * facts.size_mm[2]
    return facts.bodies == 0 or abs(facts.volume_mm3) <= _NOTHING * box


def _beyond(too_large: tuple[TooLarge, ...]) -> str:
    """Return by how much it is too large for each printer, and along which axis."""
    said = []
    for one in too_large[:5]:
        axes = [
            f"{much:,.4g} mm in {axis}"
            for axis, much in zip("XYZ", one.exceeds_mm, strict=True)
            if much
        ]
        said.append(f"{one.printer} by {' and '.join(axes)}")
    more = f", and {len(too_large) - 5} more" if len(too_large) > 5 else ""
    return "too large for " + ", ".join(said) + more
