"""The only wiring: which adapter stands behind which port, what runs, and in which order it ends.

Order of the start: hold the folder, bring the database up to date, start the broker, tidy up after
the last run, then let the world in. The end goes the other way round. Whoever is killed in between
leaves nothing that the next start does not mend.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial

import structlog

from coordinator import resident
from coordinator.adapters.clock import SystemClock, TimeSortedIds
from coordinator.adapters.db.store import open_database
from coordinator.adapters.embedded_broker.broker import EmbeddedBroker
from coordinator.adapters.folder_lock import hold_folder
from coordinator.adapters.mqtt_link.link import MqttLink
from coordinator.adapters.pictures_folder import FolderPictures
from coordinator.adapters.simulated_farm import ChildSimulatedFarm
from coordinator.adapters.state_disk import PICTURES
from coordinator.adapters.storage.obstore_artifacts import open_artifacts
from coordinator.adapters.ticker import Bell, Ticker
from coordinator.api.operating import Machine
from coordinator.app_looking import looking_bells
from coordinator.app_outward import outside_of, outward_bells, ways_to_people
from coordinator.app_providers import sources_of, worker_of
from coordinator.app_serving import announce, local_url, serve_api, version
from coordinator.broker_wiring import (
    address_of,
    broker_of,
    door_of,
    link_to,
    local_broker_of,
    welcome_of,
)
from coordinator.chosen import ChosenSettings
from coordinator.domain.ledger import Purse
from coordinator.domain.policy import Policy
from coordinator.local_wiring import database_of, disk_of, slicer_of
from coordinator.machine_wiring import backup_bell, cleaning_bell, completed, tracer_of
from coordinator.ports import Ids, Store
from coordinator.ports_enrolment import BrokerDoor
from coordinator.settings import Settings
from coordinator.supervisor import Supervisor
from coordinator.tls import Shown, expiry_trouble, shown_by
from coordinator.usecases.auditing import check_tail
from coordinator.usecases.choosing import heed
from coordinator.usecases.delivering import Courier
from coordinator.usecases.dispatching import dispatch_jobs, flush_outbox
from coordinator.usecases.enrolling import tell_broker
from coordinator.usecases.farm import Farm
from coordinator.usecases.gate import Gate
from coordinator.usecases.hearing import hear
from coordinator.usecases.listening import Listener
from coordinator.usecases.live import Live
from coordinator.usecases.overhearing import Overhearing
from coordinator.usecases.preparing import prepare_jobs
from coordinator.usecases.producing import Producer
from coordinator.usecases.retiring import let_go
from coordinator.usecases.sealing import drop_sealed
from coordinator.usecases.slicing import slice_plates
from coordinator.usecases.starting import recover, repeat_desired
from coordinator.usecases.statistics import play_history
from coordinator.usecases.updating import advance_rollout
from coordinator.way_in import open_gate, welcome
from protocols.wire.from_agent import Telemetry

log = structlog.get_logger(__name__)

# Shorter than systemd's patience of 90 s, and than that of a person at a terminal.
STOP_S = 10.0
# What another coordinator did is shown so late.
OVERHEAR_S = 0.5
# What was chosen at another one is heeded so late.
HEED_S = 10.0
# An agent that did not answer is asked so late again to let a retired printer go.
LET_GO_EVERY_S = 30.0
# Simulated printers whose process died come back so late.
KEEP_S = 5.0


async def run(settings: Settings, machine: Machine) -> None:
    """Be a coordinator until SIGTERM or SIGINT.

    The API tells of the machine's log and settings.

    Raises:
        FarmError: it can't start; the text says what to do.
    """
    supervisor = Supervisor()
    asked = _asked_to_stop(supervisor)
    async with AsyncExitStack() as stack:
        stack.enter_context(hold_folder(settings.state_dir))
        store = await stack.enter_async_context(open_database(database_of(settings)))
        chosen = await _chosen(store, settings, machine)
        settings = chosen.begin()
        shown = _shown(settings)
        broker = await stack.enter_async_context(broker_of(settings, store, shown))
        ids = TimeSortedIds()
        link = link_to(settings, broker, coordinator_id=ids.new("coordinator"))
        farm = await _farm(
            stack,
            settings,
            store=store,
            link=link,
            door=door_of(settings, broker),
            ids=ids,
            poke=lambda work: ticker.poke(work),
        )
        courier, producer = Courier(farm), Producer(farm, worker_of(settings))
        listener = Listener(farm)
        chosen.heard(partial(_apply, farm))
        simulated = _simulated(stack, settings)
        machine = completed(machine, chosen, farm, simulated)
        bells = _bells(chosen, machine, farm, link, courier, producer, listener)
        looking = await stack.enter_async_context(looking_bells(chosen, farm))
        ticker = Ticker({**bells, **looking, "simulated": Bell(simulated.keep, every_s=KEEP_S)})
        await _tidy_up(farm, producer)
        if broker is None:  # ours has its list since it was started
            await tell_broker(farm)
        gate = open_gate(farm, settings)
        await welcome(gate, settings.state_dir)
        api_url = await stack.enter_async_context(
            serve_api(gate, settings, shown, welcome_of(settings, broker, shown), machine)
        )
        simulated.at(local_url(settings, shown, api_url), local_broker_of(broker))
        resident.settle()
        # Slicers ask what they find without TLS.
        announces = settings.announces and shown is None
        runs = {
            "courier": courier.run(),
            "producer": producer.run(),
            "listener": listener.run(),
            "announcement": _announced(settings, link, broker, api_url, supervisor),
            "beat": supervisor.watch(),
        }
        if settings.automates:
            runs |= _automation(settings, gate, broker, ids.new("coordinator"))
        await _work(settings, asked, farm, link, ticker, runs, broker, announces)
    log.info("coordinator.stopped")


def _simulated(stack: AsyncExitStack, settings: Settings) -> ChildSimulatedFarm:
    """Return the printers that people may start to try the farm; they end with us."""
    folder = settings.state_dir / "simulated"
    simulated = ChildSimulatedFarm(folder, allowed=settings.demo_farm)
    stack.push_async_callback(simulated.close)
    return simulated


async def _chosen(store: Store, settings: Settings, machine: Machine) -> ChosenSettings:
    """Return the settings in force: those of the start, with what people chose before it."""
    chosen = ChosenSettings(settings, machine.settings)
    async with store.read() as unit:
        chosen.take(await unit.choices())
    return chosen


def _shown(settings: Settings) -> Shown | None:
    """Return which certificate is shown, with a warning where it is not for long."""
    shown = shown_by(settings)
    # A farm goes on with it: who connects is told, and prints need nobody to connect.
    if shown is not None and (trouble := expiry_trouble(shown, datetime.now(UTC))):
        log.warning("tls.expires", reason=trouble)
    return shown


async def _tidy_up(farm: Farm, producer: Producer) -> None:
    """Mend what the process before left, however it ended."""
    await check_tail(farm)
    await recover(farm)
    await drop_sealed(farm)
    await producer.take_up()


async def _farm(
    stack: AsyncExitStack,
    settings: Settings,
    *,
    store: Store,
    link: MqttLink,
    door: BrokerDoor,
    ids: Ids,
    poke: Callable[[str], None],
) -> Farm:
    """Put a farm together; what it holds open ends with the stack."""
    artifacts = await stack.enter_async_context(open_artifacts(settings.state_dir / "artifacts"))
    slicer = slicer_of(settings)
    outside = await stack.enter_async_context(outside_of(settings))
    clock = SystemClock()
    sources = await stack.enter_async_context(
        sources_of(settings, clock=clock, artifacts=artifacts, outside=outside)
    )
    return Farm(
        store=store,
        artifacts=artifacts,
        slicer=slicer,
        workshop=slicer,
        link=link,
        door=door,
        clock=clock,
        ids=ids,
        outside=outside,
        live=Live(traffic=link.counters.traffic),
        disk=disk_of(settings),
        sources=sources,
        tracer=await stack.enter_async_context(tracer_of(settings)),
        pictures=FolderPictures(settings.state_dir / PICTURES),
        poke=poke,
    )


def _apply(farm: Farm, settings: Settings) -> None:
    """Have a farm heed the settings that say how it decides."""
    farm.policy = Policy(
        leases_ahead=settings.leases_ahead,
        approval=settings.approve_jobs,
        approve_generations=settings.approve_generations,
    )
    farm.sources.purse = Purse(day=settings.budget_per_day, user_day=settings.budget_per_user_day)


async def _work(
    settings: Settings,
    asked: asyncio.Event,
    farm: Farm,
    link: MqttLink,
    ticker: Ticker,
    runs: Mapping[str, Coroutine[None, None, None]],
    broker: EmbeddedBroker | None,
    announces: bool,
) -> None:
    """Run all tasks until asked to stop, or until one of them fails."""

    def take(telemetry: Telemetry) -> None:
        farm.live.absorb(telemetry, farm.clock.now())

    async def on_connected() -> None:
        # The broker may have forgotten everything.
        ticker.poke("repeat")

    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(link.run(on_connected, take), name="link"),
            tasks.create_task(_hear(farm, link), name="hearing"),
            tasks.create_task(ticker.run(), name="ticker"),
            *(tasks.create_task(run, name=name) for name, run in runs.items()),
        ]
        if broker is not None:
            running.append(tasks.create_task(broker.supervise(), name="broker"))
        # A new way to people begins with what happens from now on.
        own = ("backup",) if settings.backup_dir else ()
        for name in ("probe", *own, *ways_to_people(settings)):
            ticker.poke(name)
        if announces:
            telling = _tell_neighbours(farm, settings)
            running.append(tasks.create_task(telling, name="neighbours"))
        await asked.wait()
        for task in running:
            task.cancel()


async def _announced(
    settings: Settings,
    link: MqttLink,
    broker: EmbeddedBroker | None,
    api_url: str,
    supervisor: Supervisor,
) -> None:
    """Tell this machine that we are up, and where."""
    mqtt_url = broker.url if broker is not None else str(address_of(settings, None))
    await announce(
        settings.state_dir,
        link,
        api_url=api_url,
        mqtt_url=mqtt_url,
        up=lambda: supervisor.ready(f"serves {api_url}"),
    )


def _automation(
    settings: Settings, gate: Gate, broker: EmbeddedBroker | None, its_id: str
) -> Mapping[str, Coroutine[None, None, None]]:
    """Return what has to run for Home Assistant and other programs."""
    # Late: most farms have none.
    from coordinator.automation_wiring import automation_runs

    return automation_runs(settings, gate, broker, coordinator_id=its_id, version=version())


async def _tell_neighbours(farm: Farm, settings: Settings) -> None:
    """Have slicers on the local network find the farm."""
    # Late: only a farm that others reach needs it, and it takes a tenth of a second.
    from coordinator.adapters import neighbours

    await neighbours.keep_told(farm, host=settings.host, port=settings.port, version=version())


def _bells(
    chosen: ChosenSettings,
    machine: Machine,
    farm: Farm,
    link: MqttLink,
    courier: Courier,
    producer: Producer,
    listener: Listener,
) -> dict[str, Bell]:
    settings = chosen.now
    return {
        "prepare": Bell(lambda: prepare_jobs(farm), every_s=1.0),
        "slice": Bell(lambda: slice_plates(farm), every_s=5.0, hands=settings.slicings_at_once),
        "dispatch": Bell(lambda: dispatch_jobs(farm), every_s=1.0),
        # A slicer may be installed, or taken away, while we run.
        "probe": Bell(farm.slicer.probe, every_s=600.0),
        "outbox": Bell(lambda: flush_outbox(farm), every_s=1.0),
        # What an agent did not take, or a broker lost, is said again now and then.
        "repeat": Bell(lambda: repeat_desired(farm), every_s=600.0),
        "generate": Bell(producer.look, every_s=1.0),
        "listen": Bell(listener.look, every_s=2.0),
        # So that who asks for figures waits for little.
        "statistics": Bell(lambda: play_history(farm), every_s=60.0),
        **outward_bells(chosen, farm, courier),
        **cleaning_bell(chosen, farm),
        **_shared_bells(chosen, farm),
        **backup_bell(chosen, machine, farm, version()),
        "let go": Bell(lambda: let_go(farm), every_s=LET_GO_EVERY_S),
        "updates": Bell(lambda: advance_rollout(farm), every_s=1.0),
        "status": Bell(link.repeat_status, every_s=30.0),
        "memory": Bell(lambda: asyncio.to_thread(resident.give_back), every_s=30.0),
    }


def _shared_bells(chosen: ChosenSettings, farm: Farm) -> dict[str, Bell]:
    """Return the work of a coordinator that may not be the only one; a file has one alone."""
    if not chosen.now.database_url.get_secret_value():
        return {}
    return {
        "overhear": Bell(Overhearing(farm).look, every_s=OVERHEAR_S),
        "settings": Bell(lambda: heed(farm, chosen), every_s=HEED_S),
    }


async def _hear(farm: Farm, link: MqttLink) -> None:
    """Bring what agents say to the store; have them repeat what there was no room for."""
    while True:
        await hear(farm, await link.inbox.take())
        if link.inbox.lacks_something():
            await link.ask_again()


def _asked_to_stop(supervisor: Supervisor) -> asyncio.Event:
    """Return what is set by SIGTERM or SIGINT; from then on the end comes within `STOP_S`."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()

    def stop(name: str) -> None:
        if asked.is_set():
            return
        log.info("coordinator.stopping", signal=name)
        supervisor.stopping()
        asked.set()
        loop.call_later(STOP_S, _give_up)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number.name)
    return asked


def _give_up() -> None:
    """Leave at once: everything that counts is in the database, children die with us."""
    log.error("coordinator.stop_forced", after_s=STOP_S)
    os._exit(1)
