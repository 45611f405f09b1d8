"""The form that code asks for: its parameters, as values and as a generation's row keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from coordinator.domain.history import Plain

Scalar: TypeAlias = str | int | float | bool
# As a form shows it: a list is for a person to type as one, `[1, 2]`.
Value: TypeAlias = Scalar | tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of the values that a parameter may have, and what a person reads for it."""

    value: Scalar
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A field of the form that code asks for.

    Attributes:
        type: `string`, `integer`, `number`, `boolean` or `vector`.
        minimum, maximum, step: of numbers, each of a vector's too; None where there is none.
        characters_max: of texts; None where there is no limit.
        choices: empty where any value of the type will do.
        group: the heading it stands below; empty for none.
        words: what it is, for a person.
    """

    name: str
    type: str
    default: Value
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    characters_max: int | None = None
    choices: tuple[Choice, ...] = ()
    group: str = ""
    words: str = ""


def told_of(form: Sequence[Parameter]) -> list[Plain]:
    """Return a form as a look tells it (`told["parameters"]`); what is empty is left out."""
    return [
        {name: _plain(value) for name, value in asdict(each).items() if value not in (None, "", ())}
        | {"default": _plain(each.default)}
        for each in form
    ]


def form_in(told: Mapping[str, Plain]) -> tuple[Parameter, ...]:
    """Return the form that a look told of; what makes no sense is left out."""
    listed = told.get("parameters")
    found = (_parameter(each) for each in listed) if isinstance(listed, list) else ()
    return tuple(each for each in found if each is not None)


def _plain(value: Any) -> Plain:
    return list(value) if isinstance(value, tuple) else value


def _parameter(row: Plain) -> Parameter | None:
    try:
        given: dict[str, Any] = dict(row)  # type: ignore[arg-type]
        given["choices"] = tuple(Choice(**each) for each in given.get("choices", ()))
        if isinstance(given["default"], list):
            given["default"] = tuple(float(each) for each in given["default"])
        return Parameter(**given)
    except (TypeError, ValueError, KeyError):
        return None
