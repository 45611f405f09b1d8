"""Prove that nothing is paid twice: a coordinator's work on generations, killed (-9) at every step.

Usage: ./farmhand prove generations [--runs N] [--seed S]

Each run has a database, a store of files and a till of its own on the disk. Processes work on the
same generations one after the other: each is killed where its fuse burns down, which may be around
any commit, any call to the provider, any charge. Its provider answers late, with 429 and 5xx, drops
answers before and after it made the task, loses tasks, tells of them by webhooks that repeat, come
late or are forged; people cancel; calls hang until another worker took them over. Waits are leapt
over. Nobody but the till knows what was charged.

In the end a person settles what is unsure by the till's list, and all goes on without kills and
faults. Then the till must show no call twice (but of providers where that is agreed), no more than
the budget, and no more than the ledger says; every generation must have ended, with one version and
one job where it is done; and what was paid for must be there, unless the vendor spoilt it. A whole
proof has also to have died at every moment and made every move that there is.
"""

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import structlog

from coordinator.domain.generations import ENDED, Generation, GenerationState
from coordinator.domain.providing import Again
from tests.proofs.generations_farm import IN_VAIN, KINDS, MOMENTS, MOVES
from tests.proofs.generations_life import BUDGET, Life, all_of, live, world_of

KILLS_MAX = 6
FUSE_MAX, NAMED_FUSE_MAX = 30, 2
LIFE_S_MAX = 60.0


async def faults_of(folder: Path, again: Again) -> list[str]:
    """Return what is wrong, by the till, the ledger and the farm's own tables."""
    found: list[str] = []
    async with world_of(folder, Life(again)) as world:
        farm, till = world.farm, world.till
        paid = Counter(task.key for task in till.every if task.paid)
        if again is not Again.COSTS_ONLY:
            found += [f"{key} was charged {n} times" for key, n in paid.items() if n > 1]
        owners = Counter(key.rpartition("-")[0] for key in paid)
        if again is not Again.COSTS_ONLY:
            found += [f"{key} was paid {n} times" for key, n in owners.items() if n > 1]
        async with farm.store.read() as unit:
            entries = [
                entry
                for each in await all_of(farm)
                for entry in await unit.entries(each.generation_id)
            ]
            jobs = Counter(job.job_id.partition("-")[2] for job in await unit.jobs())
        by_day = Counter[date]()
        for entry in entries:
            by_day[entry.day] += entry.spent  # type: ignore[assignment]
        spent = sum(entry.spent for entry in entries)
        if spent < till.till:
            found.append(f"the ledger says {spent}, the till {till.till}")
        found += [f"{n} were spent on {day}" for day, n in by_day.items() if n > BUDGET]
        for each in await all_of(farm):
            its_id = each.generation_id
            its_jobs, its_calls = jobs[its_id.partition("-")[2]], owners[its_id]
            found += _faults_of_one(each, again, jobs=its_jobs, paid=its_calls)
    return found


def _faults_of_one(each: Generation, again: Again, *, jobs: int, paid: int) -> list[str]:
    its_id, done = each.generation_id, each.state is GenerationState.DONE
    found = []
    if each.state not in ENDED:
        found.append(f"{its_id} has not ended: {each.state.value}")
    if done and (len(each.versions) != 1 or jobs != (each.asked.printing is not None)):
        found.append(f"{its_id}: versions {each.versions}, {jobs} jobs")
    if not done and jobs:
        found.append(f"{its_id} is {each.state.value}, and has a job")
    reused = any("used again" in words for words in each.remarks)
    if done and not reused and not paid:
        found.append(f"{its_id} is done, and nobody paid")
    code = each.trouble.code if each.trouble is not None else ""
    # What may be said again may be paid again, and come to nothing in the end.
    spoilt = code in IN_VAIN or again is Again.COSTS_ONLY
    if each.state is GenerationState.FAILED and paid and not spoilt:
        found.append(f"{its_id} was paid for and came to nothing: {code}")
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


def _life(again: Again, chance: random.Random, number: int) -> Life:
    """Return a life that ends at any moment, or at one of those of which each has its turn."""
    named = MOMENTS[number % len(MOMENTS)] if chance.random() < 0.5 else ""
    return Life(
        again,
        seed=chance.getrandbits(32),
        fuse=chance.randint(1, NAMED_FUSE_MAX if named else FUSE_MAX),
        named=named,
        faulty=chance.random() < 0.8,
        freezes=chance.choice((0, 0, 0, 1)),
    )


def run_once(template: Path, folder: Path, seed: int, again: Again) -> str:
    """Live one farm's life; return what is wrong, else nothing."""
    shutil.copytree(template, folder)
    chance = random.Random(seed)
    for number in range(KILLS_MAX):
        life = _life(again, chance, seed * KILLS_MAX + number)
        code = in_a_process(lambda life=life: live(folder, life))  # type: ignore[misc]
        if code not in (0, -signal.SIGKILL):
            return f"a process ended with {code}"
    for settles in (False, True, True, True):
        quiet = Life(again, seed=chance.getrandbits(32), settles=settles)
        if in_a_process(lambda life=quiet: live(folder, life)):  # type: ignore[misc]
            return "a process without kills failed"
    return "; ".join(asyncio.run(faults_of(folder, again)))


async def _make_template(folder: Path) -> None:
    async with world_of(folder, Life(Again.NEVER)):
        pass


@dataclass
class Proof:
    """What all runs together were."""

    runs: int
    wrong: int
    steps: Counter[tuple[str, str]]

    def of(self, kind: str) -> Counter[str]:
        return Counter({what: n for (each, what), n in self.steps.items() if each == kind})

    @property
    def missed(self) -> list[str]:
        """Moments that nobody died at, and moves that nobody made."""
        kills, moves = self.of("kill"), self.of("move")
        return [each for each in MOMENTS if not kills[each]] + [m for m in MOVES if not moves[m]]


def prove(runs: int, seed: int) -> Proof:
    """Prove it; tell of each run that something is wrong with."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    proof = Proof(runs, 0, Counter())
    with tempfile.TemporaryDirectory() as name:
        template = Path(name) / "template"
        template.mkdir()
        in_a_process(lambda: _make_template(template))
        for number in range(runs):
            folder, again = Path(name) / f"run-{number}", KINDS[(seed + number) % len(KINDS)]
            if words := run_once(template, folder, seed + number, again):
                proof.wrong += 1
                sys.stdout.write(f"seed {seed + number} ({again.value}): {words}\n")
                sys.stdout.flush()
            for line in (folder / "steps").read_text().splitlines():
                kind, _, what = line.partition("\t")
                proof.steps[kind, what] += 1
            shutil.rmtree(folder)
    return proof


def main() -> int:
    """Run the proof; 0 where nothing was wrong, and nothing left out."""
    parser = argparse.ArgumentParser(prog="farmhand prove generations", description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began_s = time.monotonic()
    proof = prove(given.runs, given.seed)
    for title, kind in (("killed", "kill"), ("moves", "move"), ("faults", "fault")):
        sys.stdout.write(f"{title}:\n")
        for what, count in sorted(proof.of(kind).items()):
            sys.stdout.write(f"  {count:6} {what}\n")
    kills, elapsed_s = proof.of("kill").total(), time.monotonic() - began_s
    missed = ", ".join(proof.missed) or "none"
    sys.stdout.write(
        f"{given.runs} runs, {kills} kills at {len(MOMENTS)} moments, {len(MOVES)} moves, missed: "
        f"{missed}; {proof.wrong} runs with something wrong; {elapsed_s:.0f} s\n"
    )
    whole = given.runs >= 500
    return 1 if proof.wrong or (whole and proof.missed) else 0


if __name__ == "__main__":
    sys.exit(main())
