"""Prove updates of agents on real processes: good releases pass, bad ones halt at the canary.

Usage: ./farmhand prove fleet [--agents 10] [--seed N] [--keep]

A coordinator and agents, each a real process with a simulated printer, print all the time. A good
release goes out, canary first, then in waves; then one bad release of every kind, of which each has
to halt at the canary, with that agent back on the good version and nobody else touched. Agents that
end are begun again, as systemd would. In the end what the printers executed is held against the
plates, and no agent may have been on trial while one of its printers printed.
"""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.fakes.releases import Workshop, kinds
from tests.proofs.chaos_farm import Farm
from tests.proofs.chaos_judge import Document, judge
from tests.proofs.chaos_people import People
from tests.proofs.chaos_story import Story, say

LAUNCHER = "agent.launcher"
GOOD = "1.0.0"
SOAK_S, START_S = 3.0, 12.0
LOOK_S = 0.25
RESTART_S = 1.0
BEGIN_S_MAX, ROLLOUT_S_MAX, QUIET_S_MAX = 120.0, 400.0, 240.0
BACK_S_MAX = 120.0


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How to try a fleet; `bad` are the kinds of bad releases."""

    seed: int = 1
    agents: int = 10
    bad: Sequence[str] = tuple(kinds(0.0))
    soak_s: float = SOAK_S
    start_s: float = START_S


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        faults: broken promises, in words.
        halts: by the kind of bad release, seconds until all was as before.
    """

    folder: Path
    faults: list[str] = field(default_factory=list)
    good_s: float = 0.0
    waves: int = 0
    halts: dict[str, float] = field(default_factory=dict)
    runs: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    trials: int = 0
    wall_s: float = 0.0


def main(argv: Sequence[str]) -> int:
    """Run the proof; returns 0 when every promise was kept, else 1."""
    parser = argparse.ArgumentParser(prog="farmhand prove fleet", description=__doc__)
    parser.add_argument("--agents", type=int, default=10, help="how many (10)")
    parser.add_argument("--seed", type=int, default=1, help="of what is ordered (1)")
    parser.add_argument("--bad", action="append", help="only this kind of bad release; repeat it")
    parser.add_argument("--keep", action="store_true", help="the folder also where all went well")
    wanted = parser.parse_args(argv)
    bad = tuple(wanted.bad or kinds(0.0))
    folder = Path(tempfile.mkdtemp(prefix="farmhand-fleet-"))
    outcome = prove(Trial(seed=wanted.seed, agents=wanted.agents, bad=bad), folder)
    _show(outcome, wanted.agents)
    if outcome.faults or wanted.keep:
        say(f"fleet: story and logs of all processes are in {folder}")
    else:
        shutil.rmtree(folder)
    return 1 if outcome.faults else 0


def prove(trial: Trial, folder: Path) -> Outcome:
    """Try a fleet in an empty folder, and return what came of it."""
    return asyncio.run(_Proof(trial, folder).run())


class _Proof:
    def __init__(self, trial: Trial, folder: Path) -> None:
        self.trial, self.outcome = trial, Outcome(folder)
        self.workshop = Workshop(folder / "releases")
        self.farm = Farm(folder, trial.agents, 1, LAUNCHER)
        for agent in self.farm.agents:
            config = folder / "agents" / f"{agent.agent_id}.toml"
            config.write_text(f'update_keys = ["{self.workshop.key}"]\n{config.read_text()}')
        self.story = Story(folder / "story.txt")
        chance = random.Random(f"people of {trial.seed}")
        self.people = People(self.farm, chance, self.story)

    async def run(self) -> Outcome:
        began_s = time.monotonic()
        try:
            await self.farm.begin()
            async with asyncio.TaskGroup() as tasks:
                beside = [
                    tasks.create_task(self.people.work()),
                    tasks.create_task(self._manage()),
                ]
                await self._until(self._all_print, BEGIN_S_MAX, "not every printer printed")
                await self._good()
                for number, kind in enumerate(self.trial.bad):
                    await self._bad(f"1.1.{number}", kind)
                await self._rest()
                await self._judge()
                for task in beside:
                    task.cancel()
        finally:
            self.farm.end()
        self.outcome.wall_s = time.monotonic() - began_s
        return self.outcome

    async def _manage(self) -> None:
        """Begin agents again that ended, after a while, as a service manager does."""
        due: dict[str, float] = {}
        while True:
            await asyncio.sleep(LOOK_S)
            self.farm.require_printers()
            for printer in self.farm.printers:
                for words in printer.log.read():
                    self.story.tell(f"{printer.printer_id} ({printer.agent_id}) {words}")
            for agent in self.farm.agents:
                code = agent.part.died
                if code is None:
                    due.pop(agent.agent_id, None)
                elif time.monotonic() >= due.setdefault(
                    agent.agent_id, time.monotonic() + RESTART_S
                ):
                    self.story.tell(f"** {agent.agent_id} ended with {code}, and is begun again")
                    self.outcome.restarts[agent.agent_id] += 1
                    agent.part.begin()

    async def _all_print(self) -> bool:
        return all(printer.log.prints for printer in self.farm.printers)

    async def _good(self) -> None:
        """A good release reaches everybody, in waves."""
        begun_s = time.monotonic()
        rollout = await self._roll_out(GOOD, self.workshop.good(GOOD))
        done = await self._ended(rollout, "done")
        self.outcome.good_s = time.monotonic() - begun_s
        self.outcome.waves = 1 + max(each["stage"] for each in done["agents"])
        builds = {each["build"] for each in await self._agents()}
        self._require(done["state"] == "done", f"the good release ended as {_words(done)}")
        self._require(builds == {GOOD}, f"agents run {builds} after the good release")

    async def _bad(self, version: str, kind: str) -> None:
        """A bad release halts at its canary, which runs the good one again; others never begin."""
        begun_s = time.monotonic()
        bad = kinds(self.trial.soak_s * 0.6)[kind]
        rollout = await self._roll_out(version, self.workshop.bad(version, bad))
        halted = await self._ended(rollout, "halted")
        [canary, *others] = halted["agents"]
        self._require(halted["state"] == "halted", f"{kind}: the rollout ended as {_words(halted)}")
        self._require(canary["state"] == bad.ends_as, f"{kind}: the canary {_words(canary)}")
        touched = [each["agent_id"] for each in others if each["state"] != "waiting"]
        self._require(not touched, f"{kind}: it reached {touched}")

        async def all_back() -> bool:
            agents = await self._agents()
            return all(each["online"] and each["build"] == GOOD for each in agents)

        await self._until(all_back, BACK_S_MAX, f"{kind}: not everybody runs the good one again")
        self.outcome.halts[kind] = time.monotonic() - begun_s
        self.story.tell(f"** {kind}: {_words(halted)}")

    async def _roll_out(self, version: str, file: Path) -> str:
        client = self.farm.client
        signature = file.with_name(f"{file.name}.minisig").read_text()
        await asyncio.to_thread(client.send, "releases", file, {"signature": signature})
        said = {
            "version": version,
            "soak_s": self.trial.soak_s,
            "start_s": self.trial.start_s,
            "wave_size": max(1, (self.trial.agents - 1 + 1) // 2),
        }
        rollout = await asyncio.to_thread(client.ask, "POST", "rollouts", said)
        self.story.tell(f"** {version} is rolled out")
        return str(rollout["id"])

    async def _ended(self, rollout_id: str, _wanted: str) -> Document:
        """Return a rollout once it goes on no more."""
        found: Document = {}

        async def over() -> bool:
            nonlocal found
            found = await self._ask("GET", f"rollouts/{rollout_id}")
            trying = any(each["state"] == "updating" for each in found["agents"])
            return found["state"] in ("done", "halted") and not trying

        await self._until(over, ROLLOUT_S_MAX, "the rollout did not come to an end")
        return found

    async def _rest(self) -> None:
        self.people.ordering = False
        self.people.quiet.clear()

        async def quiet() -> bool:
            return self.people.quiet.is_set()

        await self._until(quiet, QUIET_S_MAX, "the farm did not come to rest")

    async def _judge(self) -> None:
        for printer in self.farm.printers:
            await printer.say("status")
            printer.log.read()
        jobs = await self._ask("GET", "jobs?limit=1000")
        logs = [printer.log for printer in self.farm.printers]
        verdicts = judge(logs, self.people.wishes, jobs["items"])
        self.outcome.faults += [f"{each.kind}: {each.words}" for each in verdicts]
        runs = [run for job in jobs["items"] for run in job["runs"]]
        self.outcome.runs = Counter(str(run["state"]) for run in runs)
        trials = [event for event in await self._history() if event["name"] == "agent.update_tried"]
        self.outcome.trials = len(trials)
        owners = {each.printer_id: each.agent_id for each in self.farm.printers}
        for trial in trials:
            for run in runs:
                if owners[run["printer_id"]] == trial["subject_id"] and _was_on(run, trial["at"]):
                    self.outcome.faults.append(
                        f"{trial['subject_id']} was on trial while {run['id']} printed"
                    )

    async def _history(self) -> list[Document]:
        events: list[Document] = []
        after = 0
        while True:
            page = await asyncio.to_thread(self.farm.client.events, after=after)
            events += page["items"]
            if page["next"] is None or not page["items"]:
                return events
            after = page["next"]

    async def _agents(self) -> list[Document]:
        return list(await asyncio.to_thread(self.farm.client.agents))

    async def _ask(self, method: str, path: str) -> Any:
        return await asyncio.to_thread(self.farm.client.ask, method, path)

    async def _until(self, is_so: Callable[[], Any], within_s: float, words: str) -> None:
        until_s = time.monotonic() + within_s
        while not await is_so():
            if time.monotonic() > until_s:
                raise TimeoutError(f"{words} within {within_s:.0f} s")
            await asyncio.sleep(LOOK_S)

    def _require(self, is_so: bool, words: str) -> None:
        if not is_so:
            self.outcome.faults.append(words)


def _was_on(run: Document, at: str) -> bool:
    if run["started_at"] is None:
        return False
    moment = datetime.fromisoformat(at)
    ended = run["ended_at"] and datetime.fromisoformat(run["ended_at"])
    begun = datetime.fromisoformat(run["started_at"])
    return bool(begun <= moment and (ended is None or moment < ended))


def _words(document: Document) -> str:
    return f"{document['state']}: {document['words']}"


def _show(outcome: Outcome, agents: int) -> None:
    counts = [
        ("agents", f"{agents}, all printing"),
        ("good release", f"{outcome.waves} stages, {outcome.good_s:.1f} s"),
        *((f"bad: {kind}", f"halted and back in {s:.1f} s") for kind, s in outcome.halts.items()),
        ("trials", f"{outcome.trials}"),
        ("agents begun again", f"{outcome.restarts.total()}"),
        ("runs", ", ".join(f"{state} {count}" for state, count in outcome.runs.most_common())),
        ("promises broken", f"{len(outcome.faults)}"),
        ("wall time", f"{outcome.wall_s:.1f} s"),
    ]
    for name, value in counts:
        say(f"{name:>28}  {value}")
    for fault in outcome.faults:
        say(f"broken: {fault}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
