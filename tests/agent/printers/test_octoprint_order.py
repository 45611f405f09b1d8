"""What OctoPrint pushes is taken in the order in which it is true."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agent.errors import DriverUnavailable
from agent.printers import octoprint
from agent.printers.octoprint import OctoPrintHost, OctoPrintSettings
from agent.printers.print_host import HostView
from protocols.wire.vocabulary import PrinterState


def current(text: str, **flags: bool) -> dict[str, Any]:
    return {"current": {"state": {"text": text, "flags": {"operational": True, **flags}}}}


def stated(text: str) -> dict[str, Any]:
    return {"event": {"type": "PrinterStateChanged", "payload": {"state_string": text}}}


async def states_of(
    monkeypatch: pytest.MonkeyPatch, told: list[tuple[float, dict[str, Any]]]
) -> list[PrinterState]:
    """Return the state seen after each message, which comes at a time."""
    now_s, messages = 0.0, iter(told)

    class Socket:
        async def receive(self, within_s: float | None) -> dict[str, Any]:
            nonlocal now_s
            try:
                now_s, message = next(messages)
            except StopIteration:
                raise DriverUnavailable("the end") from None
            return message

    @asynccontextmanager
    async def push_socket(root: str, login: str) -> AsyncIterator[Socket]:
        yield Socket()

    monkeypatch.setattr(octoprint, "push_socket", push_socket)
    monkeypatch.setattr(octoprint.time, "monotonic", lambda: now_s)
    host = OctoPrintHost(OctoPrintSettings(url="http://127.0.0.1", api_key="key"), None)
    seen: list[HostView] = []
    with pytest.raises(DriverUnavailable, match="the end"):
        await host._listen("user:session", seen.append)
    return [view.state for view in seen]


async def test_a_message_that_an_event_overtook_does_not_bring_the_print_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    printing = current("Printing", printing=True)
    told = [
        (100.0, printing),
        (101.0, stated("Operational")),
        (101.3, printing),
        (101.8, current("Operational", ready=True)),
    ]
    idle = PrinterState.IDLE
    assert await states_of(monkeypatch, told) == [PrinterState.PRINTING, idle, idle, idle]


async def test_what_a_message_still_says_a_second_later_is_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = [
        (100.0, current("Operational", ready=True)),
        (101.0, stated("Operational")),
        (102.1, current("Printing", printing=True)),
    ]
    assert (await states_of(monkeypatch, told))[-1] is PrinterState.PRINTING
