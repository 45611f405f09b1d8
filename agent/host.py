"""The machine beside the printers, as the kernel tells of it; other machines than a Pi tell less.

Supply and throttling of a Raspberry Pi are told in three places:

- `get_throttled` in sysfs, hexadecimal without `0x`: Raspberry Pi's own kernels (Raspberry Pi OS,
  Ubuntu for Pis), refreshed every 2 s by the driver below, which clears the bits of the past;
- `in0_lcrit_alarm` of the hwmon driver `rpi_volt`: every kernel since 4.19 (Debian, Fedora), for
  under-voltage in the last 2 s only;
- the program `vcgencmd`, where the first is missing and `/dev/vcio` is there.
"""

import asyncio
import os
import re
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import structlog

from agent.core.watch_host import HostWatch, watch_host
from agent.findings import Findings
from protocols.wire.from_agent import HostSample

log = structlog.get_logger(__name__)

READ_INTERVAL_S = 2.0  # the kernel looks so often itself, and forgets a sag after it
VCGENCMD_INTERVAL_S = 30.0  # each time is a process of its own
VCGENCMD_S_MAX = 2.0

# https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
_UNDER_VOLTAGE = 1 << 0
_THROTTLED = 1 << 1 | 1 << 2 | 1 << 3  # frequency capped, throttled, soft limit of temperature
_SEEN = 16  # so much higher is each bit for "since it booted"

# "soc" up to the Pi 4, "soc@107c000000" on the Pi 5.
_GET_THROTTLED = "sys/devices/platform/soc*/soc*:firmware/get_throttled"


class Host:
    """Looks at the machine.

    Attributes:
        sample: what was seen last, None before the first look.
        findings: what is wrong now.
    """

    def __init__(self, state_dir: Path, *, root: Path = Path("/")) -> None:
        """Look at a machine; `root` is where its /sys and /proc are."""
        self.sample: HostSample | None = None
        self.findings = Findings(log, "host")
        self._state_dir = state_dir
        self._root = root
        self._memory = HostWatch()
        self._asked_at_s = -VCGENCMD_INTERVAL_S
        self._answer: int | None = None

    async def run(self) -> None:
        """Look until cancelled, once every 2 s."""
        while True:
            await self.look()
            await asyncio.sleep(READ_INTERVAL_S)

    async def look(self) -> HostSample:
        """Look once, off the loop: a card that hangs holds up nothing but this."""
        seen = await asyncio.to_thread(self._read)
        self._memory, sample = watch_host(self._memory, seen, time.monotonic())
        self.sample = sample
        self.findings.take(sample.findings)
        return sample

    def _read(self) -> HostSample:
        root, sees = self._root, self._throttled()
        sags = _under_voltage(root)
        if sees is not None:
            sags = bool(sags) or bool(sees & _UNDER_VOLTAGE)
        past = None if sees is None else sees >> _SEEN
        return HostSample(
            under_voltage=sags,
            under_voltage_seen=sags if past is None else bool(sags or past & _UNDER_VOLTAGE),
            throttled=None if sees is None else bool(sees & _THROTTLED),
            throttled_seen=None if past is None else bool((past | (sees or 0)) & _THROTTLED),
            cpu_celsius=_cpu_celsius(root),
            disk_free_bytes=_disk_free_bytes(self._state_dir),
            memory_free_bytes=_memory_free_bytes(root),
            load=_load(root),
        )

    def _throttled(self) -> int | None:
        """Return the firmware's bits, None where nobody tells them."""
        for path in sorted(self._root.glob(_GET_THROTTLED)):
            with suppress(ValueError):
                return int(_text(path), 16)
        now_s = time.monotonic()
        if now_s >= self._asked_at_s + VCGENCMD_INTERVAL_S and (self._root / "dev/vcio").exists():
            self._asked_at_s, self._answer = now_s, _ask_vcgencmd()
        return self._answer


def _ask_vcgencmd() -> int | None:
    """Return what `vcgencmd get_throttled` says: `throttled=0x50005`."""
    program = shutil.which("vcgencmd")
    if program is None:
        return None
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            [program, "get_throttled"],
            capture_output=True,
            text=True,
            timeout=VCGENCMD_S_MAX,
            check=False,
        )
        if found := re.match(r"throttled=(0x[0-9a-fA-F]+)", done.stdout):
            return int(found[1], 16)
    return None


def _under_voltage(root: Path) -> bool | None:
    for folder in sorted(root.glob("sys/class/hwmon/hwmon*")):
        if _text(folder / "name") == "rpi_volt":
            alarm = _text(folder / "in0_lcrit_alarm")
            return alarm == "1" if alarm in ("0", "1") else None
    return None


def _cpu_celsius(root: Path) -> float | None:
    """Return the processor's temperature; the kernel tells thousandths."""
    for folder in sorted(root.glob("sys/class/thermal/thermal_zone*")):
        if _text(folder / "type") in ("cpu-thermal", "cpu_thermal", "x86_pkg_temp"):
            with suppress(ValueError):
                return int(_text(folder / "temp")) / 1000
    return None


def _disk_free_bytes(folder: Path) -> int | None:
    with suppress(OSError):
        return shutil.disk_usage(folder).free
    return None


def _memory_free_bytes(root: Path) -> int | None:
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", _text(root / "proc/meminfo"), re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def _load(root: Path) -> float | None:
    with suppress(ValueError, IndexError):
        return round(float(_text(root / "proc/loadavg").split()[0]) / (os.cpu_count() or 1), 2)
    return None


def _text(path: Path) -> str:
    """Return what a file of the kernel says, without its line end; empty where there is none."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
