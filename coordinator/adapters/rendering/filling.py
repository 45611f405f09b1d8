"""Values that a person gave, held against the form that code asks for: pure."""

import json
from collections.abc import Mapping, Sequence

from coordinator.domain.code_forms import Parameter, Scalar, Value

_TEXT_MAX = 1000


def filled(
    parameters: Sequence[Parameter], given: Mapping[str, Scalar]
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Return the values of a form, and what is wrong with those given.

    Args:
        given: a vector is given as its text, `[1, 2]`.
    """
    known = {each.name: each for each in parameters}
    values: dict[str, Value] = {}
    wrong = [f"there is no parameter {name!r}" for name in given if name not in known]
    for name, value in given.items():
        parameter = known.get(name)
        if parameter is None:
            continue
        found = _typed(parameter, value)
        objection = "is not of its type" if found is None else _objection(parameter, found)
        if found is None or objection:
            wrong.append(f"{name} {objection or 'is not of its type'} ({parameter.type})")
        else:
            values[name] = found
    return values, tuple(wrong)


def _typed(parameter: Parameter, value: Scalar) -> Value | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match parameter.type:
        case "boolean" if isinstance(value, bool):
            return value
        case "integer" if number and float(value).is_integer():
            return int(value)
        case "number" if number and abs(float(value)) < 1e9:
            return value
        case "string" if isinstance(value, str):
            return value
        case "vector" if isinstance(value, str):
            return _vector(value)
    return None


def _vector(text: str) -> tuple[float, ...] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or not all(type(each) in (int, float) for each in found):
        return None
    return tuple(found)


def _objection(parameter: Parameter, value: Value) -> str:
    if parameter.choices:
        allowed = [each.value for each in parameter.choices]
        return "" if value in allowed else f"is none of {', '.join(map(str, allowed))}"
    if isinstance(value, str):
        if len(value) > min(parameter.characters_max or _TEXT_MAX, _TEXT_MAX):
            return "is too long"
        return "" if value.isprintable() else "has control characters"
    length = len(parameter.default) if isinstance(parameter.default, tuple) else 0
    if isinstance(value, tuple) and len(value) != length:
        return f"needs {length} numbers"
    for each in value if isinstance(value, tuple) else (value,):
        if parameter.minimum is not None and each < parameter.minimum:
            return f"is below {parameter.minimum:g}"
        if parameter.maximum is not None and each > parameter.maximum:
            return f"is above {parameter.maximum:g}"
    return ""
