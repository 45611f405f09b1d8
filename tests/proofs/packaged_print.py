"""Print with what the packages installed; runs inside of a tree, by its own Python.

Usage: python3 packaged_print.py

As an administrator would on a machine without systemd running: the coordinator and the agent as
their users, a simulated printer, the agent let in by a token, /plates/first.gcode ordered,
printed, and its bed declared clear. Where there are /packages, another plate is begun then, and
they are installed in the middle of it, the coordinator first; one more is ordered of the new
versions. Tells what it measured as JSON; what was executed stands in /var/log/farmhand-executed.
"""

import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

STATE = Path("/var/lib/farmhand")
API = "http://127.0.0.1:8150"
LOG = Path("/var/log/farmhand-print.log")
EXECUTED = Path("/var/log/farmhand-executed/executed.log")
SETTINGS = tuple(Path("/etc/farmhand") / f"{name}.toml" for name in ("agent", "coordinator"))
PRINTER_PORT = Path("/run/printer/port")
MINE = "# what an administrator wrote\n"
PATIENCE_S = 600.0
IDLE_S = 20.0
# How often the agent is started to tell how long that takes; the least disturbed one counts.
STARTS = 3
GOES_ON_LINES = 100
PRINTER = f"""
[[printers]]
id = "p1"
driver = "marlin_serial"
printer_class = "farmhand-220"
material = "PLA"
settings = {{ port = "{PRINTER_PORT}" }}
"""


class Daemon:
    """A program as its user, told apart from one that is not up yet as systemd does."""

    def __init__(self, user: str, *command: str, **environment: str) -> None:
        """Take who runs what."""
        self._user, self._command, self._environment = user, command, environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, *, tells: bool = True) -> float:
        """Start it; return the seconds until it said that it is up, where it `tells`."""
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin", "LANG": "C.UTF-8", **self._environment}
        address = Path("/run/told")
        address.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told, LOG.open("ab") as log:
            told.bind(str(address))
            address.chmod(0o666)
            told.settimeout(PATIENCE_S)
            if tells:
                environment["NOTIFY_SOCKET"] = str(address)
            began = time.monotonic()
            self._process = subprocess.Popen(
                self._command, user=self._user, group=self._user, env=environment, stderr=log
            )
            while tells and b"READY=1" not in told.recv(4096):
                pass
            return time.monotonic() - began

    def stop(self) -> None:
        """End it, as systemd does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None


class Farm:
    """One coordinator, one agent, one printer."""

    def __init__(self) -> None:
        """Name the daemons; nothing runs yet."""
        self.coordinator = Daemon(
            "farmhand", "/usr/bin/farmhand", "coordinator", "--config", str(SETTINGS[1]),
            FARMHAND_STATE_DIR=str(STATE / "coordinator"),
        )  # fmt: skip
        self.agent = Daemon(
            "farmhand-agent", "/usr/bin/farmhand-agent", "--config", str(SETTINGS[0]),
            FARMHAND_AGENT_STATE_DIR=str(STATE / "agent"),
        )  # fmt: skip
        # Of the first version, in a place of its own: what is upgraded is not the printer.
        self.printer = Daemon(
            "farmhand-agent", "/usr/local/printer/bin/python", "-m", "agent.simulator",
            "--pty", str(PRINTER_PORT), "--log", str(EXECUTED), "--speed", "5",
        )  # fmt: skip

    def ask(self, *words: str) -> Any:
        """Ask the farm by its command, with the machine's own token."""
        token = (STATE / "coordinator/token").read_text().strip()
        environment = dict(os.environ, FARMHAND_TOKEN=token)
        done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(words)}: {done.stderr}{done.stdout}")
        return json.loads(done.stdout) if "--json" in words else done.stdout

    def the_printer(self) -> dict[str, Any]:
        """Return what the farm says of the printer; nothing before it knows of it."""
        found: list[dict[str, Any]] = self.ask("farmhand", "printer", "ls", "--json")
        return found[0] if found else {}

    def head(self) -> str:
        """Have the whole history proved; return its last line, NUMBER:HASH."""
        end = self.ask("farmhand", "events", "verify", "--json")["head"]
        return f"{end['number']}:{end['hash']}"

    def jobs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("farmhand", "job", "ls", "--json")
        return sorted(found, key=lambda job: str(job["created_at"]))

    def order(self, plate: str) -> None:
        self.ask("farmhand", "job", "submit", f"/plates/{plate}.gcode", "--class", "farmhand-220")

    def end_print(self) -> None:
        """Wait for a print's end, and take it off the bed."""
        self.until(lambda: self.the_printer()["status"] == "needs_clearing", "the print's end")
        self.ask("farmhand", "printer", "clear", "p1")
        self.until(lambda: self.the_printer()["status"] == "idle", "a printer that is free")

    def goes_on(self, what: str) -> None:
        """Wait until the print went on for a while."""
        wanted = executed() + GOES_ON_LINES
        self.until(lambda: executed() > wanted, f"printing after {what}")

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Return what holds once it is true."""
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            if found := holds():
                return found
            time.sleep(0.1)
        raise SystemExit(f"never {what}; {self.the_printer()}; {LOG.read_text()[-3000:]}")


def executed() -> int:
    """Return how many lines the firmware's log has."""
    return EXECUTED.read_bytes().count(b"\n")


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def private(folder: Path, user: str) -> None:
    """Make a daemon's folder, as systemd does before it starts one."""
    folder.mkdir(parents=True, exist_ok=True)
    owner = pwd.getpwnam(user)
    os.chown(folder, owner.pw_uid, owner.pw_gid)


def begin(farm: Farm) -> None:
    """Start the coordinator and a printer; let an agent in, and tell it of its printer."""
    LOG.write_text("")
    folders = STATE / "coordinator", STATE / "agent", PRINTER_PORT.parent, EXECUTED.parent
    for folder, user in zip(folders, ("farmhand", *["farmhand-agent"] * 3), strict=True):
        private(folder, user)
    home = Path("/usr/lib/farmhand-agent/venv").resolve()
    shutil.copytree(home, "/usr/local/printer", symlinks=True)
    farm.printer.start(tells=False)
    farm.coordinator.start()
    with SETTINGS[0].open("a") as file:
        file.write(PRINTER)
    token = farm.ask("farmhand", "agent", "token", "--json")["token"]
    farm.ask(
        "farmhand-agent", "enroll", token, "--coordinator", API,
        "--state-dir", str(STATE / "agent"), "--agent-id", "pi-1",
    )  # fmt: skip
    farm.agent.start()
    # Of a new printer nobody has said yet what lies on its bed.
    wanted = "needs_clearing"
    farm.until(lambda: farm.the_printer().get("status") == wanted, "a printer that answers")
    farm.ask("farmhand", "printer", "clear", "p1")
    farm.until(lambda: farm.the_printer()["status"] == "idle", "a printer that is free")


def measure(farm: Farm) -> dict[str, float]:
    """Return what the agent takes after prints, to start, and while it has nothing to do."""
    printed_mb = resident_mb(farm.agent.pid)
    took_s, worked_s = [], []
    for _ in range(STARTS):
        farm.agent.stop()
        took_s.append(farm.agent.start())
        worked_s.append(cpu_s(farm.agent.pid))
    farm.until(lambda: farm.the_printer()["online"], "the agent, which was started anew")
    before = cpu_s(farm.agent.pid)
    time.sleep(IDLE_S)
    return {
        "idle_cpu": (cpu_s(farm.agent.pid) - before) / IDLE_S,
        "idle_resident_mb": resident_mb(farm.agent.pid),
        "printed_resident_mb": printed_mb,
        "starts_s": min(took_s),
        "starts_cpu_s": min(worked_s),
    }


def install(package: Path) -> None:
    """Install a package; what an administrator wrote stays, as `apt` asks by default."""
    command = ("dpkg", "--force-confold", "--install", str(package))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{package.name}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def upgrade(farm: Farm, packages: Sequence[Path]) -> dict[str, Any]:
    """Upgrade in the middle of a print; return what there was before and is now."""
    for file in SETTINGS:
        with file.open("a") as settings:
            settings.write(MINE)
    settings = [file.read_text() for file in SETTINGS]
    jobs, head = farm.jobs(), farm.head()
    farm.order("under_way")
    farm.goes_on("the order")
    [centre] = [each for each in packages if each.name.startswith("farmhand-coordinator")]
    [beside] = [each for each in packages if each.name.startswith("farmhand-agent")]
    # Prints go on without it, and afterwards an agent of the older version talks to the newer one.
    farm.coordinator.stop()
    install(centre)
    began_s = farm.coordinator.start()
    farm.until(lambda: farm.the_printer()["online"], "an older agent at the new coordinator")
    farm.goes_on("an upgrade of the coordinator")
    farm.agent.stop()
    install(beside)
    farm.agent.start()
    farm.goes_on("an upgrade of the agent")
    left = farm.the_printer()["status"]
    farm.end_print()
    farm.order("next")
    farm.end_print()
    farm.ask("farmhand", "events", "verify", "--head", head)
    now = farm.jobs()
    kept = [(job["id"], job["state"], job["created_at"]) for job in now[: len(jobs)]]
    return {
        "history_before": int(head.partition(":")[0]),
        "history_after": int(farm.head().partition(":")[0]),
        "jobs_kept": kept == [(job["id"], job["state"], job["created_at"]) for job in jobs],
        "settings_kept": settings == [file.read_text() for file in SETTINGS],
        "coordinator_starts_s": began_s,
        "status_after": left,
    }


def main() -> None:
    """Print it."""
    farm, told = Farm(), {}
    with ExitStack() as stack:
        for daemon in (farm.printer, farm.coordinator, farm.agent):
            stack.callback(daemon.stop)
        begin(farm)
        farm.order("first")
        farm.end_print()
        if packages := list(Path("/packages").glob("*.deb")):
            told["upgrade"] = upgrade(farm, packages)
        told["agent"] = measure(farm)
        told["jobs"] = [job["state"] for job in farm.jobs()]
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
