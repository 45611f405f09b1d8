"""What a language model answered: out of JSON or a stream of it, and the code in it. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_THOUGHT = re.compile(r"<(think|thinking)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(
    r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^\n]*\n(.*?)^[ \t]*\1[ \t]*$", re.M | re.S
)
_SAID_MAX = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer.

    Attributes:
        finish: `stop`, `length`, `content_filter`, or what else the server says; empty where the
            answer broke off.
        refusal: why the model does not answer, where it says that apart.
        cost: where the server tells.
        model: which one answered, by its own word.
    """

    text: str
    finish: str = ""
    refusal: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    cost: Decimal | None = None
    model: str = ""


class Gathering:
    """An answer as it comes: one whole document, or pieces of a stream."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._finish = self._model = ""
        self._usage: Mapping[str, Any] = {}
        self.characters = 0

    def take(self, document: Mapping[str, Any]) -> None:
        """Add a whole answer or a piece of one; what has another shape adds nothing."""
        self._model = _text(document.get("model")) or self._model
        usage = document.get("usage")
        if isinstance(usage, dict):
            self._usage = usage
        choices = document.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            return
        choice = choices[0]
        said = choice.get("delta") or choice.get("message")
        if isinstance(said, dict):
            self._text.append(_text(said.get("content")))
            self._refusal.append(_text(said.get("refusal")))
            self.characters += len(self._text[-1])
        self._finish = _text(choice.get("finish_reason")) or self._finish

    def cut(self) -> None:
        """Say that there was more than was read."""
        self._finish = "length"

    @property
    def answer(self) -> Answer:
        """What has come so far."""
        return Answer(
            text="".join(self._text),
            finish=self._finish,
            refusal="".join(self._refusal),
            tokens_in=_count(self._usage.get("prompt_tokens")),
            tokens_out=_count(self._usage.get("completion_tokens")),
            cost=_amount(self._usage.get("cost")),
            model=self._model,
        )


def error_in(document: Any) -> Mapping[str, Any] | None:
    """Return the error that stands in an answer, also in one that succeeded; None for none.

    Gemini's is in a list of one.
    """
    if isinstance(document, list) and document:
        document = document[0]
    found = document.get("error") if isinstance(document, dict) else None
    if isinstance(found, str) and found:
        return {"message": found}
    return found if isinstance(found, dict) else None


def parsed(text: str) -> Any:
    """Return what JSON says, None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def code_in(text: str, languages: tuple[str, ...]) -> str:
    """Return the code of an answer: the last block of its language, else the last, else all of it.

    Args:
        languages: how blocks of it are marked: `scad`, `openscad`.
    """
    text = without_thoughts(text)
    blocks = [(found[2].lower(), found[3]) for found in _FENCE.finditer(text)]
    marked = [code for mark, code in blocks if mark in languages]
    if blocks:
        return (marked[-1] if marked else blocks[-1][1]).strip("\n") + "\n"
    return text.strip() + "\n" if text.strip() else ""


def words_in(text: str) -> str:
    """Return an answer without its code and its thoughts, for a person."""
    return re.sub(r"\n{3,}", "\n\n", _FENCE.sub("", without_thoughts(text))).strip()[:_SAID_MAX]


def without_thoughts(text: str) -> str:
    """Return an answer without what a model that reasons thinks aloud."""
    text = _THOUGHT.sub("", text)
    # Some servers take the first mark for a part of the question.
    return text.rpartition("</think>")[2]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _amount(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        return None
    return Decimal(str(value))
