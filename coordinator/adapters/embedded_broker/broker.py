"""Start a broker, see that it runs, start it again when it dies."""

import asyncio
import errno
import importlib.util
import ipaddress
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import structlog

from coordinator.adapters.embedded_broker import child, mosquitto
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
        password: demanded of every client; empty lets everybody in, on loopback only.
    """

    kind: Kind
    folder: Path
    host: str = "127.0.0.1"
    port: int = 0
    username: str = ""
    password: str = ""


class EmbeddedBroker:
    """A broker in a child process; made by `embedded_broker`."""

    def __init__(self, wish: BrokerWish, program: str | None) -> None:
        """Take what is wanted; `program` is mosquitto's path, None for amqtt."""
        self._wish = wish
        self._program = program
        self._output = wish.folder / "broker.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def kind(self) -> str:
        """Which program it is."""
        return "mosquitto" if self._program else "amqtt"

    @property
    def url(self) -> str:
        """Where clients on this machine find it."""
        host = _reachable(self._wish.host)
        return (
            f"mqtt://[{host}]:{self._wish.port}"
            if ":" in host
            else f"mqtt://{host}:{self._wish.port}"
        )

    @property
    def pid(self) -> int:
        """Of the child."""
        assert self._process is not None
        return self._process.pid

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
        wish = self._wish
        if not self._program:
            module = "coordinator.adapters.embedded_broker.amqtt_process"
            return [sys.executable, "-m", module, wish.host, str(wish.port)]
        try:
            return mosquitto.command(
                self._program,
                wish.folder,
                host=wish.host,
                port=wish.port,
                username=wish.username,
                password=wish.password,
            )
        except OSError as error:
            raise Unavailable(
                "broker_failed", f"{wish.folder} can't be written: {error.strerror}"
            ) from error

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
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection(
                    _reachable(self._wish.host), self._wish.port
                )
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
    broker = EmbeddedBroker(replace(wish, port=_claim(wish.host, wish.port)), program)
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
    if not wish.password and not _is_loopback(wish.host):
        raise SettingsInvalid(
            f"a broker on {wish.host} would let everybody in: set broker_username and "
            "broker_password, or leave broker_host at 127.0.0.1"
        )
    if program is None and wish.password:
        raise SettingsInvalid(
            "broker_password needs mosquitto, for amqtt is used without passwords, on this machine "
            "only: install it (apt install mosquitto), or set broker_url"
        )
    return program


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
                f"port {port} for the MQTT broker is taken by another program: stop that one, "
                f"set broker_port to another, or use it with broker_url=mqtt://{host}:{port}",
            ) from error
        raise Unavailable(
            "broker_host_unusable", f"the MQTT broker can't listen on {host}:{port}: {error}"
        ) from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reachable(host: str) -> str:
    """Return an address that clients on this machine can connect to."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
