"""Serving: the HTTP API on its address, and where programs on this machine find it."""

import asyncio
import errno
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import metadata
from pathlib import Path

import structlog
from aiohttp import web

from coordinator.adapters.mqtt_link.link import MqttLink
from coordinator.api.agents import Welcome
from coordinator.api.app import build_app
from coordinator.api.operating import Machine
from coordinator.api.origins import Front, networks
from coordinator.errors import Unavailable
from coordinator.secret_files import write_whole
from coordinator.settings import Settings
from coordinator.tls import Shown
from coordinator.usecases.gate import Gate

log = structlog.get_logger(__name__)

# A broker elsewhere may come later than we do: after this time we are up without it.
LINK_S = 10.0
# How long we wait for room on a full disk before we look again.
ROOM_S = 1.0
# A connection that asks nothing, or does not come to the end of its question's head. Longer than
# the minute after which proxies let theirs go, or they would send into one that just closes.
SILENT_S = 75.0
# Requests that are being answered, a download say, when the end comes.
REQUESTS_S = 3.0


@asynccontextmanager
async def serve_api(
    gate: Gate, settings: Settings, shown: Shown | None, told: Welcome, machine: Machine
) -> AsyncIterator[str]:
    """Serve HTTP, with TLS where there is a certificate, and lend the address.

    Raises:
        SettingsInvalid: the certificate can't be used.
        Unavailable: the port is taken, or this machine has no such address.
    """
    app = build_app(
        gate,
        upload_bytes_max=settings.upload_bytes_max,
        version=version(),
        front=Front(public_url=settings.public_url, proxies=networks(settings.trusted_proxies)),
        welcome=told,
        machine=machine,
    )
    tls = shown.context() if shown is not None else None
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=REQUESTS_S, keepalive_timeout=SILENT_S
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.port, ssl_context=tls).start()
        except OSError as error:
            raise _not_listening(settings, error) from error
        port = runner.addresses[0][1]
        scheme = "https" if tls is not None else "http"
        yield settings.public_url or f"{scheme}://{_dialable(settings.host)}:{port}"
    finally:
        await runner.cleanup()


def _not_listening(settings: Settings, error: OSError) -> Unavailable:
    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return Unavailable(
            "port_taken",
            f"port {settings.port} for the HTTP API is taken by another program: "
            "stop that one, or set port to another",
        )
    return Unavailable("host_unusable", f"the HTTP API can't listen on {where}: {error.strerror}")


def local_url(settings: Settings, shown: Shown | None, api_url: str) -> str:
    """Return where a process on this machine reaches the API: past a proxy, but by its name."""
    if shown is not None or not settings.port:
        return api_url
    return f"http://{_dialable(settings.host)}:{settings.port}"


def _dialable(host: str) -> str:
    """Return an address that programs on this machine can connect to."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]" if ":" in host else host


async def announce(
    folder: Path, link: MqttLink, *, api_url: str, mqtt_url: str, up: Callable[[], None]
) -> None:
    """Once all is up, tell programs on this machine where we are, for as long as we are."""
    try:
        async with asyncio.timeout(LINK_S):
            await link.wait_connected()
    except TimeoutError:
        log.warning("coordinator.without_broker", broker=mqtt_url)
    path = folder / "coordinator.json"
    facts = {"api_url": api_url, "mqtt_url": mqtt_url, "pid": os.getpid()}
    await _write_patiently(path, json.dumps(facts) + "\n")
    log.info("coordinator.ready", api_url=api_url, mqtt_url=mqtt_url)
    up()
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        path.unlink(missing_ok=True)


async def _write_patiently(path: Path, text: str) -> None:
    """Write a private file as soon as its disk has room: the farm is up, and goes on without."""
    told = False
    while True:
        try:
            write_whole(path, text)
        except OSError as error:
            if not told:
                log.warning("file.waits", path=str(path), reason=error.strerror)
            told = True
            await asyncio.sleep(ROOM_S)
            continue
        return


def version() -> str:
    """Return this program's version."""
    try:
        return metadata.version("farmhand")
    except metadata.PackageNotFoundError:
        return "0+source"
