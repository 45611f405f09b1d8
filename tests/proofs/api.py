"""Prove that the API is what its document says, whatever is asked.

Usage: ./farmhand prove api [--examples N] [--seed N]

A farm behind its real API, its real use cases and a real SQLite file; only slicer, link and files
are fakes. schemathesis asks every route of the document, with what it may be asked and with what it
may not: first with the ids of what there is (printers, jobs, a model, a spool ...), then with any.
A server error, or an answer that is not told of, is a failure. Live connections, which do not end,
are left out; the tests of the API hold those.
"""

import argparse
import asyncio
import copy
import json
import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler, Middleware

from coordinator.adapters.db.store import open_store
from coordinator.usecases import photographing
from protocols.wire.from_agent import CommandResult
from protocols.wire.to_agent import Command
from tests.fakes.api_judge import document, judge
from tests.fakes.fake_farm import order_gcode
from tests.fakes.pictures import PNG
from tests.fakes.served_farm import AGENT, TOKEN, ServedFarm

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "ignored_auth",
)
ENDLESS = ("/api/v1/live", "/api/v1/live/events")
EXAMPLES = 100
PHASES = "examples,coverage,fuzzing"

MADE: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "project_id": ("projects", {"name": "brackets"}),
    "model_id": ("models", {"name": "hook"}),
    "spool_id": ("spools", {"material": "PLA", "weight_g": 1000.0}),
    "task_id": ("maintenance", {"name": "grease", "printer_id": "p1", "every_days": 30.0}),
    "webhook_id": ("webhooks", {"url": "https://example.org/farm"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Whom to ask, and how much."""

    url: str
    examples: int
    seed: int
    phases: str


async def prove(
    folder: Path, *, examples: int, seed: int, phases: str = PHASES, known_only: bool = False
) -> int:
    """Ask everything; returns 0 where nothing was other than told.

    Args:
        examples: of each route, and each phase of schemathesis.
        known_only: ask only about what there is.
    """
    # What is refused is refused a thousand times.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    untold: list[str] = []
    async with open_store(folder / "farm.sqlite3") as store:
        farm = ServedFarm(folder, store=store)  # type: ignore[arg-type]
        farm.link.answer = _answering(farm)
        farm.app.middlewares.insert(0, judge(untold))
        farm.app.middlewares.insert(0, _unhurried(farm))
        await farm.printers_arrive("p1", "p2", "p3")
        jobs = [await order_gcode(farm.farm) for _ in range(3)]
        known: dict[str, list[str]] = {
            "printer_id": ["p1", "p2", "p3"],
            "job_id": [job.job_id for job in jobs],
        }
        server = TestServer(farm.app)
        await server.start_server()
        try:
            url = str(server.make_url("/"))
            known |= await _made(url)
            told = [_about(document(), known)]
            if not known_only:
                told.append(_without_endless(document()))
            wish = Wish(url=url, examples=examples, seed=seed, phases=phases)
            codes = [await _ask(folder, each, wish) for each in told]
        finally:
            await server.close()
    for complaint in sorted(set(untold)):
        sys.stdout.write(f"not told of: {complaint}\n")
    return int(any(codes) or bool(untold))


async def _made(url: str) -> dict[str, list[str]]:
    """Make one of each thing; return its id, by the name that addresses have for it."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    found = {}
    async with aiohttp.ClientSession(base_url=url, headers=headers) as session:
        for name, (path, form) in MADE.items():
            async with session.post(f"/api/v1/{path}", json=form) as answer:
                answer.raise_for_status()
                found[name] = [str((await answer.json())["id"])]
    return found


def _unhurried(farm: ServedFarm) -> Middleware:
    """Return what lets time pass between questions, so that nobody asks too often."""

    @web.middleware
    async def wait(request: web.Request, handler: Handler) -> web.StreamResponse:
        farm.clock.advance(10)
        return await handler(request)

    return wait


def _answering(farm: ServedFarm) -> Any:
    """Return an agent that does what it is told, at once."""

    async def answer(command: Command) -> None:
        if command.name == photographing.COMMAND and command.printer_id is not None:
            await photographing.keep(farm.farm, AGENT, command.printer_id, PNG, None)
        if command.name == "add_printer":
            # The agent presents itself anew with it, which is waited for.
            known = [each.printer_id for each in farm.presence.printers]
            await farm.printers_arrive(*known, str(command.arguments["id"]))
        farm.farm.live.answer(CommandResult(id=command.id, agent_id=AGENT, ok=True, message="ok"))

    return answer


def _without_endless(told: dict[str, Any]) -> dict[str, Any]:
    """Return the document without what does not end, and what it does not tell of yet."""
    paths = {}
    for path, each in told["paths"].items():
        known = {name: each[name] for name in each if "default" not in each[name]["responses"]}
        if known and path not in ENDLESS:
            paths[path] = known
    return {**told, "paths": paths}


def _about(told: dict[str, Any], known: dict[str, list[str]]) -> dict[str, Any]:
    """Return the document, with what there is as the only ids."""
    narrowed = copy.deepcopy(_without_endless(told))
    for path in narrowed["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                # What a list is narrowed to need not be there; what an address names does.
                if parameter["in"] == "path" and parameter["name"] in known:
                    parameter["schema"] = {"type": "string", "enum": known[parameter["name"]]}
    return narrowed


async def _ask(folder: Path, told: dict[str, Any], wish: Wish) -> int:
    file = folder / "openapi.json"
    await asyncio.to_thread(file.write_text, json.dumps(told))
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"),
        *("run", str(file), "--url", wish.url, "--header", f"Authorization: Bearer {TOKEN}"),
        *(
            "--checks",
            ",".join(CHECKS),
            "--max-examples",
            str(wish.examples),
            "--seed",
            str(wish.seed),
        ),
        *("--phases", wish.phases, "--continue-on-failure", "--warnings", "off"),
        *("--suppress-health-check", "all", "--no-shrink"),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    words, _ = await process.communicate()
    sys.stdout.write(words.decode("utf-8", "replace"))
    assert process.returncode is not None
    return process.returncode


def main(argv: Sequence[str]) -> int:
    """Run the proof; returns 0 where nothing failed."""
    parser = argparse.ArgumentParser(prog="farmhand prove api", description=__doc__)
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="a route (100)")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args(argv)
    with TemporaryDirectory(prefix="farmhand-api-") as folder:
        return asyncio.run(prove(Path(folder), examples=wanted.examples, seed=wanted.seed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
