"""What a broker sent is read as it comes: the library alone takes one packet in a turn of the loop.

A session begins with all that is retained, a thousand messages of a farm with 500 printers. On a
machine without time to spare a turn takes tens of milliseconds: at one packet a turn the answers
behind those messages came too late, the session was given up, and the next began with them again.
"""

from collections.abc import Callable
from typing import Any

import aiomqtt

# Some milliseconds; then others have their turn.
PACKETS_A_TURN = 50


def read_on(client: aiomqtt.Client, arrived: Callable[[], int]) -> None:
    """Have a client read on while messages come, up to `PACKETS_A_TURN` in a turn of the loop.

    Args:
        arrived: how many messages have come so far.
    """
    paho: Any = client._client
    read_one = paho.loop_read

    def read_some(max_packets: int = 1) -> Any:
        for _ in range(PACKETS_A_TURN - 1):
            before, result = arrived(), read_one(max_packets)
            if result or arrived() == before:
                return result
        return read_one(max_packets)

    paho.loop_read = read_some
