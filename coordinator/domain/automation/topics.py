"""The topics of the plain interface: every one there is, below one root.

What the farm tells lies below `state`, what it is asked elsewhere: so a broker's access list lets
programs read the one without reading the keys in the other. The version stands in the topic: a new
one is told beside the old.
"""

import re
from dataclasses import dataclass

VERSION = 1

_ROOT = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_ANSWERED = re.compile(r"[A-Za-z0-9_-]{1,64}")

ONLINE, OFFLINE = "online", "offline"


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to say; `retain`: the broker keeps it for who comes later."""

    topic: str
    payload: bytes
    retain: bool = True
    qos: int = 1


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one farm; `root` tells it from others at the same broker."""

    root: str

    @property
    def base(self) -> str:
        """What all of them begin with."""
        return f"{self.root}/v{VERSION}"

    @property
    def told(self) -> str:
        """The filter for all that the farm tells."""
        return f"{self.base}/state/#"

    @property
    def status(self) -> str:
        """Whether the coordinator is there: `online` or `offline`, its last will."""
        return f"{self.base}/state/status"

    @property
    def farm(self) -> str:
        """The farm in figures."""
        return f"{self.base}/state/farm"

    @property
    def events(self) -> str:
        """What happened, as webhooks are told it; not retained."""
        return f"{self.base}/state/events"

    @property
    def requests(self) -> str:
        """Where programs ask; nobody but the coordinator reads it."""
        return f"{self.base}/requests"

    @property
    def mark(self) -> str:
        """What the coordinator says to itself."""
        return f"{self.base}/mark"

    @property
    def presses(self) -> str:
        """The filter for what Home Assistant asks, by printer or agent, and verb."""
        return f"{self.base}/press/+/+"

    def printer(self, printer_id: str) -> str:
        """Return where a printer's document is."""
        return f"{self.base}/state/printers/{printer_id}"

    def live(self, printer_id: str) -> str:
        """Return where a printer's measurements are."""
        return f"{self.printer(printer_id)}/live"

    def online(self, printer_id: str) -> str:
        """Return where it stands whether a printer can be reached: `online` or `offline`."""
        return f"{self.printer(printer_id)}/online"

    def picture(self, printer_id: str) -> str:
        """Return where a printer's newest picture is, as the file that it is."""
        return f"{self.printer(printer_id)}/picture"

    def happened(self, printer_id: str) -> str:
        """Return where a printer's events are told; not retained."""
        return f"{self.printer(printer_id)}/event"

    def agent(self, agent_id: str) -> str:
        """Return where an agent's document is."""
        return f"{self.base}/state/agents/{agent_id}"

    def agent_online(self, agent_id: str) -> str:
        """Return where it stands whether an agent is connected."""
        return f"{self.agent(agent_id)}/online"

    def press(self, its_id: str, verb: str) -> str:
        """Return where Home Assistant asks one thing of a printer; verbs of agents are others."""
        return f"{self.base}/press/{its_id}/{verb}"

    def pressed(self, topic: str) -> tuple[str, str] | None:
        """Return the id and the verb that a topic is about, None where it is another."""
        printer_id, _, verb = topic.removeprefix(f"{self.base}/press/").partition("/")
        return (printer_id, verb) if self.press(printer_id, verb) == topic else None

    def answer(self, request_id: str) -> str:
        """Return where a request is answered; not retained."""
        return f"{self.base}/answers/{request_id}"

    def of_printer(self, printer_id: str) -> list[str]:
        """Return all that is retained of a printer."""
        kinds = (self.printer, self.live, self.online, self.picture)
        return [kind(printer_id) for kind in kinds]

    def of_agent(self, agent_id: str) -> list[str]:
        """Return all that is retained of an agent."""
        return [self.agent(agent_id), self.agent_online(agent_id)]

    @property
    def kept(self) -> tuple[str, str]:
        """The filters that tell of which printers and agents something is retained."""
        return self.online("+"), self.agent_online("+")

    def kept_of(self, topic: str) -> tuple[str, str] | None:
        """Return `printers` or `agents` and which one, of a topic that `kept` means."""
        levels = topic.removeprefix(f"{self.base}/state/").split("/")
        return (levels[0], levels[1]) if len(levels) == 3 else None


def is_root(text: str) -> bool:
    """Whether topics may begin so."""
    return _ROOT.fullmatch(text) is not None


def is_request_id(text: str) -> bool:
    """Whether a request may be called so: it stands in the topic of its answer."""
    return _ANSWERED.fullmatch(text) is not None
