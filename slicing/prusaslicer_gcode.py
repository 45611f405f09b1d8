"""Start and end code of foreign profiles: taken where each macro in it has one of ours."""

import re

from slicing.printer import PLACEHOLDERS
from slicing.prusaslicer_keys import Keys

# Macros of PrusaSlicer and Orca -> our placeholder.
_COUNTERPARTS = {
    "first_layer_temperature": "nozzle_celsius",
    "nozzle_temperature_initial_layer": "nozzle_celsius",
    "first_layer_bed_temperature": "bed_celsius",
    "bed_temperature_initial_layer": "bed_celsius",
    "bed_temperature_initial_layer_single": "bed_celsius",
    "hot_plate_temp_initial_layer": "bed_celsius",
}
_MACRO = re.compile(r"[\[{](\w+?)(?:_0|\[(?:0|initial_extruder|initial_tool)\])?[\]}]")
_LINES_MAX = 200

# Common to all Marlin-like firmwares; lengths of filament are relative.
PLAIN_START = """G90
M83
M140 S{bed_celsius}
M104 S{nozzle_celsius}
M190 S{bed_celsius}
M109 S{nozzle_celsius}
G28
G92 E0
"""
PLAIN_END = """M104 S0
M140 S0
M107
G1 E-2 F2100
G1 Z{park_z_mm} F600
M84
"""


def start_and_end(keys: Keys) -> tuple[str, str, list[str]]:
    """Return start code, end code, and a sentence for each that had to be replaced by a plain one.

    A code is taken only whole: half of one could heat without homing.
    """
    sentences = []
    codes = []
    for key, plain, word in (
        ("start_gcode", PLAIN_START, "start"),
        ("end_gcode", PLAIN_END, "end"),
    ):
        text = keys.whole(key).strip('"').replace("\\n", "\n").replace('\\"', '"')
        ours = _MACRO.sub(_placeholder, text)
        bare = ours
        for name in PLACEHOLDERS:
            bare = bare.replace(f"{{{name}}}", "")
        if text and not re.search(r"[\[\]{}]", bare) and ours.count("\n") <= _LINES_MAX:
            # Ours are relative, whatever the profile says.
            codes.append(f"{ours.strip()}\nM83\nG92 E0\n" if word == "start" else ours)
        else:
            codes.append(plain)
            sentences.append(
                f"Its {word} code was replaced by a plain one: it is empty, or uses macros that "
                "only its own slicer knows."
            )
    return codes[0], codes[1], sentences


def _placeholder(found: re.Match[str]) -> str:
    name = _COUNTERPARTS.get(found[1])
    return f"{{{name}}}" if name else found[0]
