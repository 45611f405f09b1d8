"""Templates of requests: documents with `${name}` in them, filled with values and never run.

A text that is nothing but a placeholder becomes its value with its type: `"${seed}"` becomes 7, not
"7". Within other text the value is written out. A member of an object, or of a list, whose value is
not there is left out; so is an object with a member `"$if": "name"` where that name has no value.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\$\{([a-z0-9_.]+)\}")
_CONDITION = "$if"
# Deeper ones are no requests.
_DEPTH_MAX = 30


def placeholders(template: Any) -> set[str]:
    """Return the names that a template asks for.

    Raises:
        ValueError: it is nested too deeply, or has a `${` that is no placeholder.
    """
    found: set[str] = set()
    for text in _texts(template, 0):
        names = _PLACEHOLDER.findall(text)
        if text.count("${") != len(names):
            raise ValueError("a placeholder is written ${name}")
        found.update(names)
    return found


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """Return a copy of a template with its placeholders filled; None where a value is not there.

    What a value says is never looked at for placeholders.
    """
    if isinstance(template, str):
        return _fill_text(template, values)
    if isinstance(template, Mapping):
        if _CONDITION in template and values.get(template[_CONDITION]) is None:
            return None
        template = {name: each for name, each in template.items() if name != _CONDITION}
        filled = {name: (each, fill(each, values)) for name, each in template.items()}
        return {name: new for name, (old, new) in filled.items() if new is not None or old is None}
    if isinstance(template, list):
        pairs = [(each, fill(each, values)) for each in template]
        return [new for old, new in pairs if new is not None or old is None]
    return template


def _fill_text(text: str, values: Mapping[str, Any]) -> Any:
    whole = _PLACEHOLDER.fullmatch(text)
    if whole:
        return values.get(whole[1])
    return _PLACEHOLDER.sub(lambda match: _written(values.get(match[1])), text)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _texts(template: Any, depth: int) -> Iterator[str]:
    if depth > _DEPTH_MAX:
        raise ValueError(f"a template is nested {_DEPTH_MAX} deep at most")
    if isinstance(template, str):
        yield template
    elif isinstance(template, Mapping):
        for name, each in template.items():
            yield from _texts(f"${{{each}}}" if name == _CONDITION else each, depth + 1)
    elif isinstance(template, list):
        for each in template:
            yield from _texts(each, depth + 1)
