"""Which firmware is played: differences between firmwares as rows of data."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agent.simulator.bed import Bed

_MARLIN_CAPABILITIES = {
    "SERIAL_XON_XOFF": 0,
    "EEPROM": 0,
    "VOLUMETRIC": 0,
    "AUTOREPORT_POS": 0,
    "AUTOREPORT_TEMP": 1,
    "PROGRESS": 0,
    "PRINT_JOB": 1,
    "AUTOLEVEL": 1,
    "RUNOUT": 1,
    "Z_PROBE": 1,
    "LEVELING_DATA": 0,
    "SOFTWARE_POWER": 0,
    "TOGGLE_LIGHTS": 0,
    "EMERGENCY_PARSER": 0,
    "HOST_ACTION_COMMANDS": 1,
    "PROMPT_SUPPORT": 1,
    "SDCARD": 0,
    "AUTOREPORT_SD_STATUS": 0,
    "THERMAL_PROTECTION": 1,
    "MOTION_MODES": 0,
    "ARCS": 1,
    "BABYSTEPPING": 0,
    "CHAMBER_TEMPERATURE": 0,
    "BUSY_PROTOCOL": 1,
    "MEATPACK": 0,
}

OF_CARDS = frozenset({"M20", "M21", "M22", "M23", "M24", "M25", "M27", "M524"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One firmware.

    Attributes:
        firmware_name: what M115 answers.
        capabilities: the `Cap:` lines of M115.
        keepalive_s: interval of `busy:` lines during long commands, 0 for none.
        duplicates_ignored: a line with the last number or the one before it gets no answer at
            all, as in Marlin since 2.0.9; else it provokes a request to resend.
        lacks: commands that this firmware does not know.
        tells_tuning: M220 and M221 without a value are answered.
    """

    firmware_name: str
    capabilities: Mapping[str, int]
    keepalive_s: float
    duplicates_ignored: bool
    lacks: frozenset[str] = frozenset()
    tells_tuning: bool = True


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "marlin": Profile(
            firmware_name="Marlin 2.1 (Farmhand simulator)",
            capabilities=MappingProxyType(_MARLIN_CAPABILITIES),
            keepalive_s=2.0,
            duplicates_ignored=True,
        ),
        "meatpack": Profile(
            firmware_name="Marlin 2.1 (Farmhand simulator)",
            capabilities=MappingProxyType({**_MARLIN_CAPABILITIES, "MEATPACK": 1}),
            keepalive_s=2.0,
            duplicates_ignored=True,
        ),
        "old": Profile(
            firmware_name="Marlin V1.0.2 (Farmhand simulator)",
            capabilities=MappingProxyType({}),
            keepalive_s=0.0,
            duplicates_ignored=False,
            lacks=frozenset({"M108", "M113", "M155", "M410", "M876", "M600"}),
            tells_tuning=False,
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What a firmware was built with.

    Attributes:
        advanced_ok: an ok tells line number and free space.
        emergency_parser: M108, M112, M410 and M876 act as soon as they arrive.
        receive_bytes: what the receive buffer holds, the rest is lost; 0: the sender is slowed.
        boot_s: how long the boot loader eats what is sent.
        report_interval_s_min: floor for lines that come by themselves, in simulated seconds.
        card: file -> contents of the card in its slot; None: it has no slot.
        bed: remembers what was printed on it; None: nobody looks.
    """

    name: str = "Farmhand simulator"
    profile: Profile = PROFILES["marlin"]
    bed_mm: tuple[float, float, float] = (250.0, 210.0, 210.0)
    advanced_ok: bool = False
    emergency_parser: bool = False
    receive_bytes: int = 0
    boot_s: float = 1.0
    report_interval_s_min: float = 0.0
    card: Mapping[str, bytes] | None = None
    bed: Bed | None = None

    @property
    def lacks(self) -> frozenset[str]:
        """Commands that are unknown here."""
        return self.profile.lacks if self.card is not None else self.profile.lacks | OF_CARDS

    @property
    def capabilities(self) -> Mapping[str, int]:
        """The `Cap:` lines of M115."""
        known = self.profile.capabilities
        own = {name: int(self.card is not None) for name in ("SDCARD", "AUTOREPORT_SD_STATUS")}
        own["EMERGENCY_PARSER"] = int(self.emergency_parser)
        return {name: own.get(name, value) for name, value in known.items()}
