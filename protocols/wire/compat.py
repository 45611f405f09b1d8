"""Which version do we two speak?

Major versions stand in the topic and in `Presence`; a peer may speak several. Minor versions only
add fields with defaults, so that any two minors of one major understand each other.
"""

from dataclasses import dataclass

from protocols.errors import UnsupportedProtocol
from protocols.wire.topics import PROTOCOL_MAJOR

# 1: findings, the host; leases in advance, bed policies; draining
# 2: updates of agents
# 3: fan, speed and flow
PROTOCOL_MINOR = 3


@dataclass(frozen=True, slots=True)
class Majors:
    """The major versions that a peer speaks, both ends included."""

    lowest: int
    highest: int


OURS = Majors(PROTOCOL_MAJOR, PROTOCOL_MAJOR)


def agree(theirs: Majors, ours: Majors = OURS) -> int:
    """Return the highest major version that both speak.

    Raises:
        UnsupportedProtocol: there is none; the text says which side to upgrade.
    """
    common = min(theirs.highest, ours.highest)
    if common >= max(theirs.lowest, ours.lowest):
        return common
    behind = "the peer" if theirs.highest < ours.lowest else "this side"
    raise UnsupportedProtocol(
        f"the peer speaks versions {theirs.lowest} to {theirs.highest}, "
        f"we speak {ours.lowest} to {ours.highest}: upgrade {behind}"
    )
