"""Prove "exactly once, whatever happens" on real processes: kill, freeze and wipe them at random.

Usage: ./farmhand prove chaos [--minutes M] [--seed N] [--agents A] [--printers P]

A coordinator, a broker and agents, each a real process, print on simulated printers, which are
the world and know nothing of the faults. Jobs come in all the time, persons clear beds and settle
what is lost. When the faults end and the farm is quiet, what the printers executed is held against
what the farm says. A failure prints its seed and tells its story; the folder with all logs stays.
"""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.proofs.chaos_farm import Farm
from tests.proofs.chaos_judge import Document, Verdict, judge
from tests.proofs.chaos_people import People
from tests.proofs.chaos_story import Story, say
from tests.proofs.chaos_troubles import TROUBLES, Troubles

START_S_MAX = 90.0
# An agent's wait before it tries the broker again grows to one minute, and so long a lease that
# was not permitted is left to an agent that is away.
QUIET_S_MAX = 240.0
RECONCILED_S_MAX = 90.0
WATCH_S = 0.2
TOLD_MAX = 5

STARTS = ("double start", "uncleared bed", "start after stop")
LOST = ("lost job", "double job")
STUCK = ("stuck job", "stuck run")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How to try a farm.

    Attributes:
        minutes: of faults, one every `every_s` in the mean, of these `kinds`.
        agents: how many, each with so many `printers`.
        agent_module: what runs as an agent.
        quiet_s_max: how long the farm may need to come to rest.
    """

    seed: int
    minutes: float
    agents: int = 5
    printers: int = 4
    every_s: float = 2.0
    agent_module: str = "agent"
    kinds: Mapping[str, int] = field(default_factory=lambda: TROUBLES)
    quiet_s_max: float = QUIET_S_MAX


@dataclass
class Outcome:
    """What came of it; times in seconds.

    Attributes:
        runs: by their state.
        reconciled_s: from the start of a killed coordinator until the API answers, until every
            printer is online, and until every one was heard.
    """

    folder: Path
    faults: Counter[str] = field(default_factory=Counter)
    did: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    starts: int = 0
    events: int = 0
    verdicts: list[Verdict] = field(default_factory=list)
    reconciled_s: tuple[float, ...] = ()
    quiet_s: float = 0.0
    wall_s: float = 0.0

    def count(self, *kinds: str) -> int:
        """Return how many promises of these kinds were broken."""
        return sum(verdict.kind in kinds for verdict in self.verdicts)


def main(argv: Sequence[str]) -> int:
    """Run the proof; returns 0 when every promise was kept, else 1."""
    parser = argparse.ArgumentParser(prog="farmhand prove chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="of faults (5)")
    parser.add_argument("--seed", type=int, default=None, help="of all that is random")
    parser.add_argument("--agents", type=int, default=5, help="how many (5)")
    parser.add_argument("--printers", type=int, default=4, help="of each agent (4)")
    parser.add_argument("--every", type=float, default=2.0, help="mean seconds between faults (2)")
    parser.add_argument("--keep", action="store_true", help="the folder also where all went well")
    wanted = parser.parse_args(argv)
    seed = wanted.seed if wanted.seed is not None else random.SystemRandom().randrange(10**6)
    trial = Trial(
        seed=seed,
        minutes=wanted.minutes,
        agents=wanted.agents,
        printers=wanted.printers,
        every_s=wanted.every,
    )
    say(
        f"chaos: {trial.minutes:g} minutes, seed {seed}, "
        f"{trial.agents} agents with {trial.printers} printers each"
    )
    folder = Path(tempfile.mkdtemp(prefix="farmhand-chaos-"))
    outcome = prove(trial, folder)
    show(outcome)
    if outcome.verdicts or wanted.keep:
        say(f"chaos: seed {seed}; story and logs of all processes are in {folder}")
    else:
        shutil.rmtree(folder)
    return 1 if outcome.verdicts else 0


def prove(trial: Trial, folder: Path) -> Outcome:
    """Try a farm in an empty folder, and return what came of it."""
    return asyncio.run(_prove(trial, folder))


async def _prove(trial: Trial, folder: Path) -> Outcome:
    began_s = time.monotonic()
    outcome, story = Outcome(folder), Story(folder / "story.txt")
    farm = Farm(folder, trial.agents, trial.printers, trial.agent_module)
    people = People(farm, random.Random(f"people of {trial.seed}"), story)
    chance = random.Random(f"troubles of {trial.seed}")
    troubles = Troubles(farm, chance, story, trial.every_s, trial.kinds)
    try:
        await farm.begin()
        await _all_online(farm, live=False, within_s=START_S_MAX)
        watching = [
            asyncio.create_task(people.work(), name="people"),
            asyncio.create_task(_watch(farm, story, troubles), name="watch"),
        ]
        work = _live(farm, people, troubles, outcome, trial)
        await _unless_one_fails(asyncio.create_task(work, name="life"), watching)
        await _look(farm, people, outcome)
    finally:
        farm.end()
    for words in troubles.wrong:
        outcome.verdicts.append(Verdict("process", words, (words.split()[0],)))
    outcome.faults, outcome.did = troubles.faults, people.did
    outcome.wall_s = time.monotonic() - began_s
    _tell_stories(outcome, story)
    return outcome


async def _unless_one_fails(
    work: "asyncio.Task[None]", watching: "list[asyncio.Task[None]]"
) -> None:
    """Wait for work; what goes on beside it is ended with it, and must not fail."""
    tasks = [work, *watching]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            if not task.done():
                task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


async def _live(
    farm: Farm, people: People, troubles: Troubles, outcome: Outcome, trial: Trial
) -> None:
    """Work, then troubles in the midst of it, then a coordinator's death, then quiet."""
    story = troubles.story
    await asyncio.wait_for(farm.at_work.wait(), START_S_MAX)
    story.tell("** the troubles begin")
    await troubles.strike_for(trial.minutes * 60.0)
    story.tell("** the troubles end; the coordinator is killed once more")
    farm.coordinator.kill()
    farm.coordinator.begin()
    begun_s = time.monotonic()
    try:
        answers_s = await _all_online(farm, live=None, within_s=RECONCILED_S_MAX) - begun_s
        online_s = await _all_online(farm, live=False, within_s=RECONCILED_S_MAX) - begun_s
        heard_s = await _all_online(farm, live=True, within_s=RECONCILED_S_MAX) - begun_s
        outcome.reconciled_s = (answers_s, online_s, heard_s)
    except TimeoutError as error:
        outcome.verdicts.append(Verdict("process", f"after the last restart {error}"))
    people.ordering = False
    people.quiet.clear()
    story.tell("** nothing more is ordered")
    calm_s = time.monotonic()
    with suppress(TimeoutError):
        await asyncio.wait_for(people.quiet.wait(), trial.quiet_s_max)
    outcome.quiet_s = time.monotonic() - calm_s
    is_quiet = people.quiet.is_set()
    story.tell("** the farm is quiet" if is_quiet else "** the farm does not come to rest")


async def _all_online(farm: Farm, *, live: bool | None, within_s: float) -> float:
    """Return the time when the API answers and, unless `live` is None, knows all printers online.

    Args:
        live: whether each one's telemetry must have been heard by this coordinator, too.

    Raises:
        TimeoutError: it takes longer.
    """
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        try:
            printers = await asyncio.to_thread(farm.client.printers)
        except Exception:  # whatever a coordinator that is not up answers
            printers = None
        if printers is not None and live is None:
            return time.monotonic()
        there = [each for each in printers or () if each["online"] and (each["live"] or not live)]
        if len(there) == len(farm.printers):
            return time.monotonic()
        await asyncio.sleep(0.05)
    raise TimeoutError(f"not all printers were there within {within_s:.0f} s")


async def _watch(farm: Farm, story: Story, troubles: Troubles) -> None:
    """Tell what printers do, and bring back what ended by itself, as systemd would."""
    while True:
        await asyncio.sleep(WATCH_S)
        farm.require_printers()
        for printer in farm.printers:
            for words in printer.log.read():
                story.tell(f"{printer.printer_id} ({printer.agent_id}) {words}")
            if printer.log.prints:
                farm.at_work.set()
        for part in farm.parts:
            if (code := part.died) is not None:
                words = f"{part.name} ended by itself with code {code}"
                story.tell(f"** {words}")
                troubles.wrong.append(words)
                part.begin()


async def _look(farm: Farm, people: People, outcome: Outcome) -> None:
    """Hold everything against everything."""
    for printer in farm.printers:
        await printer.say("status")
        printer.log.read()
    jobs: list[Document] | None = await people.ask("jobs")
    if jobs is None:
        outcome.verdicts.append(Verdict("process", "the coordinator does not answer at the end"))
        return
    logs = [printer.log for printer in farm.printers]
    outcome.verdicts += judge(logs, people.wishes, jobs)
    outcome.jobs = len(jobs)
    outcome.runs = Counter(str(run["state"]) for job in jobs for run in job["runs"])
    outcome.starts = sum(len(log.prints) for log in logs)
    audit: Document | None = await people.ask("verify_events")
    if audit is None:
        outcome.verdicts.append(Verdict("process", "the history can't be proved at the end"))
        return
    outcome.events = int(audit["head"]["number"])
    outcome.verdicts += [Verdict("history", str(fault["words"])) for fault in audit["faults"]]


def _tell_stories(outcome: Outcome, story: Story) -> None:
    for verdict in outcome.verdicts[:TOLD_MAX]:
        say(f"\n{verdict.kind}: {verdict.words}\nWhat led to it:")
        say("\n".join(story.about(verdict.names)))


def show(outcome: Outcome) -> None:
    """Print the figures."""
    counts = [
        ("faults", f"{outcome.faults.total()}: {_listed(outcome.faults)}"),
        ("persons", _listed(outcome.did)),
        ("jobs", f"{outcome.jobs}"),
        ("runs", f"{outcome.runs.total()}: {_listed(outcome.runs)}"),
        ("starts", f"{outcome.starts}"),
        ("wrong starts", f"{outcome.count(*STARTS)}"),
        ("wrong prints", f"{outcome.count('wrong print')}"),
        ("lost jobs", f"{outcome.count(*LOST)}"),
        ("stuck jobs", f"{outcome.count(*STUCK)}"),
        ("history", f"{outcome.events} events, {outcome.count('history')} faults"),
        ("promises broken", f"{len(outcome.verdicts)}"),
        ("quiet after", f"{outcome.quiet_s:.1f} s"),
        ("wall time", f"{outcome.wall_s:.1f} s"),
    ]
    if outcome.reconciled_s:
        answers_s, online_s, heard_s = outcome.reconciled_s
        words = f"answers {answers_s:.1f} s, all online {online_s:.1f} s, all heard {heard_s:.1f} s"
        counts.insert(-1, ("coordinator restarted", words))
    for name, value in counts:
        say(f"{name:>22}  {value}")
    for verdict in outcome.verdicts[TOLD_MAX:]:
        say(f"{verdict.kind}: {verdict.words}")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "none"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
