"""Notices to phones by a stand-in for ntfy; and a whole coordinator that sends them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from coordinator.adapters.outbound.guarded_http import GuardedHttp, guarded_http
from coordinator.adapters.outbound.reach import Reach, reach_of
from coordinator.adapters.people.ntfy import Ntfy
from coordinator.domain.notices import Notice
from coordinator.errors import Unavailable
from tests.edges.test_coordinator_process import person_at, running
from tests.edges.test_notices_by_mail import Box, smtp_server
from tests.fakes.http_target import http_target, status
from tests.fakes.ntfy_server import NtfyServer, ntfy_server

NOTICE = Notice(key="7-abc", title="Größe: clear the bed", text="a\nb", urgent=False)


@pytest.fixture
async def server() -> AsyncIterator[NtfyServer]:
    async with ntfy_server() as served:
        yield served


@pytest.fixture
async def outside() -> AsyncIterator[GuardedHttp]:
    async with guarded_http(reach_of("127.0.0.0/8")) as way:
        yield way


async def test_a_notice_reaches_who_listens(server: NtfyServer, outside: GuardedHttp) -> None:
    await Ntfy(outside, url=f"{server.url}/farm-1").send(NOTICE)
    urgent = Notice(key="8", title="lost", text="x" * 9000, urgent=True)
    await Ntfy(outside, url=f"{server.url}/farm-1").send(urgent)
    first, second = await server.read("farm-1")
    assert (first["title"], first["message"]) == ("Farmhand: Größe: clear the bed", "a\nb")
    assert first["priority"] == 3
    assert second["priority"] == 4
    assert await server.read("farm-2") == []


async def test_a_topic_may_want_a_token(server: NtfyServer, outside: GuardedHttp) -> None:
    server.tokens["farm"] = "tk_word"
    with pytest.raises(Unavailable, match="ntfy answered 403"):
        await Ntfy(outside, url=f"{server.url}/farm", token="tk_other").send(NOTICE)
    await Ntfy(outside, url=f"{server.url}/farm", token="tk_word").send(NOTICE)
    assert len(await server.read("farm")) == 1


async def test_what_it_does_not_take_is_told(server: NtfyServer, outside: GuardedHttp) -> None:
    way = Ntfy(outside, url=f"{server.url}/farm")
    server.room = 1
    await way.send(NOTICE)
    with pytest.raises(Unavailable, match="429"):
        await way.send(NOTICE)
    server.room, server.down = None, True
    with pytest.raises(Unavailable, match="500"):
        await way.send(NOTICE)
    server.down = False
    await way.send(NOTICE)
    assert len(await server.read("farm")) == 2


async def test_it_goes_through_the_same_door_as_webhooks(server: NtfyServer) -> None:
    async with guarded_http(Reach()) as outside:
        with pytest.raises(Unavailable, match="outbound_networks"):
            await Ntfy(outside, url=f"{server.url}/farm").send(NOTICE)


@pytest.mark.parametrize("url", ["https://ntfy.sh/", "https://ntfy.sh", "ntfy.sh/farm", "x"])
async def test_what_names_no_topic_is_refused(outside: GuardedHttp, url: str) -> None:
    with pytest.raises(ValueError, match="TOPIC"):
        Ntfy(outside, url=url)


async def test_a_coordinator_tells_people_by_mail_and_by_phone(
    tmp_path: Path, server: NtfyServer
) -> None:
    box = Box()
    async with smtp_server(box) as port:
        flags = (
            "--outbound-networks=127.0.0.0/8",
            "--notices-gather-s=0",
            f"--smtp-url=smtp://127.0.0.1:{port}",
            "--mail-from=farm@example.com",
            "--mail-to=anna@example.com",
            f"--ntfy-url={server.url}/farm",
        )
        async with (
            asyncio.timeout(60),
            http_target(status(410)) as gone,
            running(tmp_path, *flags) as farm,
            person_at(farm) as person,
        ):
            async with person.post("/api/v1/webhooks", json={"url": gone.url}) as answer:
                assert answer.status == 201
            form = aiohttp.FormData()
            form.add_field("file", b"G28\nG1 X10 E1\n", filename="cube.gcode")
            async with person.post("/api/v1/jobs", data=form) as answer:
                assert answer.status == 201
            await asyncio.gather(box.arrived.wait(), server.arrived.wait())
    assert "was disabled: it answered 410" in box.mails[0]["Subject"]
    assert "was disabled" in server.topics["farm"][0]["title"]
