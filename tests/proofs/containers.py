"""Prove that the image for containers builds, and that coordinator and Mosquitto run as composed.

Usage: ./farmhand prove containers [--base IMAGE] [--store FOLDER]

As root, with podman (apt-get install podman): the image of configs/compose/Dockerfile is built to
its end, from a Debian made here (debootstrap) unless a base is named. The coordinator runs in a
container with what compose.yaml gives it and no network but loopback, a Mosquitto in another one
that shares it. The page answers, the health check is content, a model is sliced in the container
and printed by an agent beside it; who it is and what it may is looked at from inside; it ends on
SIGTERM in time, and a new container of the same volumes knows the job.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from coordinator.cli.demo_oracle import commands_of_log, commands_of_plate, difference
from tests.fakes.solids import write_box
from tests.proofs.composed import ANSWERS, BROKER, IMAGE, ROOM, UID, Composed, Engine
from tests.proofs.crash import say
from tests.proofs.debian_tree import Broken, hold, missing

PATIENCE_S = 300.0
# In mounts of its own, with cgroups as engines know them, whatever kinds this machine mixes.
_ALONE = "mount --make-rprivate / && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "
BROKERFILE = """ARG BASE
FROM ${BASE}
RUN apt-get update && apt-get install -y --no-install-recommends mosquitto
"""
PRINTER = """
[[printers]]
id = "p1"
driver = "marlin_serial"
printer_class = "farmhand-220"
material = "PLA"
settings = {{ port = "{port}" }}
"""


class Beside:
    """A person, and an agent of this checkout with a simulated printer, in the same network."""

    def __init__(self, composed: Composed, folder: Path) -> None:
        """Take where the containers are, and a folder for its own things."""
        self._join = ("nsenter", "--target", composed.pid(), "--net")
        self._folder = folder
        self._executed = folder / "executed.log"
        state = Path("/var/lib/farmhand/coordinator")
        self._authority = folder / "authority.pem"
        self._authority.write_text(composed.inside("cat", str(state / "tls/authority.pem")))
        self._environment = dict(
            os.environ,
            FARMHAND_URL=ANSWERS["FARM_URL"],
            FARMHAND_CA_FILE=str(self._authority),
            FARMHAND_TOKEN=composed.inside("cat", str(state / "token")).strip(),
        )

    def run(self, *words: str) -> str:
        """Run one of our commands, as on another machine of the farm."""
        command = (*self._join, str(Path(sys.executable).with_name(words[0])), *words[1:])
        done = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, check=False
        )
        hold(done.returncode == 0, f"{' '.join(words)}: {done.stderr}{done.stdout}")
        return done.stdout

    def ask(self, *words: str) -> Any:
        """Return what the farm answers."""
        return json.loads(self.run("farmhand", *words, "--json"))

    def page(self) -> str:
        """Return what a browser gets first."""
        script = (
            "import ssl, sys, urllib.request as requests;"
            "trust = ssl.create_default_context(cafile=sys.argv[1]);"
            "print(requests.urlopen(sys.argv[2], context=trust).read().decode())"
        )
        return self.run("python", "-c", script, str(self._authority), ANSWERS["FARM_URL"])

    @contextmanager
    def printing(self, token: str) -> Iterator[None]:
        """Enrol with a token, and print whatever is assigned until the end."""
        port, state = self._folder / "port", self._folder / "agent"
        settings = self._folder / "agent.toml"
        settings.write_text(PRINTER.format(port=port))
        place = ("--coordinator", ANSWERS["FARM_URL"], "--state-dir", str(state))
        self.run("farmhand-agent", "enroll", token, "--agent-id", "pi-1", *place)
        printer = ("--pty", str(port), "--log", str(self._executed), "--speed", "200")
        agent = ("--config", str(settings), "--state-dir", str(state))
        with ExitStack() as stack, (self._folder / "agent.log").open("wb") as log:
            for name, flags in (("farmhand-printer", printer), ("farmhand-agent", agent)):
                program = str(Path(sys.executable).with_name(name))
                process = stack.enter_context(
                    subprocess.Popen((*self._join, program, *flags), stdout=log, stderr=log)
                )
                stack.callback(process.terminate)
            yield

    def prove_print(self, job: dict[str, Any]) -> int:
        """Hold that the firmware executed the job's plate and nothing else; return how much."""
        [plate] = job["plates"]
        file = self._folder / "plate.gcode"
        self.run("farmhand", "artifact", "get", plate["sha256"], "-o", str(file))
        wanted = list(commands_of_plate(file.read_text().splitlines()))
        executed = list(commands_of_log(self._executed.read_text().splitlines()))
        found = difference(wanted, executed)
        hold(found is None, f"what was executed is not what was sliced: {found}")
        return len(wanted)


def until(composed: Composed, holds: Callable[[], Any], what: str) -> Any:
    """Return what holds once it is true.

    Raises:
        Broken: it never was.
    """
    ends, said = time.monotonic() + PATIENCE_S, ""
    while time.monotonic() < ends:
        try:
            if found := holds():
                return found
        except Broken as error:
            said = str(error)[-500:]
        time.sleep(0.5)
    raise Broken(f"never {what}: {said}; {composed.log()[-2000:]}")


def prove_healthy(composed: Composed) -> None:
    """Hold that the health check becomes content, with broker and slicer."""
    health = [*composed.check, "--json"]

    def well() -> bool:
        found = json.loads(composed.inside(*health))
        return {found[part] for part in ("database", "broker", "slicer")} == {"ok"}

    until(composed, well, "a coordinator in good health")
    composed.inside(*composed.check)
    say(f"  {' '.join(composed.check)}: database, broker and slicer are ok")


def prove_shut_in(composed: Composed) -> None:
    """Hold whose process it is, what it may, and whose its volumes are."""
    lines = composed.inside("cat", "/proc/1/status").splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    hold(set(status["Uid"].split()) == {UID}, f"it runs as {status['Uid']}")
    hold(int(status["CapEff"], 16) == 0, f"it has capabilities: {status['CapEff']}")
    hold(status["NoNewPrivs"] == "1", "it may gain privileges")
    for folder in ("/var/lib/farmhand/coordinator", "/var/backups/farmhand"):
        owner = composed.inside("stat", "-c", "%a %u", folder).strip()
        hold(owner == f"700 {UID}", f"{folder} is {owner}")
    refused = composed.inside("sh", "-c", "touch /opt/x 2>&1 || true")
    hold("Read-only file system" in refused, f"it can write where it should not: {refused!r}")
    say(f"  user {UID}, no capability, a file system that can't be written, volumes of its own")


def prove_print(composed: Composed, beside: Beside, folder: Path) -> str:
    """Have a model sliced in the container and printed beside it; return the job's id."""
    hold("/dashboard/assets/" in beside.page(), "there is no page")
    say("  the page answers over TLS, with the certificate that `tls make` made")
    write_box(folder / "box.stl", 20, 20, 2)
    token = json.loads(composed.inside("farmhand", "agent", "token", "--json"))["token"]
    with beside.printing(token):

        def known() -> bool:
            found = beside.ask("printer", "ls")
            return bool(found) and found[0]["status"] == "needs_clearing"

        until(composed, known, "a printer")
        beside.run("farmhand", "printer", "clear", "p1")
        beside.run("farmhand", "job", "submit", str(folder / "box.stl"), "--material", "PLA")
        ended = ("finished", "failed")
        until(composed, lambda: beside.ask("job", "ls")[0]["state"] in ended, "the print's end")
    [job] = beside.ask("job", "ls")
    hold(job["state"] == "finished", f"the job: {job}")
    job = beside.ask("job", "show", job["id"])
    count = beside.prove_print(job)
    say(f"  a model was sliced in the container and printed beside it: {count} commands, exactly")
    return str(job["id"])


def prove(engine: Engine, folder: Path) -> None:
    """Run what compose.yaml says; hold all of it.

    Raises:
        Broken: something is broken, or there are no containers here.
    """
    composed = Composed(engine, folder)
    try:
        composed.run_once("tls", "make", "--name", "farm.local")
        composed.start()
        prove_healthy(composed)
        prove_shut_in(composed)
        job = prove_print(composed, Beside(composed, folder), folder)
        composed.inside("farmhand", "backup", "/var/backups/farmhand/today.tar")
        took_s = composed.stop()
        say(f"  SIGTERM ended it in {took_s:.1f} s")
        composed.start()
        prove_healthy(composed)
        jobs = json.loads(composed.inside("farmhand", "job", "ls", "--json"))
        hold([each["id"] for each in jobs] == [job], f"a new container knows of {jobs}")
        say("  a new container of the same volumes knows the job")
    finally:
        composed.end()


def main(arguments: Sequence[str] | None = None) -> int:
    """Prove it; return 0 where all holds."""
    asked = argparse.ArgumentParser(prog="farmhand prove containers", description=__doc__)
    asked.add_argument("--base", help="an image of Debian 12 (default: made here)")
    asked.add_argument("--store", type=Path, help="where images are, or are built (default: /tmp)")
    asked.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    told = asked.parse_args(arguments)
    if lacking := missing(programs=("podman", "nsenter")):
        sys.stdout.write(f"not proved: {lacking}\n")
        return 1
    if not told.alone:
        again = (sys.executable, "-m", "tests.proofs.containers", "--alone", *sys.argv[1:])
        shell = ("sh", "-c", _ALONE + '"$@"', "sh")
        return subprocess.run(("unshare", "--mount", *shell, *again), check=False).returncode
    with tempfile.TemporaryDirectory(prefix="farmhand-containers-") as made:
        folder = Path(made)
        engine = Engine(told.store or folder / "store")
        try:
            base = told.base or engine.made_base(folder / "base")
            began = time.monotonic()
            engine.build(ROOM / "Dockerfile", IMAGE, base)
            (folder / "Brokerfile").write_text(BROKERFILE)
            engine.build(folder / "Brokerfile", BROKER, base)
            took_s, size_mb = time.monotonic() - began, engine.size_mb(IMAGE)
            say(f"containers: built in {took_s:.0f} s; the image has {size_mb:.0f} MB")
            prove(engine, folder)
        except Broken as error:
            sys.stdout.write(f"broken: {error}\n")
            return 1
        finally:
            engine.end(keep=told.store is not None)
    sys.stdout.write("built, healthy, shut in, printed, ended, started anew: all held\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
