"""The conditions in vendors' bundles, such as `printer_notes=~/.*MK3.*/ and layer_height==0.2`.

Read by a small parser and computed over a preset's keys; nothing is evaluated as code. Grammar, as
PrusaSlicer 2.5 has it: `or ||`, `and &&`, `not !`, `== != <> < > <= >=`, `=~ !~` with a regular
expression in slashes that has to match the whole text, brackets, and `name[index]`.
"""

import operator
import re
from collections.abc import Callable, Mapping

Value = float | str | bool | re.Pattern[str]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+\.?\d*|\.\d+)
      | (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<regex>(?<=~)\s*/(?:[^/\\]|\\.)*/)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<sign>==|!=|<>|<=|>=|=~|!~|&&|\|\||[<>!()\[\]])
    )""",
    re.VERBOSE,
)
_SAME = {"&&": "and", "||": "or", "!": "not", "<>": "!="}
_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_COMPARISONS = frozenset({"==", "!=", "=~", "!~", *_ORDERS})


class ConditionInvalid(ValueError):
    """The text is no condition, or compares what can't be compared."""


def holds(condition: str, keys: Mapping[str, str]) -> bool:
    """Return whether a condition holds for a preset's keys; an empty one always does.

    Raises:
        ConditionInvalid: it can't be read. A key that is missing counts as empty, which is zero.
    """
    if not condition.strip():
        return True
    reader = _Reader(_tokens(condition), keys)
    value = reader.either()
    if reader.next is not None:
        raise ConditionInvalid(f"{reader.next!r} is out of place in: {condition}")
    return _true(value)


def _tokens(text: str) -> list[str]:
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            raise ConditionInvalid(f"{text[place:][:20]!r} is out of place in: {text}")
        found.append(token[0].strip())
        place = token.end()
    return found


class _Reader:
    """Reads tokens from left to right and computes as it goes."""

    def __init__(self, tokens: list[str], keys: Mapping[str, str]) -> None:
        self._tokens = tokens
        self._keys = keys
        self._place = 0

    @property
    def next(self) -> str | None:
        """The token that comes, None at the end."""
        if self._place >= len(self._tokens):
            return None
        token = self._tokens[self._place]
        return _SAME.get(token, token)

    def _take(self, *wanted: str) -> str | None:
        token = self.next
        if token is None or (wanted and token not in wanted):
            return None
        self._place += 1
        return token

    def either(self) -> Value:
        """`a or b`; both sides are read, whatever the first one is."""
        value = self._both()
        while self._take("or"):
            other = self._both()
            value = _true(value) or _true(other)
        return value

    def _both(self) -> Value:
        value = self._negated()
        while self._take("and"):
            other = self._negated()
            value = _true(value) and _true(other)
        return value

    def _negated(self) -> Value:
        return not _true(self._negated()) if self._take("not") else self._compared()

    def _compared(self) -> Value:
        left = self._single()
        sign = self._take(*_COMPARISONS)
        return left if sign is None else _compare(left, sign, self._single())

    def _single(self) -> Value:
        token = self._take()
        if token is None:
            raise ConditionInvalid("the condition ends too early")
        if token == "(":
            value = self.either()
            self._expect(")")
            return value
        if token[0] == '"':
            return token[1:-1]
        if token[0] == "/":
            # As in PrusaSlicer, where a point is any character: notes have many lines.
            return re.compile(token[1:-1], re.DOTALL)
        if token[0].isdigit() or token[0] == ".":
            return float(token)
        if token in ("true", "false"):
            return token == "true"
        if not token[0].isalpha() and token[0] != "_":
            raise ConditionInvalid(f"{token!r} is out of place")
        return self._named(token)

    def _named(self, name: str) -> Value:
        text = self._keys.get(name, "")
        if self._take("["):
            index = self._take()
            self._expect("]")
            if index is None or not index.isdigit():
                raise ConditionInvalid(f"{name}[{index}] has no number as its index")
            values = re.split(r"[,;]", text)
            # Past the end counts the first, as everywhere in presets.
            text = values[int(index)] if int(index) < len(values) else values[0]
        return text.strip().strip('"').replace("\\n", "\n")

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise ConditionInvalid(f"{token!r} is missing before {self.next!r}")


def _compare(left: Value, sign: str, right: Value) -> bool:
    if sign in ("=~", "!~"):
        if not isinstance(right, re.Pattern):
            raise ConditionInvalid("=~ wants a regular expression in slashes")
        return (right.fullmatch(str(left)) is not None) == (sign == "=~")
    if isinstance(left, str) and isinstance(right, str) and sign in ("==", "!="):
        return (left == right) == (sign == "==")
    first, second = _number(left), _number(right)
    if sign in ("==", "!="):
        return (first == second) == (sign == "==")
    return _ORDERS[sign](first, second)


def _number(value: Value) -> float:
    if isinstance(value, re.Pattern):
        raise ConditionInvalid("a regular expression is no number")
    try:
        return float(value or 0)
    except ValueError as error:
        raise ConditionInvalid(f"{value!r} is no number") from error


def _true(value: Value) -> bool:
    return value not in ("", "0", "false", 0, False)
