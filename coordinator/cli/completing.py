"""What a shell offers when Tab is pressed: names that the farm knows, or nothing, quickly."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from coordinator.errors import FarmError

if TYPE_CHECKING:
    from coordinator.cli.client import Document

# Who presses Tab waits no longer than this for each answer.
ANSWER_S = 1.0
_JOBS = 50

Offers = list[tuple[str, str]]


def printers(incomplete: str) -> Offers:
    """Return printers with their status."""
    return _offers(
        incomplete, ((each["id"], each["status"]) for each in _items("printers?limit=1000"))
    )


def jobs(incomplete: str) -> Offers:
    """Return the newest jobs, with name and state."""
    found = _items(f"jobs?order=newest&limit={_JOBS}")
    return _offers(incomplete, ((each["id"], f"{each['name']}, {each['state']}") for each in found))


def agents(incomplete: str) -> Offers:
    """Return agents."""
    found = _items("agents")
    return _offers(
        incomplete, ((each["id"], "online" if each["online"] else "away") for each in found)
    )


def webhooks(incomplete: str) -> Offers:
    """Return webhooks with their addresses."""
    return _offers(incomplete, ((each["id"], each["url"]) for each in _items("webhooks")))


def users(incomplete: str) -> Offers:
    """Return users with their roles."""
    return _offers(incomplete, ((each["name"], each["role"]) for each in _items("users")))


def _items(path: str) -> "list[Document]":
    """Return a list of the farm's; nothing where it does not answer, or not to us."""
    from coordinator.cli.client import connect

    try:
        return list(connect("", None).ask("GET", path, answer_s=ANSWER_S)["items"])
    except FarmError:
        return []


def _offers(incomplete: str, known: Iterable[tuple[str, str]]) -> Offers:
    return [(name, told) for name, told in known if name.startswith(incomplete)]
