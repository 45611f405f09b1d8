"""Two processes that go by one agent's name: somebody copied its card.

Theory. An agent's processes come one after the other, each holding its folder, and each of
their connections has an id of its own. So a process that presented itself before another one did
must not come back. Once it seems to: a broker that was restored repeats what it kept of one that is
gone. Where both come back again and again, by new connections, both live, and push each other out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from coordinator.domain.effects import Effects
from coordinator.domain.printers import Printer, quarantined
from protocols.wire.from_agent import Presence

# So often each of two has to come back. Twice within a second or two where both are awake.
RETURNS_MIN = 2
# Of more processes than this nobody is still alive.
_BOOTS_MAX = 8


@dataclass(frozen=True, slots=True)
class Boots:
    """Which processes presented themselves as one agent, and the connections they came back by.

    Attributes:
        latest: the last that did.
        returns: by process, the youngest last; empty for one that never came back.
    """

    latest: str = ""
    returns: Mapping[str, frozenset[str]] = field(default_factory=dict)


def presented(boots: Boots, presence: Presence) -> Boots:
    """Take note of a presence."""
    boot_id = presence.boot_id
    if not presence.online or boot_id == boots.latest:
        return boots
    returns = dict(boots.returns)
    back_by = {presence.connection_id} if boot_id in returns else set()
    returns[boot_id] = returns.pop(boot_id, frozenset()) | back_by
    return replace(boots, latest=boot_id, returns=dict(list(returns.items())[-_BOOTS_MAX:]))


def are_two(boots: Boots) -> bool:
    """Whether more than one of them lives."""
    return sum(len(back_by) >= RETURNS_MIN for back_by in boots.returns.values()) > 1


def refused(printers: Iterable[Printer], presence: Presence) -> Effects:
    """Return what happens to the printers of a copied card: nothing new, until a person looked."""
    reason = (
        f"two agents answer as {presence.agent_id}: its card was copied; switch one off, "
        "give both a blank card, and give the printer back"
    )
    return tuple(effect for each in printers for effect in quarantined(each, reason)[1])
