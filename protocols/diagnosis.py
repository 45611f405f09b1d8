"""One finding of a doctor, the agent's or the coordinator's: how it is, and what mends it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        mend: a command, or what else to do; empty where all is well.
    """

    about: str
    level: Level
    words: str
    mend: str = ""


def ok(about: str, words: str) -> Finding:
    """Return that all is well."""
    return Finding(about=about, level=Level.OK, words=words)


def warn(about: str, words: str, mend: str) -> Finding:
    """Return what should be seen to."""
    return Finding(about=about, level=Level.WARN, words=words, mend=mend)


def fail(about: str, words: str, mend: str) -> Finding:
    """Return what keeps us from our work."""
    return Finding(about=about, level=Level.FAIL, words=words, mend=mend)
