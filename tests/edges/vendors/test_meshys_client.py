"""The stand-in for Meshy, judged by Meshy's own client, from the npm registry.

It is a program that offers Meshy's routes as tools (Model Context Protocol: JSON, a line each, on
standard input and output), and can be told where Meshy is. What it asks has to be taken, and it has
to understand all that is answered.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.installing import modules
from tests.fakes.fake_meshy import FakeMeshy
from tests.fakes.paid_service import STL, Trouble, served

pytestmark = pytest.mark.slow

LOCK = Path(__file__).parent / "meshy" / "package-lock.json"
CLIENT = "@meshy-ai/meshy-mcp-server/dist/index.js"
WITHIN_S = 60.0
LINE_BYTES_MAX = 4 * 1024 * 1024


class Client:
    """Meshy's client, as a process that is asked for one thing after the other."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process, self._number = process, 0

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        await self.say(method, params, id=self._number)
        assert self._process.stdout is not None
        while True:
            line = await asyncio.wait_for(self._process.stdout.readline(), WITHIN_S)
            assert line, "it ended"
            said: dict[str, Any] = json.loads(line)
            if said.get("id") == self._number:
                assert "error" not in said, said
                result: dict[str, Any] = said["result"]
                return result

    async def say(self, method: str, params: dict[str, Any], **more: Any) -> None:
        assert self._process.stdin is not None
        said = {"jsonrpc": "2.0", "method": method, "params": params, **more}
        self._process.stdin.write(json.dumps(said).encode() + b"\n")
        await self._process.stdin.drain()

    async def use(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return what a tool found."""
        told = await self.ask("tools/call", name=f"meshy_{tool}", arguments=arguments)
        assert not told.get("isError"), told
        found: dict[str, Any] = told["structuredContent"]
        return found

    async def refused(self, tool: str, **arguments: Any) -> str:
        """Return how a tool tells that it was refused."""
        told = await self.ask("tools/call", name=f"meshy_{tool}", arguments=arguments)
        assert told["isError"], told
        return str(told["content"][0]["text"])

    async def ended(self, task_id: str, family: str) -> tuple[list[str], dict[str, Any]]:
        """Look until a task has ended; return the words for its states, and the last look."""
        words: list[str] = []
        while True:
            look = await self.use("get_task_status", task_id=task_id, task_type=family, wait=False)
            words.append(look["status"])
            if look["status"] not in ("PENDING", "IN_PROGRESS"):
                return words, look


@asynccontextmanager
async def client_of(service: FakeMeshy, folder: Path) -> AsyncIterator[Client]:
    """Start Meshy's client before a stand-in: it begins by asking whether its key is good."""
    node, packages = await asyncio.to_thread(modules, LOCK)
    own = {"MESHY_API_HOST": service.url, "MESHY_API_KEY": service.key, "NO_PROXY": "127.0.0.1"}
    process = await asyncio.create_subprocess_exec(
        node, packages / CLIENT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        limit=LINE_BYTES_MAX, cwd=folder, env={**os.environ, **own},
    )  # fmt: skip
    try:
        client = Client(process)
        about = {"name": "tests", "version": "0"}
        await client.ask(
            "initialize", protocolVersion="2024-11-05", capabilities={}, clientInfo=about
        )
        await client.say("notifications/initialized", {})
        yield client
    finally:
        process.kill()
        await process.wait()


async def test_meshys_own_client_takes_the_stand_in_for_meshy(tmp_path: Path) -> None:
    picture, mesh = tmp_path / "hook.png", tmp_path / "hook.stl"
    picture.write_bytes(b"PNG")
    async with served(FakeMeshy()) as service, client_of(service, tmp_path) as client:
        service.now_ms = 1_900_000_000_000
        assert await client.use("check_balance") == {"balance": 1000}
        made = await client.use("text_to_3d", prompt="a hook", target_formats=["stl"])
        hook = made["task_id"]
        assert "preview task is not finished" in await client.refused(
            "text_to_3d_refine", preview_task_id=hook
        )
        words, look = await client.ended(hook, "text-to-3d")
        assert words == ["PENDING", "PENDING", "IN_PROGRESS", "SUCCEEDED"]
        assert (look["progress"], look["consumed_credits"]) == (100, 20)
        assert look["model_urls"].keys() == {"stl"}
        saved = await client.use("download_model", task_id=hook, format="stl", save_to=str(mesh))
        assert (mesh.read_bytes(), saved["format"]) == (STL, "stl")

        shown = await client.use("image_to_3d", file_path=str(picture), target_formats=["3mf"])
        assert service.tasks[shown["task_id"]].asked["image_url"] == "data:image/png;base64,UE5H"
        both = await client.use("multi_image_to_3d", file_paths=[str(picture)] * 2)
        thinner = await client.use("remesh", input_task_id=hook, target_polycount=5000)
        mended = await client.use("repair_printability", input_task_id=hook)
        for task, family, price in (
            (shown, "image-to-3d", 30),
            (both, "multi-image-to-3d", 30),
            (thinner, "remesh", 5),
            (mended, "print-repair", 10),
        ):
            _, look = await client.ended(task["task_id"], family)
            assert (look["status"], look["consumed_credits"]) == ("SUCCEEDED", price)
        looked = await client.use("analyze_printability", input_task_id=hook)
        # Once it is there, this tool reads all of the report.
        service.finish()
        found = await client.use(
            "get_task_status", task_id=looked["task_id"], task_type="print-analyze"
        )
        assert found["printability"]["metrics"]["holes"] == 2
        listed = await client.use("list_tasks", task_type="text-to-3d")
        assert [(each["id"], each["name"]) for each in listed["tasks"]] == [(hook, "a hook")]


async def test_meshys_own_client_reads_its_refusals(tmp_path: Path) -> None:
    async with served(FakeMeshy()) as service, client_of(service, tmp_path) as client:
        first = await client.use("text_to_3d", prompt="a hook")
        await client.use("cancel_task", task_id=first["task_id"])
        assert len(service.till.refunds) == 1
        second = await client.use("text_to_3d", prompt="a hook")
        service.tasks[second["task_id"]].at = 1
        assert "409" in await client.refused("cancel_task", task_id=second["task_id"])
        service.fail(type="invalid_input", code="moderation_blocked")
        _, look = await client.ended(second["task_id"], "text-to-3d")
        assert (look["status"], look["consumed_credits"]) == ("FAILED", 0)
        assert look["error_code"] == "moderation_blocked"
        assert "not found" in await client.refused("get_task_status", task_id="task-9", wait=False)
        service.balance = Decimal(5)
        assert "402" in await client.refused("text_to_3d", prompt="a hook")
        service.misbehave("balance", Trouble(status=403))
        assert "Permission denied" in await client.refused("check_balance")
