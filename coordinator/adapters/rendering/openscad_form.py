"""The customizer of OpenSCAD: its comments become a form, a form becomes a parameter file.

As its manual describes it (OpenSCAD User Manual, Customizer): assignments of plain values before
the first module, a comment behind each that bounds it, one above that describes it, and
`/* [Group] */`. Pure; code is read and never run.
"""

import json
import re
from collections.abc import Iterator, Mapping

from coordinator.adapters.rendering.bounds import NUMBER, bounds_of, number
from coordinator.domain.code_forms import Parameter, Value

SET_NAME = "farm"

_LINE = re.compile(
    r"^\s*(?P<name>\$?[A-Za-z_]\w*)\s*=\s*"
    rf"(?P<value>\"(?:[^\"\\]|\\.)*\"|true|false|{NUMBER}|\[\s*{NUMBER}(?:\s*,\s*{NUMBER}){{0,3}}\s*\])"
    r"\s*;\s*(?://(?P<note>.*))?$"
)
_GROUP = re.compile(r"/\*\s*\[([^\]]*)\]\s*\*/")
_ENDS = re.compile(r"^\s*(?:module\b|function\b|[^/=]*\{)")
_ESCAPES = {'\\"': '"', "\\\\": "\\", "\\n": "\n", "\\t": "\t", "\\r": "\r"}


def form_of(code: str) -> tuple[Parameter, ...]:
    """Return the parameters of OpenSCAD code, in the order they stand in."""
    return tuple(_parameters(code))


def parameter_file(values: Mapping[str, Value]) -> bytes:
    """Return what `-p` reads: each value as a text, which OpenSCAD takes for a value, not code."""
    return json.dumps(
        {
            "parameterSets": {SET_NAME: {name: _text(each) for name, each in values.items()}},
            "fileFormatVersion": "1",
        }
    ).encode()


def _parameters(code: str) -> Iterator[Parameter]:
    group = above = ""
    seen: set[str] = set()
    for line in _without_notes(code).splitlines():
        found_group = _GROUP.search(line)
        if found_group:
            group, above = found_group[1].strip(), ""
            continue
        if line.lstrip().startswith("//"):
            above = line.strip().removeprefix("//").strip()
            continue
        found = _LINE.match(line)
        if found and group.lower() != "hidden" and found["name"] not in seen:
            seen.add(found["name"])
            yield _parameter(found, group, above)
        elif not found and _ENDS.match(line):
            return
        above = ""


def _without_notes(code: str) -> str:
    """Return code without its long comments; those that name a group stay."""
    return re.sub(
        r"/\*.*?\*/",
        lambda found: found[0] if _GROUP.fullmatch(found[0]) else "\n" * found[0].count("\n"),
        code,
        flags=re.DOTALL,
    )


def _parameter(found: re.Match[str], group: str, above: str) -> Parameter:
    default = _value(found["value"])
    bounds = bounds_of((found["note"] or "").strip(), default)
    return Parameter(
        name=found["name"],
        type=_type(default, whole=bounds.whole),
        default=default,
        minimum=bounds.minimum,
        maximum=bounds.maximum,
        step=bounds.step,
        characters_max=bounds.characters_max,
        choices=bounds.choices,
        group="" if group.lower() == "global" else group,
        words=above,
    )


def _type(value: Value, *, whole: bool) -> str:
    match value:
        case bool():
            return "boolean"
        case str():
            return "string"
        case tuple():
            return "vector"
        case int() if whole:
            return "integer"
    # `10` alone may well be made 10.5: OpenSCAD has one kind of number.
    return "number"


def _value(text: str) -> Value:
    if text in ("true", "false"):
        return text == "true"
    if text.startswith('"'):
        return re.sub(r"\\.", lambda each: _ESCAPES.get(each[0], each[0]), text[1:-1])
    if text.startswith("["):
        return tuple(number(each.strip()) for each in text[1:-1].split(","))
    return number(text)


def _text(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return f"[{', '.join(map(repr, value))}]"
        case str():
            return value
    return repr(value)
