"""Print something with what the packages installed; runs inside of a tree, by its own Python.

Usage: python3 packaged_print.py

As an administrator would on a machine without systemd running: the coordinator and the agent as
their users, a simulated printer, the agent let in by a token, a plate ordered, printed, and its
bed declared clear. Tells what it measured of the agent as JSON.
"""

import json
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

STATE = Path("/var/lib/farmhand")
API = "http://127.0.0.1:8150"
LOG = Path("/var/log/farmhand-print.log")
PATIENCE_S = 120.0
IDLE_S = 20.0
PRINTER = """
[[printers]]
id = "p1"
driver = "marlin_serial"
printer_class = "prusa-mk3s"
material = "PLA"
settings = { port = "socket://127.0.0.1:7125" }
"""
BEGINNING = "M140 S60", "M104 S200", "G28", "G90", "M83", "M190 S60", "M109 S200", "G1 Z0.2 F600"
LINES = (f"G1 X{100 + n % 50} Y{100 + n // 50} E0.05 F3000" for n in range(1500))
PLATE = "\n".join((*BEGINNING, *LINES, "M104 S0", "M140 S0", "M84", ""))


@contextmanager
def started(user: str, *command: str, state: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """Run a daemon as its user until the end."""
    environment = {"PATH": "/usr/bin:/bin:/usr/sbin", "LANG": "C.UTF-8"}
    if state:
        name = "FARMHAND_STATE_DIR" if user == "farmhand" else "FARMHAND_AGENT_STATE_DIR"
        environment[name] = state
    with LOG.open("ab") as log:
        process = subprocess.Popen(command, user=user, group=user, env=environment, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def admin(*words: str) -> str:
    """Ask the farm by its command, with the machine's own token."""
    environment = dict(os.environ, FARMHAND_TOKEN=(STATE / "coordinator/token").read_text().strip())
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr}{done.stdout}")
    return done.stdout


def ready() -> None:
    """Wait for the coordinator."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        try:
            with urlopen(f"{API}/api/v1/health/ready", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"no coordinator: {LOG.read_text()[-2000:]}")


def private(folder: Path, user: str) -> None:
    """Make a daemon's folder, as systemd does before it starts one."""
    folder.mkdir(parents=True, exist_ok=True)
    owner = pwd.getpwnam(user)
    os.chown(folder, owner.pw_uid, owner.pw_gid)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def enter(settings: Path) -> None:
    """Let the agent in and tell it of its printer, where nobody did yet."""
    if "[[printers]]\nid" not in settings.read_text():
        with settings.open("a") as file:
            file.write(PRINTER)
        token = json.loads(admin("farmhand", "agent", "token", "--json"))["token"]
        admin(
            "farmhand-agent", "enroll", token, "--coordinator", API,
            "--state-dir", str(STATE / "agent"), "--agent-id", "pi-1",
        )  # fmt: skip


def wait_for(*wanted: str) -> str:
    """Wait until the printer has one of these statuses; return which."""
    ends, status = time.monotonic() + PATIENCE_S, ""
    while time.monotonic() < ends:
        found = json.loads(admin("farmhand", "printer", "ls", "--json"))
        status = found[0]["status"] if found else ""
        if status in wanted:
            return status
        time.sleep(0.1)
    raise SystemExit(f"never {' or '.join(wanted)}, but {status!r}; {LOG.read_text()[-3000:]}")


def main() -> None:
    """Print it."""
    Path("/tmp/plate.gcode").write_text(PLATE)
    LOG.write_text("")
    for folder, user in (("coordinator", "farmhand"), ("agent", "farmhand-agent")):
        private(STATE / folder, user)
    settings = Path("/etc/farmhand/agent.toml")
    with ExitStack() as stack:
        stack.enter_context(
            started(
                "farmhand", "/usr/bin/farmhand", "coordinator",
                "--config", "/etc/farmhand/coordinator.toml", state=str(STATE / "coordinator"),
            )
        )  # fmt: skip
        simulator = ("/usr/bin/farmhand-printer", "--tcp", "7125", "--speed", "100")
        stack.enter_context(started("farmhand-agent", *simulator))
        ready()
        enter(settings)
        began = time.monotonic()
        command = ("/usr/bin/farmhand-agent", "--config", str(settings))
        agent = stack.enter_context(started("farmhand-agent", *command, state=str(STATE / "agent")))
        # Of a new printer nobody has said yet what lies on its bed.
        if wait_for("needs_clearing", "idle") == "needs_clearing":
            admin("farmhand", "printer", "clear", "p1")
        up_s = time.monotonic() - began
        before = cpu_s(agent.pid)
        time.sleep(IDLE_S)
        idle_cpu = (cpu_s(agent.pid) - before) / IDLE_S
        idle_mb = resident_mb(agent.pid)
        admin("farmhand", "job", "submit", "/tmp/plate.gcode", "--wait")
        wait_for("needs_clearing")
        printed_mb = resident_mb(agent.pid)
        admin("farmhand", "printer", "clear", "p1")
        wait_for("idle")
        jobs = json.loads(admin("farmhand", "job", "ls", "--json"))
    told = {
        "finished": sum(job["state"] == "finished" for job in jobs),
        "jobs": len(jobs),
        "agent": {
            "starts_until_idle_s": round(up_s, 2),
            "idle_resident_mb": round(idle_mb, 1),
            "printed_resident_mb": round(printed_mb, 1),
            "idle_cpu": round(idle_cpu, 4),
        },
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
