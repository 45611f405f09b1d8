"""What can be wrong with a message or a line of G-code.

ProtocolError
├── MalformedMessage      the bytes are no message of ours: the sender's fault, drop it
├── UnsupportedProtocol   a version or kind we do not speak: upgrade one side
├── InvalidLine           text that can't be sent to a firmware as one line
├── ReleaseUntrusted      nobody who is trusted here signed this release: it is not looked at
└── ReleaseUnfit          a release that is damaged, or not for this machine
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


@dataclass(eq=False)
class ReleaseUntrusted(ProtocolError):
    """A signature, or a key, that is none, or that nobody trusts here."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class ReleaseUnfit(ProtocolError):
    """A release that can't run here, or whose parts are not what it says."""

    reason: str

    def __str__(self) -> str:
        return self.reason
