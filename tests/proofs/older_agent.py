"""An agent from before an upgrade: it speaks minor version 0 of the wire, and reads nothing else.

What it says loses every field that version 0 did not know, and so does what it hears.
"""

import sys

from agent import link
from agent.__main__ import main
from protocols.wire.codec import Message
from tests.simulation.versions import older

encode, receive = link.encode, link.receive


def encode_as_then(message: Message) -> bytes:
    """Return the bytes that version 0 would have made of a message."""
    return encode(older(message))


def receive_as_then(topic: str, payload: bytes) -> Message:
    """Return what version 0 would have read."""
    return older(receive(topic, payload))


if __name__ == "__main__":
    link.encode, link.receive = encode_as_then, receive_as_then  # type: ignore[attr-defined]
    sys.exit(main())
