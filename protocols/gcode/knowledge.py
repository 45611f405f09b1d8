"""What was learned about the firmware at the other end, and how long it may therefore take."""

from collections.abc import Mapping

from protocols.gcode import replies, timing
from protocols.gcode.dialects import UNKNOWN, Dialect, dialect_of

_MOVES = ("G1 ", "G0 ")  # nearly every line of a print: looked at no further


class Knowledge:
    """Learned from what the firmware says; a board that restarts is the same board.

    Attributes:
        values: M115's keys and values.
        capabilities: names of the `Cap:` lines that said 1.
        dialect: the row that fits; UNKNOWN until M115 was answered.
        keepalive: it says `busy` while it works.
        ok_after_resend: whether an `ok` follows a request to resend; None: not known.
        ok_tells_temperatures: the ok of an M105 carries them, so that it names its line.
        ok_tells_numbers: the oks of numbered lines carry the number (ADVANCED_OK).
        targets: target temperatures by heater, where they are told apart from the readings.
        planner_free: free planner blocks as last told, None where the firmware does not tell.
    """

    __slots__ = (
        "capabilities", "dialect", "keepalive", "ok_after_resend", "ok_tells_numbers",
        "ok_tells_temperatures", "planner_free", "targets", "values",
    )  # fmt: skip

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.capabilities: set[str] = set()
        self.dialect: Dialect = UNKNOWN
        self.keepalive = False
        self.ok_after_resend: bool | None = None
        self.ok_tells_temperatures = False
        self.ok_tells_numbers = False
        self.planner_free: int | None = None
        self.targets: Mapping[str, float] = {}

    @property
    def reports_temperatures(self) -> bool:
        """Whether M155 makes it report temperatures by itself."""
        return "AUTOREPORT_TEMP" in self.capabilities

    @property
    def autoreports(self) -> tuple[str, ...]:
        """What makes it tell by itself whatever it can."""
        card = (timing.AUTOREPORT_CARD,) if "AUTOREPORT_SD_STATUS" in self.capabilities else ()
        return (timing.AUTOREPORT, *card) if self.reports_temperatures else card

    def hear(self, reply: replies.Reply) -> None:
        """Take note of a line of M115's answer, or of a keepalive."""
        match reply:
            case replies.FirmwareInfo(values):
                self.values.update(values)
            case replies.Capability(name, True):
                self.capabilities.add(name)
            case replies.Capability(name, False):
                self.capabilities.discard(name)
            case replies.Busy():
                self.keepalive = True
            case replies.Targets(targets):
                self.targets = {**self.targets, **targets}

    def completed(self, readings: Mapping[str, replies.Reading]) -> Mapping[str, replies.Reading]:
        """Return readings with the targets that were told apart from them."""
        if not self.targets:
            return readings
        return {
            heater: reading
            if reading.target_celsius is not None
            else replies.Reading(reading.actual_celsius, self.targets.get(heater))
            for heater, reading in readings.items()
        }

    def conclude(self) -> None:
        """M115 has been answered completely."""
        self.dialect = dialect_of(self.name)
        self.keepalive = self.keepalive or "BUSY_PROTOCOL" in self.capabilities

    @property
    def name(self) -> str:
        """The firmware's own name, empty where it told none."""
        return self.values.get("FIRMWARE_NAME", "")

    def identity(self) -> tuple[Mapping[str, str], frozenset[str], Dialect]:
        """Return values, capabilities and dialect, as they are now."""
        return dict(self.values), frozenset(self.capabilities), self.dialect

    def patience_s(self, command: str) -> float:
        """Return how long the answer to a command may take before its loss is suspected."""
        if command[:3] in _MOVES:
            return timing.ANSWER_TIMEOUT_BUSY_S if self.keepalive else timing.ANSWER_TIMEOUT_S
        return timing.patience_s(command, self.dialect, keepalive=self.keepalive)
