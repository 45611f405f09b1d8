"""Cancellations that a library swallowed, raised after all."""

import asyncio


def cancellations() -> int:
    """Return how often this task was cancelled so far."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def heed_cancellation(before: int) -> None:
    """Raise a cancellation that came after `before` of them and that a library swallowed.

    `asyncio.wait_for` of Python 3.11, which aiomqtt waits with, returns normally when the broker's
    answer comes in the same turn of the loop as the cancellation.
    """
    if cancellations() > before:
        raise asyncio.CancelledError
