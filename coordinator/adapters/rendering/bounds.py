"""What bounds a parameter, as it is written behind it: `[10:200]`, `[0:0.5:20]`, `[a, b:Label]`.

The notation of OpenSCAD's customizer, which all languages here share. Pure.
"""

import re
from dataclasses import dataclass

from coordinator.domain.code_forms import Choice, Scalar, Value

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"^\[\s*({NUMBER})\s*:\s*({NUMBER})\s*(?::\s*({NUMBER})\s*)?\]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The bounds; all empty where a note says none."""

    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    characters_max: int | None = None
    choices: tuple[Choice, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether they speak of whole numbers only; a note that says nothing does not."""
        told = [each for each in (self.minimum, self.maximum, self.step) if each is not None]
        return bool(told) and all(each.is_integer() for each in told)


def bounds_of(note: str, default: Value) -> Bounds:
    """Return what a note says of a parameter with this default."""
    if isinstance(default, bool):
        return Bounds()
    found = _RANGE.match(note)
    if found and not isinstance(default, str):
        first, second, third = found.groups()
        return Bounds(
            minimum=float(first),
            maximum=float(third or second),
            step=float(second) if third else None,
        )
    if note.startswith("[") and note.endswith("]") and not isinstance(default, tuple):
        return Bounds(choices=_choices(note[1:-1], default))
    if re.fullmatch(NUMBER, note):
        # Behind a text it is how long it may be, behind a number how it is counted up.
        if isinstance(default, str):
            return Bounds(characters_max=int(float(note)))
        return Bounds(step=float(note))
    return Bounds()


def number(text: str) -> int | float:
    """Return a number, whole where it is written so."""
    return int(text) if re.fullmatch(r"[-+]?\d+", text) else float(text)


def _choices(text: str, default: Scalar) -> tuple[Choice, ...]:
    found = []
    for part in text.split(","):
        value, _, label = (each.strip() for each in part.partition(":"))
        plain = value.strip("\"'")
        if isinstance(default, str):
            found.append(Choice(value=plain, label=label or plain))
        elif re.fullmatch(NUMBER, value):
            found.append(Choice(value=number(value), label=label or value))
    return tuple(found)
