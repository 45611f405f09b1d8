"""What may be wrong with the machine beside the printers: who may use ports, and who else does.

And with its supply, its clock and its card. Nothing is changed, no port is opened.
"""

import grp
import os
import pwd
import stat
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.core.watch_host import DISK_FREE_BYTES_MIN
from agent.printers.pump import SWITCH, Pump
from agent.printers.serial_port import holders
from protocols.diagnosis import Finding, fail, ok, warn
from protocols.wire.from_agent import HostSample

# Below this neither the journal nor a plate has room for long.
DISK_FREE_BYTES_LEAST = 100 * 1024**2
MEMORY_FREE_BYTES_MIN = 48 * 1024**2
UDEV_FOLDERS = ("etc/udev/rules.d", "run/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d")
OUR_RULES = "70-farmhand.rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whom the agent runs as."""

    name: str
    uid: int
    groups: frozenset[int]

    @classmethod
    def owning(cls, folder: Path) -> "Account":
        """Return whose the nearest folder is that is there: the service's own user, mostly."""
        there = next(path for path in (folder, *folder.parents) if path.exists())
        uid = there.stat().st_uid if there == folder else os.geteuid()
        try:
            known = pwd.getpwuid(uid)
        except KeyError:
            return cls(name=str(uid), uid=uid, groups=frozenset())
        groups = frozenset(os.getgrouplist(known.pw_name, known.pw_gid))
        return cls(name=known.pw_name, uid=uid, groups=groups)

    def may_use(self, about: os.stat_result) -> bool:
        """Whether a file of this kind can be read and written."""
        if self.uid in (0, about.st_uid):
            return self.uid == 0 or about.st_mode & 0o600 == 0o600
        wanted = 0o060 if about.st_gid in self.groups else 0o006
        return about.st_mode & wanted == wanted


def serial_ports(
    ports: Iterable[str], wanted: dict[str, str], account: Account, *, agent_pid: int | None
) -> Iterator[Finding]:
    """Look at the ports of this machine, and at those that the configuration names.

    Args:
        ports: devices that are here.
        wanted: port by printer, those in /dev only.
        agent_pid: of the agent that runs, which may hold them.
    """
    for printer, port in wanted.items():
        if not Path(port).exists():
            mend = "plug it in and turn it on; farmhand-agent discover lists what is here"
            yield fail("serial ports", f"{printer}: {port} is not there", mend)
    here = {os.path.realpath(port) for port in (*ports, *wanted.values()) if Path(port).exists()}
    shut = False
    for port in sorted(here):
        about = os.stat(port)
        if not account.may_use(about):
            shut = True
            yield fail(
                "serial ports",
                f"{account.name} may not use {port}",
                f"sudo usermod -aG {_group(about.st_gid)} {account.name}, then restart the agent",
            )
        for each in holders(port):
            if each.partition("(process ")[2] != f"{agent_pid})":
                mend = f"have it let go, two can't speak to one printer: sudo fuser -v {port}"
                yield warn("serial ports", f"{each} holds {port}", mend)
    if not shut:
        words = f"{len(here)} here, {account.name} may use them" if here else "none is here"
        yield ok("serial ports", words)


def grabbers(root: Path) -> Iterator[Finding]:
    """Look for programs that speak to whatever is plugged in.

    Args:
        root: where /proc, /etc and /usr are.
    """
    running = set(_processes(root))
    ruled = any(root.joinpath(folder, OUR_RULES).exists() for folder in UDEV_FOLDERS)
    if "ModemManager" not in running:
        yield ok("ModemManager", "does not run")
    elif ruled:
        yield ok("ModemManager", "runs, and is told to leave printers alone")
    else:
        yield warn(
            "ModemManager",
            "asks every board that is plugged in whether it is a modem",
            f"sudo cp systemd/udev/{OUR_RULES} /etc/udev/rules.d/ && sudo udevadm control "
            "--reload && sudo udevadm trigger; or: sudo systemctl disable --now ModemManager",
        )
    takes = any(
        next(root.joinpath(folder).glob("*brltty*.rules"), None) is not None
        for folder in UDEV_FOLDERS
    )
    if "brltty" in running or takes:
        yield warn(
            "brltty",
            "takes boards with CH340 and CP210x for braille displays: they vanish when plugged in",
            "sudo apt-get remove brltty, unless somebody reads this machine by braille",
        )
    else:
        yield ok("brltty", "is not here")


def pump() -> Finding:
    """Tell whether plates go to serial lines the short way; without, a Pi has more to do."""
    if Pump.load(epoll=-1) is not None:
        return ok("pump", "plates go to serial lines in C")
    if os.environ.get(SWITCH) == "off":
        return ok("pump", f"is switched off by {SWITCH}")
    mend = "sudo apt-get install gcc libc6-dev, then ./farmhand setup; packages bring it"
    return warn("pump", "is not built: printing takes more of the processor", mend)


def supply(seen: HostSample) -> Iterator[Finding]:
    """Tell what the kernel says of the supply, and of heat."""
    mend = "a supply of 5.1 V and 3 A, printers on a hub of their own; then: vcgencmd get_throttled"
    if seen.under_voltage:
        yield fail("supply", "is too weak now: boards on the USB may reset", mend)
    elif seen.under_voltage_seen:
        yield warn("supply", "was too weak since this machine started", mend)
    elif seen.under_voltage is None:
        yield ok("supply", "this machine tells nothing of it")
    else:
        yield ok("supply", "has held since this machine started")
    heat = f", {seen.cpu_celsius:.0f} °C" if seen.cpu_celsius is not None else ""
    if seen.throttled or seen.throttled_seen:
        when = "is" if seen.throttled else "was"
        mend = "a heat sink or a fan, or the supply above; then: vcgencmd get_throttled"
        yield warn("processor", f"{when} slowed down by heat or by the supply{heat}", mend)
    else:
        load = f"load {seen.load:.2f} a core" if seen.load is not None else "not slowed down"
        yield ok("processor", f"{load}{heat}")
    free = seen.memory_free_bytes
    if free is not None and free < MEMORY_FREE_BYTES_MIN:
        words = f"{free / 1024**2:.0f} MiB are free"
        yield warn("memory", words, "end what else runs here: top -o %MEM")
    elif free is not None:
        yield ok("memory", f"{free / 1024**2:.0f} MiB are free")


def card(folder: Path, account: Account) -> Iterator[Finding]:
    """Look at the state folder, and at the disk below it."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    about = os.statvfs(there)
    if about.f_flag & os.ST_RDONLY:
        mend = "it is full of errors or going to die: dmesg --level err; then put in another one"
        yield fail("disk", f"{there} can't be written: the card is read-only", mend)
        return
    free = about.f_bavail * about.f_frsize
    words, mend = f"{free / 1024**3:.1f} GiB are free", "sudo journalctl --vacuum-size=100M"
    if free < DISK_FREE_BYTES_LEAST:
        yield fail("disk", words, mend)
    else:
        yield warn("disk", words, mend) if free < DISK_FREE_BYTES_MIN else ok("disk", words)
    if there != folder:
        yield ok("state folder", f"{folder} will be made at the first start")
        return
    with suppress(PermissionError):
        yield _owned(folder, account)


def _owned(folder: Path, account: Account) -> Finding:
    foreign = [path for path in folder.iterdir() if path.stat().st_uid != account.uid]
    if foreign:
        words = f"{foreign[0]} does not belong to {account.name}"
        return fail("state folder", words, f"sudo chown -R {account.name}: {folder}")
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        return warn("state folder", f"others may look into {folder}", f"sudo chmod 700 {folder}")
    return ok("state folder", f"{folder}, of {account.name}")


def clock() -> Finding:
    """Ask the system whether its clock is set by others: certificates need that."""
    command = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ok("clock", "nobody tells who sets it")
    said = done.stdout.strip()
    if said == "no":
        return warn("clock", "is not set by a time server", "sudo timedatectl set-ntp true")
    return ok("clock", "is set by a time server" if said == "yes" else "nobody tells who sets it")


def _processes(root: Path) -> Iterator[str]:
    for folder in root.glob("proc/[0-9]*"):
        with suppress(OSError):
            yield folder.joinpath("comm").read_text().strip()


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
