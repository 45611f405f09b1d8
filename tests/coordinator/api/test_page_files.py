"""The page's files are those that lie there now, also under a coordinator that runs on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from coordinator.api.page import kept


@asynccontextmanager
async def asking(index: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """Serve one file as the page is served; lend a session that asks for it."""
    app = web.Application()
    app.router.add_get("/", kept(lambda: index, "text/html"))
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession(base_url=server.make_url("/")) as session,
    ):
        yield session


@pytest.fixture
def index(tmp_path: Path) -> Path:
    path = tmp_path / "index.html"
    path.write_text("the first page")
    return path


async def test_a_page_that_was_built_anew_is_served_without_a_restart(index: Path) -> None:
    async with asking(index) as session:
        async with session.get("/") as answer:
            first, etag = await answer.text(), answer.headers["ETag"]
        async with session.get("/", headers={"If-None-Match": etag}) as answer:
            assert answer.status == 304

        await asyncio.to_thread(index.write_text, "the second page")
        async with session.get("/", headers={"If-None-Match": etag}) as answer:
            assert (first, await answer.text()) == ("the first page", "the second page")
            assert answer.headers["ETag"] != etag


async def test_in_the_midst_of_a_build_the_page_before_is_served(index: Path) -> None:
    async with asking(index) as session:
        await asyncio.to_thread(index.unlink)
        async with session.get("/") as answer:
            assert await answer.text() == "the first page"
