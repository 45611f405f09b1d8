"""Prove that nothing is paid twice: a coordinator's work on generations, killed (-9) at every step.

Usage: ./farmhand prove generations [--runs N] [--seed S]

Each run has a database, a store of files and a till of its own on the disk. Processes work on the
same generations one after the other: each is killed where its fuse burns down, which may be before
or after any commit, any call to the provider, any charge, any file; some answers are lost besides.
Nobody but the till knows what was charged. In the end a person settles what is unsure by the till's
list, and everything goes on without kills. Then the till must show no call twice, no more than the
budget, and no more than the ledger says; every generation must have ended, with one version and one
job where it is done.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

from coordinator.adapters.clock import SystemClock, TimeSortedIds
from coordinator.adapters.db.store import open_store
from coordinator.adapters.storage.obstore_artifacts import open_artifacts
from coordinator.domain.generations import ENDED, Asked, Generation, GenerationState, Printing
from coordinator.domain.ledger import Budget
from coordinator.domain.providing import Again, Blame, Kind, Look, ProviderFault, Submitted, Wish
from coordinator.ports_generations import GenerationsWanted
from coordinator.ports_providers import Told
from coordinator.usecases import generating
from coordinator.usecases.farm import Farm
from coordinator.usecases.generating import Settlement, Wanted
from coordinator.usecases.producing import Producer
from coordinator.usecases.sources import Source, Sources
from tests.fakes.fake_slicer import FakeSlicer
from tests.fakes.fake_workshop import FakeWorkshop
from tests.fakes.recording_link import RecordingLink
from tests.fakes.scripted_provider import PRICE, ScriptedProvider, Service, Task, offering

WANTED = 4
# One of them can't be paid.
BUDGET = PRICE * 3
KILLS_MAX = 5
FUSE_MAX = 60
LIFE_S_MAX = 60.0
KINDS = (Again.NEVER, Again.LISTED, Again.SAME_KEY)


class Fuse:
    """Ends this process, hard, at the n-th moment that it could happen."""

    def __init__(self, length: int | None) -> None:
        self.left = length

    def burn(self) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Till(Service):
    """The vendor's books, on disk: a line is there as soon as it is written."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        path.touch()
        for line in path.read_text().splitlines():
            task = Task(**json.loads(line), looks=[])
            self.tasks[task.task_id] = task

    def charge(self, key: str, prompt: str, looks: Sequence[Look]) -> Task:
        task = super().charge(key, prompt, looks)
        line = json.dumps({"task_id": task.task_id, "key": key, "prompt": prompt}) + "\n"
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        os.write(handle, line.encode())
        os.close(handle)
        return task


@dataclass
class Perilous(ScriptedProvider):
    """The scripted provider, near whose every call one may die."""

    fuse: Fuse = field(default_factory=lambda: Fuse(None))

    async def submit(self, wish: Wish, key: str, told: Told) -> Submitted:
        self.fuse.burn()
        try:
            return await super().submit(wish, key, told)
        finally:
            self.fuse.burn()

    async def look(self, handle: Any) -> Look:
        self.fuse.burn()
        return await super().look(handle)

    async def fetch(self, piece: Any, sink: Any) -> None:
        self.fuse.burn()
        await super().fetch(piece, sink)
        self.fuse.burn()


class PerilousStore:
    """A store, near whose every commit one may die."""

    def __init__(self, store: Any, fuse: Fuse) -> None:
        self._store, self._fuse = store, fuse

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        self._fuse.burn()
        async with self._store.write() as unit:
            yield unit
            self._fuse.burn()
        self._fuse.burn()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@dataclass(frozen=True)
class Life:
    """What one process does: where it dies, and what its provider does to it."""

    again: Again
    fuse: int | None = None
    loses: int = 0
    settles: bool = False


@asynccontextmanager
async def farm_of(folder: Path, life: Life) -> AsyncIterator[tuple[Farm, Till]]:
    fuse, till = Fuse(life.fuse), Till(folder / "till")
    provider = Perilous(
        service=till,
        offer=offering(again=life.again, look_every_s=0.0, at_once_max=2),
        after=[ProviderFault(Blame.SUBMIT_UNSURE, "reset", "the answer was lost")] * life.loses,
        fuse=fuse,
    )
    source = Source(name="mesh", provider=provider, budget=Budget(day=BUDGET))
    async with (
        open_store(folder / "farm.sqlite3") as store,
        open_artifacts(folder / "artifacts") as artifacts,
    ):
        farm = Farm(
            store=PerilousStore(store, fuse),  # type: ignore[arg-type]
            artifacts=artifacts,
            slicer=FakeSlicer(),
            workshop=FakeWorkshop(),
            link=RecordingLink(),
            clock=SystemClock(),
            ids=TimeSortedIds(),
            sources=Sources([source]),
        )
        yield farm, till


async def live(folder: Path, life: Life) -> None:
    """Be one process: ask for what was not asked for yet, and work until nothing is left to do."""
    async with farm_of(folder, life) as (farm, till):
        await ask_for_all(farm)
        if life.settles:
            await settle_all(farm, till)
        producer = Producer(farm, "worker")
        await producer.take_up()
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(producer.run())
            await asyncio.sleep(0)
            while True:
                await producer.look()
                await producer.rested()
                if not await any_due(farm):
                    break
                await asyncio.sleep(0.01)  # back-offs are a real clock's
            running.cancel()


async def ask_for_all(farm: Farm) -> None:
    async with farm.store.read() as unit:
        known = {each.generation_id for each in await unit.generations_page(ALL, **PAGE)}
    for number in range(WANTED):
        if (its_id := f"gen-{number}") not in known:
            asked = Asked(kind=Kind.TEXT, name=f"hook {number}", prompt=f"hook {number}")
            printed = replace(asked, printing=Printing(copies=2))
            wanted = Wanted(provider="mesh", asked=printed, actor="user:anna", generation_id=its_id)
            await generating.want(farm, wanted)


async def settle_all(farm: Farm, till: Till) -> None:
    """Be the person who looks at the vendor's list."""
    for each in await all_of(farm):
        if each.state is not GenerationState.UNSURE:
            continue
        found = [task.task_id for task in till.tasks.values() if task.key == each.key]
        how = Settlement.HAPPENED if found else Settlement.NEVER
        await generating.settle(
            farm, each.generation_id, how, "user:boss", task_id="".join(found[:1])
        )


ALL = GenerationsWanted()
PAGE: dict[str, Any] = {"after": None, "limit": 100}


async def all_of(farm: Farm) -> list[Generation]:
    async with farm.store.read() as unit:
        return await unit.generations_page(ALL, **PAGE)


async def any_due(farm: Farm) -> bool:
    """Whether something happens by itself, and soon."""
    soon = farm.clock.now().timestamp() + 2.0
    return any(
        each.next_at is not None and each.next_at.timestamp() < soon for each in await all_of(farm)
    )


async def faults_of(folder: Path, again: Again) -> list[str]:
    """Return what is wrong, by the till, the ledger and the farm's own tables."""
    found: list[str] = []
    async with farm_of(folder, Life(again)) as (farm, till):
        charged = Counter(task.key for task in till.tasks.values())
        found += [f"{key} was charged {n} times" for key, n in charged.items() if n > 1]
        owners = Counter(key.rpartition("-")[0] for key in charged)
        found += [f"{key} was paid {n} times" for key, n in owners.items() if n > 1]
        if till.till > BUDGET:
            found.append(f"{till.till} were charged, and {BUDGET} may be spent")
        async with farm.store.read() as unit:
            day = farm.clock.now().date()
            spent = await unit.spent(day, unit="USD")
            jobs = Counter(job.name for job in await unit.jobs())
        if spent < till.till or spent > BUDGET:
            found.append(f"the ledger says {spent}, the till {till.till}")
        for each in await all_of(farm):
            if each.state not in ENDED:
                found.append(f"{each.generation_id} has not ended: {each.state.value}")
            done = each.state is GenerationState.DONE
            if done and (len(each.versions) != 1 or jobs[each.asked.name] != 1):
                found.append(f"{each.generation_id}: versions {each.versions}, jobs {jobs}")
            if done != (owners[each.generation_id] == 1):
                found.append(f"{each.generation_id} is {each.state.value}, paid {owners}")
    return found


def in_a_process(work: Callable[[], Awaitable[object]]) -> int:
    """Do something in a process of its own; return how that ended, negative for a signal."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
            asyncio.run(asyncio.wait_for(work(), LIFE_S_MAX))  # type: ignore[arg-type]
            code = 0
        except BaseException as error:
            sys.stderr.write(f"{error!r}\n")
        os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def run_once(template: Path, folder: Path, chance: random.Random, again: Again) -> tuple[int, str]:
    """Live one farm's life; return how often it was killed, and what is wrong, else nothing."""
    shutil.copytree(template, folder)
    kills = 0
    for _ in range(KILLS_MAX):
        life = Life(again, fuse=chance.randint(1, FUSE_MAX), loses=chance.choice((0, 0, 1)))
        code = in_a_process(lambda life=life: live(folder, life))  # type: ignore[misc]
        if code not in (0, -signal.SIGKILL):
            return kills, f"a process ended with {code}"
        kills += code != 0
    for settles in (False, True, True):
        if in_a_process(lambda s=settles: live(folder, Life(again, settles=s))):  # type: ignore[misc]
            return kills, "a process without kills failed"
    found = asyncio.run(faults_of(folder, again))
    return kills, "; ".join(found)


async def _make_template(folder: Path) -> None:
    async with farm_of(folder, Life(Again.NEVER)):
        pass


def prove(runs: int, seed: int) -> int:
    """Prove it; return how many runs had something wrong."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    began_s, kills, wrong = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory() as name:
        template = Path(name) / "template"
        template.mkdir()
        in_a_process(lambda: _make_template(template))
        for number in range(runs):
            folder = Path(name) / f"run-{number}"
            again = KINDS[number % len(KINDS)]
            killed, words = run_once(template, folder, random.Random(seed + number), again)
            kills += killed
            if words:
                wrong += 1
                sys.stdout.write(f"seed {seed + number} ({again.value}): {words}\n")
            shutil.rmtree(folder)
    elapsed_s = time.monotonic() - began_s
    sys.stdout.write(
        f"{runs} runs of {WANTED} generations, {kills} kills, {wrong} with something wrong; "
        f"{elapsed_s:.0f} s\n"
    )
    return wrong


def main() -> int:
    """Run the proof; 0 where nothing was wrong."""
    parser = argparse.ArgumentParser(prog="farmhand prove generations", description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    return 1 if prove(given.runs, given.seed) else 0


if __name__ == "__main__":
    sys.exit(main())
