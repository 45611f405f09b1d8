"""Good plates made bad: one change each, with the rule that it breaks and the line that is told."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from protocols.gcode.commands import ALTERING, FORBIDDEN


@dataclass(frozen=True, slots=True)
class BadPlate:
    """A plate that was spoilt.

    Attributes:
        line: that the finding has to name; 0: the whole file.
    """

    rule: str
    line: int
    text: bytes


Lines = list[str]
Spoiler = Callable[[Lines, random.Random], tuple[Lines, int]]

_LAYS = re.compile(r"G1 .*X[\d.]+ Y[\d.]+ .*?E\.?\d")
_MOVES = re.compile(r"G[01] .*[XYZ]")


def spoil(text: bytes, rule: str, chance: random.Random) -> BadPlate:
    """Return a plate with one change that breaks a rule.

    Args:
        text: a good plate with marked layers and relative extrusion.
    """
    lines, line = SPOILERS[rule](text.decode().splitlines(), chance)
    return BadPlate(rule=rule, line=line, text=("\n".join(lines) + "\n").encode())


def _inserted(*choices: str, before_layers: bool = False) -> Spoiler:
    def insert(lines: Lines, chance: random.Random) -> tuple[Lines, int]:
        first = next(n for n, line in enumerate(lines) if line.startswith(";LAYER_CHANGE"))
        last = max(n for n, line in enumerate(lines) if _LAYS.match(line))
        at = first if before_layers else chance.randrange(first + 1, last)
        return [*lines[:at], chance.choice(choices), *lines[at:]], at + 1

    return insert


def _beside(lines: Lines, chance: random.Random) -> tuple[Lines, int]:
    first = lines.index(";LAYER_CHANGE")
    at = chance.choice([n for n, line in enumerate(lines) if n > first and _LAYS.match(line)])
    axis, far = chance.choice("XY"), chance.choice(("-0.5", "251.7", "900"))
    return [*lines[:at], re.sub(rf"{axis}[\d.]+", axis + far, lines[at]), *lines[at + 1 :]], at + 1


def _cooled(lines: Lines, chance: random.Random) -> tuple[Lines, int]:
    spoilt, at = _inserted("M104 S0", "M104 S100", "M109 R20")(lines, chance)
    return spoilt, next(
        n for n in range(at, len(spoilt)) if re.match(r"G1 .*E\.?\d", spoilt[n])
    ) + 1


def _not_homed(lines: Lines, _chance: random.Random) -> tuple[Lines, int]:
    left = [line for line in lines if not line.startswith("G28")]
    return left, next(n for n, line in enumerate(left) if _MOVES.match(line)) + 1


def _dry(lines: Lines, _chance: random.Random) -> tuple[Lines, int]:
    return [re.sub(r" E-?[\d.]+", "", line) for line in lines], 0


def _empty(lines: Lines, _chance: random.Random) -> tuple[Lines, int]:
    return [line for line in lines if line.startswith(";")], 0


def _said(name: str, value: str) -> Spoiler:
    return lambda lines, _chance: ([*lines, f"; {name} = {value}"], 0)


def _numbered(lines: Lines, _chance: random.Random) -> tuple[Lines, int]:
    numbered = [f"N{n} {line}" if line[:1] in "GM" else line for n, line in enumerate(lines)]
    return numbered, next(n for n, line in enumerate(numbered) if line[:1] == "N") + 1


SPOILERS: dict[str, Spoiler] = {
    "empty": _empty,
    "nothing": _dry,
    "line": _inserted("G1 X" + "1" * 99, "G1 X5 é", "G1 X5*71", "M204 P500" + " S1" * 40),
    "numbered": _numbered,
    "syntax": _inserted("PRINT_END", "G1 X1 Y", "G1 X1.2.3", "G1 X--5", "<html>", "G"),
    "dialect": _inserted("G999", "M9876 S1"),
    "forbidden": _inserted(*FORBIDDEN),
    "altering": _inserted(*(f"{name} S1" for name in ALTERING)),
    "shifted": _inserted("G92 X0", "G92 Y5 E0", "G92 Z0.2"),
    "envelope": _beside,
    "start": _inserted("G1 X-30 Y10 Z0.3 E2 F1200", before_layers=True),
    "height": _inserted("G1 Z251 F600", "G0 Z999"),
    "temperature": _inserted("M104 S420", "M109 S281", "M140 S140", "M190 R200"),
    "cold": _cooled,
    "unhomed": _not_homed,
    "tool": _inserted("T1", "T3", "M104 S200 T2"),
    "nozzle": _said("nozzle_diameter", "0.8"),
    "material": _said("filament_type", "ABS"),
}
