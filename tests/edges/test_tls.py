"""TLS on real sockets: who is believed, and the sentence about who is not."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from agent.errors import FileUnavailable
from agent.files import FileStore
from agent.link import Broker, Link, Listener
from coordinator.adapters.certificates import make_authority
from coordinator.adapters.embedded_broker.broker import (
    BrokerWish,
    EmbeddedBroker,
    embedded_broker,
)
from coordinator.adapters.mqtt_link.address import BrokerAddress
from coordinator.adapters.mqtt_link.link import MqttLink
from coordinator.errors import SettingsInvalid
from coordinator.settings import Settings
from coordinator.tls import Shown, expiry_trouble, shown_by
from coordinator.tls_faults import trouble_in
from protocols.wire.from_agent import Presence
from protocols.wire.to_agent import PlateReference
from protocols.wire.vocabulary import AgentId, JournalId
from tests.fakes.enrolled_agents import credential_of, secret_of
from tests.fakes.made_certificates import Made, certificates

PATIENCE_S = 20.0
CONTENT = b"G28\n"
AGENT = AgentId("pi-1")
PRESENCE = Presence(
    agent_id=AGENT,
    online=True,
    boot_id="boot",
    connection_id="",
    journal_id=JournalId("journal"),
    protocol_min=1,
    protocol_max=1,
)
# What is wrong, and the words that tell what to do.
FAULTS = {
    "other authority": "is from an authority that is not known here: set ca_file",
    "expired": "has expired: make a new one on the coordinator",
    "other name": "is for other names: use one of those",
}


def faulty(folder: Path, fault: str) -> tuple[Made, Path]:
    """Return what a server shows, and the authority that a client believes."""
    shown = certificates(
        folder / "shown",
        *(["elsewhere.example"] if fault == "other name" else []),
        days=-1 if fault == "expired" else 2,
    )
    if fault == "other authority":
        return shown, certificates(folder / "believed").authority
    return shown, shown.authority


@asynccontextmanager
async def mqtts(
    folder: Path, shown: Made, kind: str = "mosquitto"
) -> AsyncIterator[EmbeddedBroker]:
    wish = BrokerWish(
        kind=kind,  # type: ignore[arg-type]
        folder=folder / "broker",
        enrolled=True,
        credentials=[credential_of(AGENT)],
        tls=(shown.certificate, shown.key),
    )
    async with embedded_broker(wish) as broker:
        assert broker.url.startswith("mqtts://127.0.0.1:")
        assert broker.own_url.startswith("mqtt://127.0.0.1:")
        yield broker


def agent_link(broker: EmbeddedBroker, believed: Path, turned: asyncio.Event) -> Link:
    return Link(
        Broker(
            host="127.0.0.1",
            port=int(broker.url.rpartition(":")[2]),
            username=AGENT,
            password=secret_of(AGENT),
            tls=True,
            ca_file=str(believed),
        ),
        PRESENCE,
        Listener(desired=lambda _: None, command=lambda _: None, turned=turned.set),
        reconnect_s_min=0.05,
    )


@asynccontextmanager
async def kept(link: Link) -> AsyncIterator[None]:
    running = asyncio.create_task(link.run())
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@pytest.mark.parametrize("kind", ["mosquitto", "amqtt"])
async def test_an_agent_that_believes_the_authority_is_connected(tmp_path: Path, kind: str) -> None:
    shown, turned = certificates(tmp_path), asyncio.Event()
    async with mqtts(tmp_path, shown, kind) as broker:
        link = agent_link(broker, shown.authority, turned)
        async with kept(link), asyncio.timeout(PATIENCE_S):
            await turned.wait()
            assert link.connected


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_broker_that_is_not_believed_is_told_of_in_a_sentence(
    tmp_path: Path, fault: str
) -> None:
    shown, believed = faulty(tmp_path, fault)
    async with mqtts(tmp_path, shown) as broker:
        with capture_logs() as said:
            async with kept(agent_link(broker, believed, asyncio.Event())):
                await until(lambda: any(each["event"] == "link.lost" for each in said))
        lost = [each for each in said if each["event"] == "link.lost"]
        assert FAULTS[fault] in lost[0]["reason"]
        assert broker.url.rpartition("/")[2] in lost[0]["reason"]


async def test_an_agent_that_is_not_let_in_is_told_to_enrol_again(tmp_path: Path) -> None:
    shown = certificates(tmp_path)
    async with mqtts(tmp_path, shown) as broker:
        await broker.admit([])
        with capture_logs() as said:
            async with kept(agent_link(broker, shown.authority, asyncio.Event())):
                await until(lambda: any(each["event"] == "link.lost" for each in said))
    [lost] = [each for each in said if each["event"] == "link.lost"]
    assert "does not let in pi-1" in lost["reason"]
    assert "`farmhand agent token --for pi-1`" in lost["reason"]


@asynccontextmanager
async def https(shown: Made) -> AsyncIterator[str]:
    """Serve the plate; lend the address."""

    async def plate(_: web.Request) -> web.Response:
        return web.Response(body=CONTENT)

    app = web.Application()
    app.router.add_get("/plate", plate)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    tls = Shown(certificate=shown.certificate, key=shown.key, authority="").context()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


PLATE = PlateReference(
    sha256=hashlib.sha256(CONTENT).hexdigest(), size_bytes=len(CONTENT), url="/plate", name="x"
)


async def test_a_plate_comes_from_a_coordinator_that_is_believed(tmp_path: Path) -> None:
    shown = certificates(tmp_path)
    async with https(shown) as url:
        files = FileStore(
            tmp_path / "plates",
            coordinator_url=url,
            ca_file=shown.authority,
            cache_bytes_max=1000,
        )
        assert (await files.fetch(PLATE)).read_bytes() == CONTENT


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_plate_comes_from_a_coordinator_that_is_not_believed(
    tmp_path: Path, fault: str
) -> None:
    shown, believed = faulty(tmp_path, fault)
    async with https(shown) as url:
        files = FileStore(
            tmp_path / "plates", coordinator_url=url, ca_file=believed, cache_bytes_max=1000
        )
        with pytest.raises(FileUnavailable) as caught:
            await files.fetch(PLATE)
    assert caught.value.retry
    assert FAULTS[fault] in str(caught.value)


async def test_a_coordinator_tells_why_it_does_not_believe_a_broker_elsewhere(
    tmp_path: Path,
) -> None:
    shown = certificates(tmp_path)
    other = certificates(tmp_path / "other")
    async with mqtts(tmp_path, shown) as broker:
        for believed, words in (
            (other.authority, "authority that is not known here: set broker_ca_file"),
            (shown.authority, ""),
        ):
            own = broker.own
            address = BrokerAddress.of(
                broker.url, username=own.username, password=own.password, ca_file=str(believed)
            )
            second = BrokerAddress.of(
                broker.url,
                username=own.telemetry_username,
                password=own.password,
                ca_file=str(believed),
            )
            link = MqttLink(
                address,
                coordinator_id="coordinator-1",
                telemetry_address=second,
                explain=lambda error: trouble_in(error, "the broker", "broker_ca_file"),
            )
            running = asyncio.create_task(link.run(nothing, lambda _: None))
            if words:
                await until(partial(told, link, words))
            else:
                await asyncio.wait_for(link.wait_connected(), PATIENCE_S)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


def told(link: MqttLink, words: str) -> bool:
    return words in link.trouble


async def until(holds: Callable[[], bool]) -> None:
    """Return once it is true: neither a log nor a reason wakes anybody."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)


async def nothing() -> None:
    """Nobody has anything to say again."""


def test_a_server_without_tls_is_told_from_one_that_is_not_believed() -> None:
    error = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
    error.reason = "WRONG_VERSION_NUMBER"
    assert "does not speak TLS" in trouble_in(error, "farm.local:1883", "ca_file")
    assert trouble_in(OSError("no route"), "farm.local:1883", "ca_file") == ""


def test_a_certificate_that_ends_soon_or_has_ended_is_told_in_time(tmp_path: Path) -> None:
    for days, word in ((-1, "has expired"), (20, "expires soon"), (60, "")):
        made = certificates(tmp_path / str(days), days=days)
        shown = Shown(certificate=made.certificate, key=made.key, authority="")
        told = expiry_trouble(shown, datetime.now(UTC))
        assert word in told
        assert bool(told) == bool(word)


def test_a_certificate_that_is_made_first_leaves_no_folder_open_to_others(tmp_path: Path) -> None:
    state = tmp_path / "state"
    authority = state / "tls" / "authority.pem"
    make_authority(authority, authority.with_suffix(".key"), now=datetime.now(UTC))
    assert {folder.stat().st_mode & 0o777 for folder in (state, state / "tls")} == {0o700}


def test_files_that_do_not_belong_together_are_refused_with_what_to_do(tmp_path: Path) -> None:
    one, other = certificates(tmp_path / "one"), certificates(tmp_path / "other")
    settings = Settings(
        state_dir=tmp_path,
        tls_certificate_file=str(one.certificate),
        tls_key_file=str(other.key),
        tls_ca_file=str(one.authority),
    )
    shown = shown_by(settings)
    assert shown is not None
    with pytest.raises(SettingsInvalid, match="farmhand tls make"):
        shown.context()
    wrong = settings.model_copy(update={"tls_ca_file": str(one.key)})
    with pytest.raises(SettingsInvalid, match="must hold one certificate"):
        shown_by(wrong)
    assert shown_by(Settings(state_dir=tmp_path)) is None
