"""The form of CAD Python: the fields of its class `Params`, read and never run. Pure.

@dataclass
class Params:
    # [Plate]
    width: float = 40.0  # [10:200] how wide, in mm
    style: str = "round"  # [round, square]
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from coordinator.adapters.rendering.bounds import bounds_of
from coordinator.domain.code_forms import Parameter, Scalar

_TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}
_KINDS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
}


def form_of(code: str) -> tuple[Parameter, ...]:
    """Return the parameters of CAD Python, in their order; none where there is no such class."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    notes = _notes(code)
    for each in tree.body:
        if isinstance(each, ast.ClassDef) and each.name == "Params":
            return tuple(_parameters(each, notes))
    return ()


def _parameters(params: ast.ClassDef, notes: dict[int, str]) -> Iterator[Parameter]:
    group, line = "", params.lineno
    for field in params.body:
        for above in range(line + 1, field.lineno):
            heading = re.fullmatch(r"\[(.*)\]", notes.get(above, ""))
            group = heading[1].strip() if heading else group
        line = field.end_lineno or field.lineno
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            found = _parameter(field, field.target.id, group, notes.get(line, ""))
            if found is not None:
                yield found


def _parameter(field: ast.AnnAssign, name: str, group: str, note: str) -> Parameter | None:
    kind = field.annotation.id if isinstance(field.annotation, ast.Name) else ""
    default = _default(field.value)
    if kind not in _TYPES or default is None:
        return None
    if not isinstance(default, _KINDS[kind]) or (isinstance(default, bool) and kind != "bool"):
        return None
    bracket, words = re.match(r"(\[[^\]]*\])?\s*(.*)", note, re.DOTALL).groups("")  # type: ignore[union-attr]
    bounds = bounds_of(bracket, default)
    return Parameter(
        name=name,
        type=_TYPES[kind],
        default=default,
        minimum=bounds.minimum,
        maximum=bounds.maximum,
        step=bounds.step,
        choices=bounds.choices,
        group=group,
        words=words.strip(),
    )


def _default(value: ast.expr | None) -> Scalar | None:
    try:
        found = ast.literal_eval(value) if value is not None else None
    except (ValueError, RecursionError, MemoryError):
        return None
    return found if isinstance(found, str | int | float) else None


def _notes(code: str) -> dict[int, str]:
    """Return the comments by their lines, without their sign."""
    try:
        return {
            each.start[0]: each.string.lstrip("#").strip()
            for each in tokenize.generate_tokens(io.StringIO(code).readline)
            if each.type == tokenize.COMMENT
        }
    except (tokenize.TokenError, SyntaxError):
        return {}
