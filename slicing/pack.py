"""Parts side by side on a bed, as few beds as we can, each part turned by 90 degrees or not.

Footprints are rectangles with room around them for a brim and a finger. rectpack does the work
with several of its orders; equal parts are also tried in rows, which beats it often.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import rectpack

# Between parts, so that they come off one by one.
CLEARANCE_MM = 3.0

# rectpack counts best in whole numbers.
_PER_MM = 100

_ORDERS = (
    (rectpack.MaxRectsBssf, rectpack.SORT_AREA),
    (rectpack.MaxRectsBl, rectpack.SORT_LSIDE),
    (rectpack.SkylineBlWm, rectpack.SORT_SSIDE),
    (rectpack.GuillotineBssfSas, rectpack.SORT_AREA),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What is to be placed: a footprint in mm, and how many of it."""

    width_mm: float
    depth_mm: float
    copies: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One copy on a bed.

    Attributes:
        item: which, by its place in the list.
        x_mm: where its middle goes, as `y_mm`, from the bed's origin.
        turned: by 90 degrees about Z.
    """

    item: int
    x_mm: float
    y_mm: float
    turned: bool


Arrangement = tuple[Placement, ...]


def pack(
    items: Sequence[Item], bed_mm: tuple[float, float], *, brim_mm: float = 0.0
) -> tuple[Arrangement, ...]:
    """Return beds with placements, the fullest way first; each lot lies in the bed's middle.

    Args:
        items: each fits the bed by itself, with its brim.
        bed_mm: width and depth.
        brim_mm: room each copy needs around it.
    """
    left = [item.copies for item in items]
    beds: list[Arrangement] = []
    while any(left):
        bed = _fill(items, left, bed_mm, brim_mm)
        assert bed, "each item fits by itself"
        for placement in bed:
            left[placement.item] -= 1
        beds.append(bed)
        used = [sum(one.item == number for one in bed) for number in range(len(items))]
        while all(more >= much for more, much in zip(left, used, strict=True)):
            beds.append(bed)  # the same lot again
            left = [more - much for more, much in zip(left, used, strict=True)]
    return tuple(beds)


def _fill(
    items: Sequence[Item], left: Sequence[int], bed_mm: tuple[float, float], brim_mm: float
) -> Arrangement:
    """Return one bed with as much of what is left as goes on it."""
    gap = CLEARANCE_MM + 2 * brim_mm
    room = (bed_mm[0] - 2 * brim_mm + gap, bed_mm[1] - 2 * brim_mm + gap)
    if sum(left) == 1:  # alone: as it lies, where that is possible
        only = next(number for number, much in enumerate(left) if much)
        width, depth = items[only].width_mm, items[only].depth_mm
        turned = width + gap > room[0] + 1e-9 or depth + gap > room[1] + 1e-9
        return (Placement(item=only, x_mm=bed_mm[0] / 2, y_mm=bed_mm[1] / 2, turned=turned),)
    ways = list(_with_rectpack(items, left, room, gap))
    if sum(much > 0 for much in left) == 1:
        only = next(number for number, much in enumerate(left) if much)
        ways += [_rows(only, items[only], left[only], room, gap, turned=turn) for turn in (0, 1)]
    best = max(ways, key=lambda bed: sum(_area(items[one.item]) for one in bed))
    return _centred(best, items, bed_mm)


def _with_rectpack(
    items: Sequence[Item], left: Sequence[int], room: tuple[float, float], gap: float
) -> Iterator[Arrangement]:
    whole = tuple(int(side * _PER_MM + 1e-6) for side in room)
    for algorithm, order in _ORDERS:
        packer = rectpack.newPacker(
            mode=rectpack.PackingMode.Offline,
            bin_algo=rectpack.PackingBin.BBF,
            pack_algo=algorithm,
            sort_algo=order,
            rotation=True,
        )
        packer.add_bin(*whole)
        for number, item in enumerate(items):
            sides = tuple(
                -int(-(side + gap) * _PER_MM // 1) for side in (item.width_mm, item.depth_mm)
            )
            most = whole[0] * whole[1] // (sides[0] * sides[1])
            for _ in range(min(left[number], most)):
                packer.add_rect(*sides, rid=number)
        packer.pack()
        yield tuple(
            Placement(
                item=number,
                x_mm=(x + width / 2) / _PER_MM,
                y_mm=(y + depth / 2) / _PER_MM,
                turned=_is_turned(items[number], width, depth),
            )
            for _, x, y, width, depth, number in packer.rect_list()
        )


def _is_turned(item: Item, width: int, depth: int) -> bool:
    """Whether a rectangle has the item's long side where the item has its short one."""
    return (width < depth) != (item.width_mm < item.depth_mm) and width != depth


def _rows(
    number: int, item: Item, copies: int, room: tuple[float, float], gap: float, *, turned: int
) -> Arrangement:
    """Return rows of equal parts."""
    width, depth = (item.width_mm, item.depth_mm)[:: -1 if turned else 1]
    columns = int((room[0] + 1e-6) // (width + gap))
    rows = int((room[1] + 1e-6) // (depth + gap))
    return tuple(
        Placement(
            item=number,
            x_mm=(place % columns) * (width + gap),
            y_mm=(place // columns) * (depth + gap),
            turned=bool(turned),
        )
        for place in range(min(copies, columns * rows))
    )


def _area(item: Item) -> float:
    return item.width_mm * item.depth_mm


def _centred(bed: Arrangement, items: Sequence[Item], bed_mm: tuple[float, float]) -> Arrangement:
    boxes = []
    for one in bed:
        item = items[one.item]
        half = (item.width_mm / 2, item.depth_mm / 2)[:: -1 if one.turned else 1]
        boxes.append(
            (one.x_mm - half[0], one.y_mm - half[1], one.x_mm + half[0], one.y_mm + half[1])
        )
    low_x, low_y = min(box[0] for box in boxes), min(box[1] for box in boxes)
    high_x, high_y = max(box[2] for box in boxes), max(box[3] for box in boxes)
    shift_x, shift_y = (bed_mm[0] - low_x - high_x) / 2, (bed_mm[1] - low_y - high_y) / 2
    return tuple(
        Placement(
            item=one.item, x_mm=one.x_mm + shift_x, y_mm=one.y_mm + shift_y, turned=one.turned
        )
        for one in bed
    )
