"""The only wiring: which adapter stands behind which port, what runs, and in which order it ends.

Order of the start: hold the folder, bring the database up to date, start the broker, tidy up after
the last run, then let the world in. The end goes the other way round. Whoever is killed in between
leaves nothing that the next start does not mend.
"""

import asyncio
import errno
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import structlog
from aiohttp import web

from coordinator.adapters.clock import SystemClock, TimeSortedIds
from coordinator.adapters.db.store import open_database
from coordinator.adapters.embedded_broker.broker import EmbeddedBroker
from coordinator.adapters.folder_lock import hold_folder
from coordinator.adapters.mqtt_link.link import MqttLink
from coordinator.adapters.storage.obstore_artifacts import open_artifacts
from coordinator.adapters.ticker import Bell, Ticker
from coordinator.api.agents import Welcome
from coordinator.api.app import build_app
from coordinator.api.operating import Machine
from coordinator.api.origins import Front, networks
from coordinator.app_outward import outside_of, outward_bells, ways_to_people
from coordinator.broker_wiring import address_of, broker_of, link_to, welcome_of
from coordinator.domain.policy import Policy
from coordinator.errors import Unavailable
from coordinator.local_wiring import database_of, disk_of, slicer_of
from coordinator.log_ring import LogRing
from coordinator.machine_wiring import backup_bell, cleaning_bell, machine_of
from coordinator.ports_enrolment import OpenDoor
from coordinator.secret_files import write_whole
from coordinator.settings import Settings
from coordinator.tls import Shown, expiry_trouble, shown_by
from coordinator.usecases.auditing import check_tail
from coordinator.usecases.delivering import Courier
from coordinator.usecases.dispatching import dispatch_jobs, flush_outbox
from coordinator.usecases.farm import Farm
from coordinator.usecases.gate import Gate
from coordinator.usecases.hearing import hear
from coordinator.usecases.preparing import prepare_jobs
from coordinator.usecases.sealing import drop_sealed
from coordinator.usecases.slicing import slice_plates
from coordinator.usecases.starting import recover, repeat_desired
from coordinator.way_in import open_gate, welcome
from protocols.wire.from_agent import Telemetry

log = structlog.get_logger(__name__)

# Shorter than systemd's patience of 90 s, and than that of a person at a terminal.
STOP_S = 10.0
# A broker elsewhere may come later than we do: after this time we are up without it.
LINK_S = 10.0
# How long we wait for room on a full disk before we look again.
ROOM_S = 1.0
# Requests that are being answered, a download say, when the end comes.
REQUESTS_S = 3.0


async def run(settings: Settings, log_ring: LogRing) -> None:
    """Be a coordinator until SIGTERM or SIGINT.

    Args:
        log_ring: where the last lines of its log are kept.

    Raises:
        FarmError: it can't start; the text says what to do.
    """
    asked = _asked_to_stop()
    async with AsyncExitStack() as stack:
        stack.enter_context(hold_folder(settings.state_dir))
        store = await stack.enter_async_context(open_database(database_of(settings)))
        artifacts = await stack.enter_async_context(
            open_artifacts(settings.state_dir / "artifacts")
        )
        shown = shown_by(settings)
        # A farm goes on with it: who connects is told, and prints need nobody to connect.
        if shown is not None and (trouble := expiry_trouble(shown, datetime.now(UTC))):
            log.warning("tls.expires", reason=trouble)
        broker = await stack.enter_async_context(broker_of(settings, store, shown))
        ids = TimeSortedIds()
        link = link_to(settings, broker, coordinator_id=ids.new("coordinator"))
        outside = await stack.enter_async_context(outside_of(settings))
        farm = Farm(
            store=store,
            artifacts=artifacts,
            slicer=slicer_of(settings),
            link=link,
            door=broker or OpenDoor(),
            clock=SystemClock(),
            ids=ids,
            outside=outside,
            disk=disk_of(settings),
            poke=lambda work: ticker.poke(work),
            policy=Policy(leases_ahead=settings.leases_ahead, approval=settings.approve_jobs),
        )
        courier = Courier(farm)
        ticker = Ticker(_bells(settings, farm, link, courier))
        await check_tail(farm)
        await recover(farm)
        await drop_sealed(farm)
        gate = open_gate(farm, settings)
        await welcome(gate, settings.state_dir)
        told, machine = welcome_of(settings, broker, shown), machine_of(settings, log_ring)
        api_url = await stack.enter_async_context(_api(gate, settings, shown, told, machine))
        await _work(settings, asked, farm, link, ticker, courier, broker, api_url)
    log.info("coordinator.stopped")


async def _work(
    settings: Settings,
    asked: asyncio.Event,
    farm: Farm,
    link: MqttLink,
    ticker: Ticker,
    courier: Courier,
    broker: EmbeddedBroker | None,
    api_url: str,
) -> None:
    """Run all tasks until asked to stop, or until one of them fails."""

    def take(telemetry: Telemetry) -> None:
        farm.live.absorb(telemetry, farm.clock.now())

    async def on_connected() -> None:
        # The broker may have forgotten everything.
        ticker.poke("repeat")

    mqtt_url = broker.url if broker is not None else str(address_of(settings, None))
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(link.run(on_connected, take), name="link"),
            tasks.create_task(_hear(farm, link), name="hearing"),
            tasks.create_task(ticker.run(), name="ticker"),
            tasks.create_task(courier.run(), name="courier"),
            tasks.create_task(
                _announce(settings.state_dir, link, api_url=api_url, mqtt_url=mqtt_url),
                name="announcement",
            ),
        ]
        if broker is not None:
            running.append(tasks.create_task(broker.supervise(), name="broker"))
        # A new way to people begins with what happens from now on.
        own = ("backup",) if settings.backup_dir else ()
        for name in ("probe", *own, *ways_to_people(settings)):
            ticker.poke(name)
        # Slicers ask what they find without TLS.
        if settings.announces and shown_by(settings) is None:
            telling = _tell_neighbours(farm, settings)
            running.append(tasks.create_task(telling, name="neighbours"))
        await asked.wait()
        for task in running:
            task.cancel()


async def _tell_neighbours(farm: Farm, settings: Settings) -> None:
    """Have slicers on the local network find the farm."""
    # Late: only a farm that others reach needs it, and it takes a tenth of a second.
    from coordinator.adapters import neighbours

    await neighbours.keep_told(farm, host=settings.host, port=settings.port, version=_version())


def _bells(settings: Settings, farm: Farm, link: MqttLink, courier: Courier) -> dict[str, Bell]:
    return {
        "prepare": Bell(lambda: prepare_jobs(farm), every_s=1.0),
        "slice": Bell(lambda: slice_plates(farm), every_s=5.0, hands=settings.slicings_at_once),
        "dispatch": Bell(lambda: dispatch_jobs(farm), every_s=1.0),
        # A slicer may be installed, or taken away, while we run.
        "probe": Bell(farm.slicer.probe, every_s=600.0),
        "outbox": Bell(lambda: flush_outbox(farm), every_s=1.0),
        # What an agent did not take, or a broker lost, is said again now and then.
        "repeat": Bell(lambda: repeat_desired(farm), every_s=600.0),
        **outward_bells(settings, farm, courier),
        **cleaning_bell(settings, farm),
        **backup_bell(settings, farm, _version()),
        "status": Bell(link.repeat_status, every_s=30.0),
    }


async def _hear(farm: Farm, link: MqttLink) -> None:
    """Bring what agents say to the store; have them repeat what there was no room for."""
    while True:
        await hear(farm, await link.inbox.take())
        if link.inbox.lacks_something():
            await link.ask_again()


@asynccontextmanager
async def _api(
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
        version=_version(),
        front=Front(public_url=settings.public_url, proxies=networks(settings.trusted_proxies)),
        welcome=told,
        machine=machine,
    )
    tls = shown.context() if shown is not None else None
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=REQUESTS_S)
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


def _dialable(host: str) -> str:
    """Return an address that programs on this machine can connect to."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]" if ":" in host else host


async def _announce(folder: Path, link: MqttLink, *, api_url: str, mqtt_url: str) -> None:
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


def _asked_to_stop() -> asyncio.Event:
    """Return what is set by SIGTERM or SIGINT; from then on the end comes within `STOP_S`."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()

    def stop(name: str) -> None:
        if asked.is_set():
            return
        log.info("coordinator.stopping", signal=name)
        asked.set()
        loop.call_later(STOP_S, _give_up)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number.name)
    return asked


def _give_up() -> None:
    """Leave at once: everything that counts is in the database, children die with us."""
    log.error("coordinator.stop_forced", after_s=STOP_S)
    os._exit(1)


def _version() -> str:
    try:
        return metadata.version("farmhand")
    except metadata.PackageNotFoundError:
        return "0+source"
