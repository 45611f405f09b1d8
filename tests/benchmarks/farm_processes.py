"""A coordinator and a fleet of simulated agents as processes, and what they are seen doing."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import aiohttp

from tests.fakes.processes import Coordinator, environment

LOOK_S = 0.05
# HTTP requests at once, as a few people and scripts would make them.
AT_ONCE = 8
PLATE = b"G28\nG1 X10 F600\n"


class TooSlow(Exception):
    """Something did not happen in the time that is given to it."""


class Fleet:
    """What simulated agents said that they did, in the order they did it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Take a process of `farm_fleet`, and read what it tells until it ends."""
        self._process = process
        self._told: dict[str, list[tuple[str, float]]] = defaultdict(list)
        self._news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            what, name, at_s = line.split()
            with self._news:
                self._told[what].append((name, float(at_s)))
                self._news.notify_all()

    def forget(self) -> None:
        """Begin anew with what is told."""
        with self._news:
            self._told.clear()

    async def until(
        self, what: str, holds: Callable[[list[tuple[str, float]]], bool], seconds_max: float
    ) -> list[tuple[str, float]]:
        """Return all that was told of a kind, id and second, once it is enough.

        Raises:
            TooSlow: it never was.
        """

        def wait() -> list[tuple[str, float]]:
            with self._news:
                if not self._news.wait_for(lambda: holds(self._told[what]), seconds_max):
                    raise TooSlow(f"{len(self._told[what])} {what} in {seconds_max:.0f} s")
                return list(self._told[what])

        return await asyncio.to_thread(wait)

    async def count(self, what: str, wanted: int, seconds_max: float) -> list[tuple[str, float]]:
        """Return the first so many that were told of a kind; as `until`."""
        told = await self.until(what, lambda some: len(some) >= wanted, seconds_max)
        return told[:wanted]


@contextmanager
def fleet(port: int, agents: int, print_s: float, log: Path) -> Iterator[Fleet]:
    """Let agents live for the length of the block; `print_s` of 0 means that no print ends."""
    with log.open("wb") as words:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.benchmarks.farm_fleet", str(port)),
                *("--agents", str(agents), "--print-s", str(print_s)),
            ],
            stdout=subprocess.PIPE,
            stderr=words,
            text=True,
            env=environment(),
        )
    try:
        yield Fleet(process)
    finally:
        process.kill()
        process.wait()


def broker_port(coordinator: Coordinator) -> int:
    """Return where its broker listens."""
    return int(str(coordinator.facts["mqtt_url"]).rpartition(":")[2])


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process so far, in ticks of 10 ms."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Return the memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Stored:
    """The coordinator's database, looked at from outside, which costs the coordinator nothing."""

    def __init__(self, folder: Path) -> None:
        """Take the coordinator's folder."""
        self._url = f"file:{folder / 'farm.sqlite3'}?mode=ro"

    def count(self, table: str, condition: str = "1") -> int:
        """Return how many rows there are."""
        with closing(sqlite3.connect(self._url, uri=True)) as connection:
            [found] = connection.execute(f"SELECT count(*) FROM {table} WHERE {condition}")
        return int(found[0])

    async def until(self, holds: Callable[["Stored"], bool], what: str, seconds_max: float) -> None:
        """Return as soon as something holds.

        Raises:
            TooSlow: it never did.
        """
        ends_s = asyncio.get_running_loop().time() + seconds_max
        while not await asyncio.to_thread(holds, self):
            if asyncio.get_running_loop().time() > ends_s:
                raise TooSlow(f"waited {seconds_max:.0f} s for {what}")
            await asyncio.sleep(LOOK_S)

    async def until_arrived(self, agents: int, seconds_max: float) -> None:
        """Return once so many agents are on line, and all that was to be said to them was."""

        def arrived(stored: Stored) -> bool:
            idle = "online AND seen != 'offline'"
            return stored.count("printers", idle) >= agents and stored.count("outbox") == 0

        await self.until(arrived, f"{agents} agents to arrive", seconds_max)


class Api:
    """The HTTP API, as people and scripts use it."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        """Take a session with address and token."""
        self._session = session
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def order(self, copies: int = 1, **fields: str) -> str:
        """Order copies of a plate; return the job's id."""
        form = aiohttp.FormData()
        form.add_field("file", PLATE, filename="part.gcode")
        for name, value in {"copies": str(copies), **fields}.items():
            form.add_field(name, value)
        async with (
            self._turn,
            self._session.post("/api/v1/jobs", data=form) as response,
        ):
            response.raise_for_status()
            return str((await response.json())["id"])

    async def clear(self, printer_id: str) -> None:
        """Declare a bed clear."""
        url = f"/api/v1/printers/{printer_id}/clear"
        async with self._turn, self._session.post(url) as response:
            response.raise_for_status()

    async def change(self, printer_id: str, **fields: object) -> None:
        """Say what a printer is to people."""
        url = f"/api/v1/printers/{printer_id}"
        async with self._turn, self._session.patch(url, json=fields) as response:
            response.raise_for_status()

    async def clear_all(self, printers: int) -> None:
        """Declare the beds of the first so many printers of a fleet clear."""
        numbers = range(printers)
        await asyncio.gather(*(self.clear(f"printer-{number:05d}") for number in numbers))


@asynccontextmanager
async def api_of(coordinator: Coordinator) -> AsyncIterator[Api]:
    """Lend the API of a coordinator."""
    headers = {"Authorization": f"Bearer {coordinator.token}"}
    patience = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(
        base_url=coordinator.url, headers=headers, timeout=patience
    ) as session:
        yield Api(session)
