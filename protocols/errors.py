"""What can be wrong with a message or a line of G-code.

ProtocolError
├── MalformedMessage      the bytes are no message of ours: the sender's fault, drop it
├── UnsupportedProtocol   a version or kind we do not speak: upgrade one side
└── InvalidLine           text that can't be sent to a firmware as one line
"""

from dataclasses import dataclass


class ProtocolError(Exception):
    """The root of everything that `protocols` raises."""


@dataclass(eq=False)
class MalformedMessage(ProtocolError):
    """Bytes that do not decode. Repeating will not help; count and drop them."""

    reason: str
    topic: str = ""

    def __str__(self) -> str:
        where = f" on {self.topic}" if self.topic else ""
        return f"malformed message{where}: {self.reason}"


@dataclass(eq=False)
class UnsupportedProtocol(ProtocolError):
    """A peer speaks a version, or sent a kind of message, that we do not know."""

    reason: str

    def __str__(self) -> str:
        return f"unsupported protocol: {self.reason}"


@dataclass(eq=False)
class InvalidLine(ProtocolError):
    """A command that can't be put on the serial line as it stands."""

    text: str
    reason: str

    def __str__(self) -> str:
        return f"can't send {self.text!r}: {self.reason}"
