"""The farm under trial: real processes on free ports, all below one folder, that die and return."""

import asyncio
import json
import os
import pwd
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.adapters.embedded_broker.mosquitto import find
from coordinator.cli.client import FarmClient
from coordinator.cli.demo_processes import end_with_parent
from coordinator.cli.place import Place
from tests.fakes.mosquitto import free_port
from tests.fakes.processes import environment
from tests.proofs.chaos_judge import PrinterLog

OLDER_AGENT = "tests.proofs.older_agent"
TOKEN = "chaos-has-a-token-of-its-own"
SPEED = 30.0  # of the printers against the clock: a small plate takes some seconds
AUTOSAVE_S = 5
END_LOOK_S = 0.05


@dataclass
class Part:
    """One process that may be killed, frozen and begun again; its log goes on."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    process: "subprocess.Popen[bytes] | None" = None

    def begin(self) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=self.log.parent,  # no `.env` of the user's
                start_new_session=True,
                preexec_fn=end_with_parent(),
            )

    def signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def limit(self, file_bytes_max: int | None) -> None:
        """Have every write beyond so much of a file fail, as on a full disk; None: no more."""
        if self.process is not None and self.process.poll() is None:
            _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
            soft = hard if file_bytes_max is None else file_bytes_max
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (soft, hard))

    def kill(self) -> None:
        """End it at once; returns when it is gone."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
        self.process = None

    async def end(self, number: int, patience_s: float) -> int:
        """Ask it to end by a signal; return its exit code, -9 where it had to be killed.

        It must run.
        """
        process = self.process
        assert process is not None, "only what runs can end"
        self.process = None
        process.send_signal(number)
        for _ in range(int(patience_s / END_LOOK_S)):
            if process.poll() is not None:
                break
            await asyncio.sleep(END_LOOK_S)
        process.kill()
        return process.wait()

    @property
    def died(self) -> int | None:
        """The exit code of one that ended by itself, else None."""
        return self.process.poll() if self.process is not None else None


@dataclass
class Printer:
    """A simulated printer: the world, which no fault takes away."""

    printer_id: str
    agent_id: str
    part: Part
    port: Path
    control: Path
    log: PrinterLog

    async def say(self, line: str) -> str:
        """Say a line to its control socket; what it executed so far is in its log then."""
        reader, writer = await asyncio.open_unix_connection(self.control)
        writer.write(line.encode() + b"\n")
        answer = await reader.readline()
        writer.close()
        return answer.decode().strip()


@dataclass
class Agent:
    """An agent, and the folder that is its card."""

    agent_id: str
    part: Part
    state_dir: Path

    @property
    def journal(self) -> Path:
        """The file that an agent's life hangs on."""
        return self.state_dir / "journal.sqlite"

    def change_version(self) -> str:
        """Have it speak an older version of the wire from its next start, or the newest again."""
        modules = {"agent": OLDER_AGENT, OLDER_AGENT: "agent"}
        self.part.command = [modules.get(word, word) for word in self.part.command]
        return "an older version" if OLDER_AGENT in self.part.command else "the newest version"

    def copy(self) -> Part:
        """Return another machine with a copy of its card, and no printer at its cables.

        It must not run.
        """
        folder = self.state_dir.with_name(f"{self.agent_id}-copy")
        shutil.rmtree(folder, ignore_errors=True)
        if self.state_dir.exists():  # one that was wiped just now may not have begun to write
            shutil.copytree(self.state_dir, folder)
        config = folder.with_suffix(".toml")
        own = self.state_dir.with_name(f"{self.agent_id}.toml").read_text()
        own = own.replace(f'state_dir = "{self.state_dir}"', f'state_dir = "{folder}"')
        config.write_text(own.replace("/ports/", "/no-ports/"))
        command = [str(config) if word.endswith(".toml") else word for word in self.part.command]
        log = self.part.log.with_name(f"{folder.name}.log")
        return Part(folder.name, command, log, self.part.environment)

    def wipe(self) -> None:
        """Take its memory and identity away; it must not run."""
        shutil.rmtree(self.state_dir, ignore_errors=True)


@dataclass
class Farm:
    """All of it; `at_work` is set as soon as something prints."""

    folder: Path
    agents_count: int
    printers_count: int
    agent_module: str = "agent"
    agents: list[Agent] = field(default_factory=list)
    printers: list[Printer] = field(default_factory=list)
    at_work: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        for name in ("broker", "logs", "ports", "printers", "agents", "plates"):
            (self.folder / name).mkdir(parents=True)
        self.mqtt_port, self.http_port = free_port(), free_port()
        self.client = FarmClient(Place(url=f"http://127.0.0.1:{self.http_port}", token=TOKEN))
        self.broker = self._broker()
        self.coordinator = self._part(
            "coordinator",
            *self._module("coordinator", "--state-dir", self.folder / "coordinator"),
            *("--port", str(self.http_port)),
            *("--broker-url", f"mqtt://127.0.0.1:{self.mqtt_port}"),
            FARMHAND_TOKEN=TOKEN,
        )
        for number in range(1, self.agents_count + 1):
            self._add_agent(f"pi-{number}")

    @property
    def parts(self) -> list[Part]:
        """Every process, in the order of the start."""
        printers = [printer.part for printer in self.printers]
        return [*printers, self.broker, self.coordinator, *(agent.part for agent in self.agents)]

    @property
    def database(self) -> Path:
        """The coordinator's."""
        return self.folder / "coordinator" / "farm.sqlite3"

    @property
    def broker_memory(self) -> Path:
        """The file in which the broker keeps its retained messages."""
        return self.folder / "broker" / "mosquitto.db"

    async def begin(self) -> None:
        """Start everything; returns once the printers have their ports."""
        for part in self.parts[: len(self.printers)]:
            part.begin()
        while not all(printer.control.exists() for printer in self.printers):
            self.require_printers()
            await asyncio.sleep(0.05)
        for part in self.parts[len(self.printers) :]:
            part.begin()

    def require_printers(self) -> None:
        """Raise where a simulated printer is gone: then nothing can be judged."""
        for printer in self.printers:
            if printer.part.died is not None:
                raise RuntimeError(f"the printer {printer.printer_id} ended by itself")

    def end(self) -> None:
        """Kill what is left."""
        for part in reversed(self.parts):
            part.kill()

    def _broker(self) -> Part:
        program = find()
        if program is None:
            raise RuntimeError("chaos needs mosquitto")
        config = self.folder / "broker" / "mosquitto.conf"
        config.write_text(
            f"listener {self.mqtt_port} 127.0.0.1\nallow_anonymous true\n"
            f"persistence true\npersistence_location {config.parent}/\n"
            f"autosave_interval {AUTOSAVE_S}\nset_tcp_nodelay true\nmax_inflight_messages 0\n"
            f"log_dest stderr\nlog_type error\nlog_type warning\n"
            f"user {pwd.getpwuid(os.getuid()).pw_name}\n"
        )
        return self._part("broker", program, "-c", str(config))

    def _add_agent(self, agent_id: str) -> None:
        state_dir = self.folder / "agents" / agent_id
        config = self.folder / "agents" / f"{agent_id}.toml"
        tables = "".join(
            self._add_printer(agent_id, f"{agent_id.replace('pi', 'p')}-{number}")
            for number in range(1, self.printers_count + 1)
        )
        config.write_text(
            f'agent_id = "{agent_id}"\nstate_dir = "{state_dir}"\n'
            f'mqtt_url = "mqtt://127.0.0.1:{self.mqtt_port}"\n'
            f'coordinator_url = "http://127.0.0.1:{self.http_port}"\n{tables}'
        )
        command = self._module(self.agent_module, "--config", config)
        part = self._part(agent_id, *command, FARMHAND_AGENT_TOKEN=TOKEN)
        self.agents.append(Agent(agent_id, part, state_dir))

    def _add_printer(self, agent_id: str, printer_id: str) -> str:
        """Add a printer; return its table in the agent's configuration."""
        port = self.folder / "ports" / printer_id
        executed = self.folder / "printers" / f"{printer_id}.log"
        control = self.folder / "printers" / f"{printer_id}.sock"
        command = self._module(
            *("agent.simulator", "--pty", port, "--log", executed, "--control", control),
            *("--speed", f"{SPEED:g}", "--log-level", "warning"),
            *(("--advanced-ok",) if len(self.printers) % 2 else ()),
        )
        part = self._part(printer_id, *command)
        log = PrinterLog(printer_id, executed)
        self.printers.append(Printer(printer_id, agent_id, part, port, control, log))
        return (
            f'[[printers]]\nid = "{printer_id}"\nprinter_class = "farmhand-220"\n'
            f'material = "PLA"\nsettings = {{ port = {json.dumps(str(port))}, allow = ["cold"] }}\n'
        )

    def _module(self, name: str, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", name, *map(str, arguments)]

    def _part(self, name: str, *command: str, **secrets: str) -> Part:
        log = self.folder / "logs" / f"{name}.log"
        return Part(name, command, log, environment(**secrets))
