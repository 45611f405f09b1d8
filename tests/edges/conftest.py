"""Drivers that stream run on a loop for lines."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from agent.printers.line_loop import LineLoop


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Return the kinds of loop that the tests here run on."""
    return {"lines": LineLoop}
