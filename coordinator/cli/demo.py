"""`farmhand demo`: a whole farm in one terminal, of the same processes as in production.

Coordinator, agent and printers are started as a person would start them; everything shown comes
from the API. Only the printers' metal is simulated: what they execute is logged, and held against
the sliced file at the end.
"""

import asyncio
import json
import signal
import time
from asyncio import to_thread
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.cli import demo_setup
from coordinator.cli.called import CALLED
from coordinator.cli.client import JOB_ENDS, Document, FarmClient
from coordinator.cli.demo_processes import Children
from coordinator.cli.demo_proof import compare, explain, summary
from coordinator.cli.demo_screen import Screen
from coordinator.cli.demo_setup import Folder
from coordinator.cli.exits import CommandFailed, Exit, NotReachable
from coordinator.cli.place import COORDINATOR_FILE, TOKEN_FILE, Place

# Twenty processes on one Pi need a while.
START_PATIENCE_S = 60.0
PERIOD_S = 0.25

# How long nothing may seem to happen: slicing takes so many of our seconds, and heating a cold bed
# so many of the printers'.
STALL_PATIENCE_S = 60.0
HEATING_PATIENCE_S = 900.0

# How long a finished print is left to be seen before the demo takes it off the bed.
ADMIRE_S = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was asked of the demo."""

    printers: int
    speed: float
    model: Path | None
    copies: int
    once: bool
    state_dir: Path | None


async def run_demo(wishes: Wishes) -> int:
    """Play the demo; return the exit code.

    Raises:
        CommandFailed: something could not start, or died, or the job did not end as it should.
    """
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with demo_setup.folder(wishes.state_dir) as home, Screen() as screen:
        demo = _Demo(wishes, home, screen, Children(home.logs, demo_setup.environment()))
        try:
            await demo.play()
            if not wishes.once:
                await demo.stay()
        except asyncio.CancelledError:
            # Only a signal cancels us: Ctrl-C while the farm stays up is the usual good end.
            screen.settle()
            screen.say("stopping ...")
            if demo.succeeded is None:
                return 128 + signal.SIGINT
        finally:
            screen.settle()
            await demo.children.stop()
        if not demo.succeeded:
            raise CommandFailed(f"not all went well; everything is kept in {home.path}")
    return Exit.OK


@dataclass(slots=True)
class _Demo:
    wishes: Wishes
    home: Folder
    screen: Screen
    children: Children
    place: Place = field(default_factory=lambda: Place(url="", token=""))
    succeeded: bool | None = None
    finished_at: dict[str, float] = field(default_factory=dict)
    moved: tuple[object, float] = (None, 0.0)

    async def play(self) -> None:
        """Start everything, print, sum up."""
        ids = demo_setup.printer_ids(self.wishes.printers)
        model = self.wishes.model or demo_setup.barn()
        self.screen.say(f"Logs of every process: {self.home.logs}", style="dim")
        for printer_id in ids:
            arguments = demo_setup.printer_arguments(self.home, printer_id, self.wishes.speed)
            await self.children.start(printer_id, "agent.simulator", arguments)
        mqtt_url = await self._start_coordinator()
        farm = FarmClient(self.place)
        await self._start_agent(farm, ids, mqtt_url)
        await self._clear_new_beds(farm)
        started_s = time.monotonic()
        self.screen.say(f"Submitting {model.name}, copies: {self.wishes.copies}.")
        fields = {
            "copies": str(self.wishes.copies),
            "material": demo_setup.MATERIAL,
            "quality": demo_setup.QUALITY,
        }
        job = await to_thread(farm.submit, model, fields)
        job = await self._print(farm, job["id"])
        await self._sum_up(farm, job, wall_s=time.monotonic() - started_s)

    async def stay(self) -> None:
        """Say how to look around, and wait for Ctrl-C."""
        url, token_file = self.place.url, self.home.coordinator / TOKEN_FILE
        self.screen.say("\nThe farm stays up. Its page, with the token in the address:")
        self.screen.say(f"  {url}/#token={self.place.token}", style="bold")
        self.screen.say(f"Its API: {url}/api/v1   In another terminal:")
        self.screen.say(
            f"  export FARMHAND_STATE_DIR={self.home.coordinator}\n"
            f"  {CALLED} printer ls\n"
            f"  {CALLED} job submit MODEL.stl --material {demo_setup.MATERIAL} --watch\n"
            f"  {CALLED} printer clear printer-1\n"
            f"  {CALLED} generate --code PART.scad --print   # OpenSCAD; or Generate on the page\n"
            f'  curl -H "Authorization: Bearer $(cat {token_file})" {url}/api/v1/jobs\n'
            "Ctrl-C ends it."
        )
        while True:
            self.children.require_alive()
            await asyncio.sleep(1.0)

    async def _start_coordinator(self) -> str:
        """Start the coordinator; return the broker's address."""
        child = await self.children.start(
            "coordinator",
            "coordinator",
            demo_setup.coordinator_arguments(self.home),
            demo_setup.provider_settings(),
        )
        file = self.home.coordinator / COORDINATOR_FILE
        told: Document = {}

        async def says_where() -> bool:
            if file.exists():
                told.update(json.loads(file.read_text()))
            # What one that was killed left there does not count.
            return told.get("pid") == child.process.pid

        await self._until(says_where, "the coordinator to start")
        token = (self.home.coordinator / TOKEN_FILE).read_text().strip()
        self.place = Place(url=told["api_url"], token=token)
        self.screen.say(f"The coordinator answers at {self.place.url}.")
        return str(told["mqtt_url"])

    async def _start_agent(self, farm: FarmClient, ids: list[str], mqtt_url: str) -> None:
        """Start the agent once its ports are there; return once its printers are online."""

        async def ports_are_there() -> bool:
            return all(
                self.home.port(printer_id).exists() and self.home.camera(printer_id).exists()
                for printer_id in ids
            )

        await self._until(ports_are_there, "the simulated printers to open their ports")
        self.home.agent_config.write_text(
            demo_setup.agent_toml(self.home, ids, api_url=self.place.url, mqtt_url=mqtt_url)
        )
        await self.children.start(
            "agent",
            "agent",
            ["--config", str(self.home.agent_config)],
            {"FARMHAND_AGENT_TOKEN": self.place.token},
        )

        async def all_online() -> bool:
            printers = await to_thread(farm.printers)
            return len(printers) == len(ids) and all(
                printer["status"] != "offline" and printer["live"] for printer in printers
            )

        await self._until(all_online, "the printers to come online")
        self.screen.say(
            f"{len(ids)} simulated printers, {self.wishes.speed:g} times as fast as real ones."
        )

    async def _clear_new_beds(self, farm: FarmClient) -> None:
        self.screen.say(
            "Nobody has said yet what lies on these beds, so nothing starts there. A person would "
            f"look, and say: {CALLED} printer clear PRINTER. The demo does it itself."
        )
        for printer in await to_thread(farm.printers):
            if printer["bed"]["state"] != "clear":
                await to_thread(farm.clear, printer["id"])

    async def _print(self, farm: FarmClient, job_id: str) -> Document:
        """Show the job until it ended and every bed is clear again; return it."""
        while True:
            self.children.require_alive()
            try:
                job, printers = await to_thread(farm.job, job_id), await to_thread(farm.printers)
            except NotReachable:
                await asyncio.sleep(PERIOD_S)  # until the death of a child can be seen
                self.children.require_alive()
                raise
            self.screen.show(job, printers)
            self._require_movement(job, printers)
            occupied = [each for each in printers if each["status"] == "needs_clearing"]
            if job["state"] in JOB_ENDS and not occupied:
                return job
            await self._clear_admired(farm, occupied)
            await asyncio.sleep(PERIOD_S)

    def _require_movement(self, job: Document, printers: list[Document]) -> None:
        """Do nothing as long as anything changes.

        Raises:
            CommandFailed: it does not any more; with what the job says it waits for.
        """
        state = (
            job,
            [(each["status"], each["live"] and each["live"]["line"]) for each in printers],
        )
        patience_s = STALL_PATIENCE_S + HEATING_PATIENCE_S / self.wishes.speed
        if state != self.moved[0]:
            self.moved = (state, time.monotonic())
        elif time.monotonic() - self.moved[1] > patience_s:
            words = "; ".join(wait["words"] for wait in job["waits"]) or "no reason is known"
            raise CommandFailed(
                f"nothing moved for {patience_s:.0f} s: {words}; see {self.home.logs}"
            )

    async def _clear_admired(self, farm: FarmClient, occupied: list[Document]) -> None:
        for printer in occupied:
            finished_at = self.finished_at.setdefault(printer["id"], time.monotonic())
            if time.monotonic() - finished_at < ADMIRE_S:
                continue
            del self.finished_at[printer["id"]]
            await to_thread(farm.clear, printer["id"])
            self.screen.say(
                f"{printer['name']}: taken off the bed, as a person would; "
                f"{CALLED} printer clear {printer['id']}"
            )

    async def _sum_up(self, farm: FarmClient, job: Document, *, wall_s: float) -> None:
        self.screen.settle()
        self.screen.say("")
        self.screen.table(summary(job, speed=self.wishes.speed, wall_s=wall_s))
        verdict = await to_thread(compare, farm, self.home, job)
        for sentence in explain(verdict):
            self.screen.say(sentence, style="green" if verdict.proven else "red")
        if job["state"] != "finished":
            self.screen.say(f"the job is {job['state']}: {job['reason']}", style="red")
        self.succeeded = verdict.proven and job["state"] == "finished"

    async def _until(self, holds: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait for the start of something, as long as everything lives.

        Raises:
            CommandFailed: it takes too long, or a process died.
        """
        try:
            async with asyncio.timeout(START_PATIENCE_S):
                while not await holds():
                    self.children.require_alive()
                    await asyncio.sleep(PERIOD_S / 2)
        except TimeoutError as error:
            raise CommandFailed(
                f"waited {START_PATIENCE_S:.0f} s for {what}; see {self.home.logs}"
            ) from error
