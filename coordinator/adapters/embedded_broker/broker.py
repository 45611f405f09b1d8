"""Start a broker, see that it runs, start it again when it dies."""

import asyncio
import errno
import importlib.util
import signal
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from coordinator.adapters.embedded_broker import amqtt_command, child, mosquitto
from coordinator.adapters.embedded_broker.entrance import Entrance
from coordinator.adapters.embedded_broker.listeners import (
    LOOPBACK,
    Listener,
    is_loopback,
    reachable,
)
from coordinator.domain.broker_access import (
    AUTOMATION_USER,
    COORDINATOR_USER,
    NO_PROGRAMS,
    TELEMETRY_USER,
    Programs,
)
from coordinator.domain.enrolment import AgentCredential
from coordinator.errors import SettingsInvalid, Unavailable

log = structlog.get_logger(__name__)

Kind = Literal["auto", "mosquitto", "amqtt"]

# amqtt needs a second or two on a Pi; more than that is no broker.
READY_S = 15.0
RETRY_S_MIN, RETRY_S_MAX = 0.2, 10.0
# Who ran this long did not die of its configuration.
STEADY_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerWish:
    """Which broker is wanted, and where.

    Attributes:
        folder: for its configuration and its words; made if need be.
        port: 0 picks a free one.
        username, password: of a user that all share; with neither, and without `enrolled`,
            everybody is let in, on loopback only.
        enrolled: agents show what they got when they enrolled, and are kept to their own topics.
        credentials: of the agents that have enrolled so far.
        programs: what programs beside the farm may.
        tls: certificate and key for `host`; the coordinator then has a plain door of its own, on
            loopback, so that no name in the certificate has to mean this machine.
    """

    kind: Kind
    folder: Path
    host: str = LOOPBACK
    port: int = 0
    username: str = ""
    password: str = ""
    enrolled: bool = False
    credentials: Sequence[AgentCredential] = ()
    programs: Programs = NO_PROGRAMS
    tls: tuple[Path, Path] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What the coordinator shows at the embedded broker; None for nothing.

    Attributes:
        telemetry_username: for a second connection; `automation_username` for a third.
    """

    username: str | None = None
    telemetry_username: str | None = None
    automation_username: str | None = None
    password: str | None = None


class EmbeddedBroker:
    """A broker in a child process; made by `embedded_broker`. Implements `BrokerDoor`."""

    def __init__(
        self, wish: BrokerWish, program: str | None, listeners: Sequence[Listener]
    ) -> None:
        """Take what is wanted.

        Args:
            program: mosquitto's path, None for amqtt.
            listeners: the first is for agents, the last for the coordinator.
        """
        self._folder = wish.folder
        self._program = program
        self._listeners = listeners
        self._output = wish.folder / "broker.log"
        self._process: asyncio.subprocess.Process | None = None
        self._entrance = Entrance(
            folder=wish.folder,
            shared=(wish.username, wish.password) if wish.password else None,
            enrolled=wish.enrolled,
            programs=wish.programs,
        )
        self._entrance.admit(wish.credentials)

    @property
    def kind(self) -> str:
        """Which program it is."""
        return "mosquitto" if self._program else "amqtt"

    @property
    def url(self) -> str:
        """Where clients on this machine find it."""
        return self._listeners[0].url

    @property
    def own_url(self) -> str:
        """Where the coordinator finds it."""
        return self._listeners[-1].url

    @property
    def own(self) -> Own:
        """What the coordinator shows there."""
        shown = self._entrance.own()
        if shown is None:
            return Own()
        user, password = shown
        is_own = user == COORDINATOR_USER
        return Own(
            username=user,
            telemetry_username=TELEMETRY_USER if is_own else user,
            automation_username=AUTOMATION_USER if is_own else user,
            password=password,
        )

    @property
    def pid(self) -> int:
        """Of the child."""
        assert self._process is not None
        return self._process.pid

    async def admit(self, credentials: Sequence[AgentCredential]) -> None:
        """Let in who shows one of these, and nobody else of the agents.

        Raises:
            Unavailable: the list can't be written.
        """
        self._entrance.admit(credentials)
        try:
            self._entrance.write()
        except OSError as error:
            raise self._unwritable(error) from error
        process = self._process
        # amqtt sees by itself that the file was replaced.
        if self._program and process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGHUP)

    async def start(self) -> None:
        """Start the child and return when it answers.

        Raises:
            Unavailable: it does not; the text has its last words.
        """
        self._process = await child.start(self._command(), self._output)
        try:
            async with asyncio.timeout(READY_S):
                await self._wait_ready(self._process)
        except TimeoutError as error:
            await child.stop(self._process)
            raise Unavailable(
                "broker_silent", f"{self.kind} does not answer within {READY_S:.0f} s"
            ) from error
        log.info("broker.started", kind=self.kind, url=self.url, pid=self._process.pid)

    def _command(self) -> list[str]:
        """Return the command that runs the broker, its configuration written.

        Raises:
            Unavailable: it can't be written.
        """
        folder, listeners, entrance = self._folder, self._listeners, self._entrance
        try:
            if self._program is None:
                return amqtt_command.command(folder, listeners=listeners, entrance=entrance)
            return mosquitto.command(self._program, folder, listeners=listeners, entrance=entrance)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> Unavailable:
        return Unavailable("broker_failed", f"{self._folder} can't be written: {error.strerror}")

    async def supervise(self) -> None:
        """Start the child again whenever it dies, until cancelled."""
        retry_s = RETRY_S_MIN
        while True:
            assert self._process is not None
            began_s = time.monotonic()
            status = await self._process.wait()
            if time.monotonic() - began_s > STEADY_S:
                retry_s = RETRY_S_MIN
            log.error("broker.died", kind=self.kind, status=status, words=self._last_words())
            await asyncio.sleep(retry_s)
            retry_s = min(retry_s * 2, RETRY_S_MAX)
            with suppress(Unavailable):  # its death is logged above, in the next round
                await self.start()

    async def stop(self) -> None:
        """End the child."""
        if self._process is not None:
            await child.stop(self._process)

    async def _wait_ready(self, process: asyncio.subprocess.Process) -> None:
        own = self._listeners[-1]
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection(reachable(own.host), own.port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            return
        raise Unavailable(
            "broker_failed", f"{self.kind} ended at once: {self._last_words() or 'without a word'}"
        )

    def _last_words(self) -> str:
        try:
            lines = self._output.read_text(errors="replace").split("\n")
        except OSError:
            return ""
        return " / ".join([line.strip() for line in lines if line.strip()][-3:])


@asynccontextmanager
async def embedded_broker(wish: BrokerWish) -> AsyncIterator[EmbeddedBroker]:
    """Run a broker for the length of the block; `supervise` wants a task of its own.

    Raises:
        SettingsInvalid: what is wished for is not safe, or not installed.
        Unavailable: the port is taken, or the broker does not start.
    """
    program = _choose(wish)
    wish.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    broker = EmbeddedBroker(wish, program, _listeners(wish))
    try:
        await broker.start()
        yield broker
    finally:
        await broker.stop()


def _choose(wish: BrokerWish) -> str | None:
    """Return mosquitto's path, or None for amqtt."""
    program = None if wish.kind == "amqtt" else mosquitto.find()
    if wish.kind == "mosquitto" and program is None:
        raise SettingsInvalid(
            "broker is mosquitto, which is not installed: install it (apt install mosquitto), "
            "or set broker to auto"
        )
    if program is None and importlib.util.find_spec("amqtt") is None:
        raise SettingsInvalid(
            "there is no MQTT broker: install mosquitto (apt install mosquitto), or set broker_url"
        )
    if not wish.enrolled and not wish.password and not is_loopback(wish.host):
        raise SettingsInvalid(
            f"a broker on {wish.host} would let everybody in: set agents to enrolled, or "
            "broker_username and broker_password, or leave broker_host at 127.0.0.1"
        )
    return program


def _listeners(wish: BrokerWish) -> list[Listener]:
    """Return where the broker will listen, on ports that are free now."""
    public = Listener(host=wish.host, port=_claim(wish.host, wish.port), tls=wish.tls)
    if wish.tls is None:
        return [public]
    return [public, Listener(host=LOOPBACK, port=_claim(LOOPBACK, 0))]


def _claim(host: str, port: int) -> int:
    """Return a port that is free now: the one that is wanted, or any for 0.

    Raises:
        Unavailable: it is taken, or this machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as probe:
            free: int = probe.getsockname()[1]
            return free
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Unavailable(
                "port_taken",
                f"port {port} for the MQTT broker is taken by another program: stop that one "
                "(Debian's own: sudo systemctl disable --now mosquitto), "
                f"set broker_port to another, or use it with broker_url=mqtt://{host}:{port}",
            ) from error
        raise Unavailable(
            "broker_host_unusable", f"the MQTT broker can't listen on {host}:{port}: {error}"
        ) from error
