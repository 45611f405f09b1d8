"""Times as people type them."""

import re
from datetime import UTC, datetime, timedelta

from coordinator.cli.exits import UsageWrong

_AGO = re.compile(r"(\d{1,6})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}

_SPAN = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds_of(text: str) -> float:
    """Return how many seconds a length of time has.

    Raises:
        UsageWrong: it is none.
    """
    found = _SPAN.fullmatch(text)
    if found is None:
        raise UsageWrong(f"{text!r} is no time: write 30m, 1h or 7d")
    return int(found[1]) * _SECONDS[found[2]]


def later(text: str) -> str:
    """Return a time that was given as such, or as how far ahead it is, as the API wants it.

    Raises:
        UsageWrong: it is none.
    """
    if ahead := _AGO.fullmatch(text):
        wait = timedelta(**{_UNITS[ahead[2]]: int(ahead[1])})
        return (datetime.now(UTC) + wait).isoformat()
    return time_of(text)


def time_of(text: str) -> str:
    """Return a time that was given as such, or as how long ago it was, as the API wants it.

    Raises:
        UsageWrong: it is none.
    """
    try:
        if ago := _AGO.fullmatch(text):
            past = timedelta(**{_UNITS[ago[2]]: int(ago[1])})
            return (datetime.now(UTC) - past).isoformat()
        return datetime.fromisoformat(text).astimezone().isoformat()
    except (ValueError, OverflowError) as error:
        raise UsageWrong(f"{text!r} is no time: write 2026-01-31T12:00, 90m, 12h or 7d") from error


def clock(text: str) -> str:
    """Return a time of the API's as the hands of a clock have it here; with its day, if not today.

    Args:
        text: RFC 3339.
    """
    at = datetime.fromisoformat(text).astimezone()
    today = at.date() == datetime.now().astimezone().date()
    return f"{at:%H:%M}" if today else f"{at:%a %H:%M}"
