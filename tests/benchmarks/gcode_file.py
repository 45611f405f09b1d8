"""The G-code file that every host streams: dense arcs, the same bytes on every machine."""

import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

# The stand-in measures between these two.
BEGIN = "M117 NULLMARLIN_BEGIN"
END = "M117 NULLMARLIN_END"

FEED_MM_PER_MIN = 3600
TRAVEL_MM_PER_MIN = 12000
SEGMENT_MM = 0.15  # 400 moves a second at that feed: small arcs as slicers write them
EXTRUSION_MM = 0.005
CENTRE_MM = 110.0
RADII_MM = range(10, 60)
LAYER_MM = 0.2


def arcs() -> Iterator[str]:
    """Yield moves without end: rings from the inside out, layer upon layer."""
    layer = 0
    while True:
        layer += 1
        yield f"G1 Z{layer * LAYER_MM:.3f} F{FEED_MM_PER_MIN}"
        for radius in RADII_MM:
            segments = math.ceil(2 * math.pi * radius / SEGMENT_MM)
            for i in range(segments):
                angle = 2 * math.pi * i / segments
                x, y = CENTRE_MM + radius * math.cos(angle), CENTRE_MM + radius * math.sin(angle)
                yield f"G1 X{x:.3f} Y{y:.3f} E{EXTRUSION_MM}"


def moves(count: int) -> list[str]:
    """Return the first `count` moves of the file."""
    return list(islice(arcs(), count))


def write_gcode(path: Path, count: int) -> None:
    """Write a file of `count` moves between the two marks, the way to the first arc before them."""
    start = f"G1 X{CENTRE_MM + RADII_MM[0]:.3f} Y{CENTRE_MM:.3f} F{TRAVEL_MM_PER_MIN}"
    lines = ["G90", "M83", start, "M400", BEGIN, *moves(count), END]
    path.write_text("\n".join(lines) + "\n")
