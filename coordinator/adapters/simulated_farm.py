"""A process with simulated printers, kept alive while people try the farm; it dies with us."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import structlog

import coordinator
from coordinator.errors import Unavailable

log = structlog.get_logger(__name__)

# What it knows survives being killed; we ourselves have ten seconds.
STOP_S = 2.0
_WANTED = "wanted.json"
_WORDS_CHARACTERS_MAX = 300
# Started anew so often in one life of ours; then a person has to look.
_STARTS_MAX = 5


class ChildSimulatedFarm:
    """Implements `SimulatedFarm`; `keep` has to be called now and then."""

    def __init__(self, folder: Path, *, allowed: bool) -> None:
        """Take the folder of all that it keeps; nothing runs before `at` and `keep`."""
        self.allowed = allowed
        self._folder = folder
        self._api_url = self._mqtt_url = ""
        self._process: asyncio.subprocess.Process | None = None
        self._starts = 0
        self._turn = asyncio.Lock()

    def at(self, api_url: str, mqtt_url: str) -> None:
        """Take where the coordinator is, once it answers there.

        Args:
            mqtt_url: its broker for this machine; empty where what is told at enrolment counts.
        """
        self._api_url, self._mqtt_url = api_url, mqtt_url

    @property
    def running(self) -> bool:
        """Whether it is wanted, and there."""
        return self._process is not None and self._process.returncode is None

    @property
    def trouble(self) -> str:
        """Its last words, where it ended by itself."""
        if self._process is None or self.running:
            return ""
        with suppress(OSError):
            lines = self._log.read_text(errors="replace").splitlines()
            return lines[-1][-_WORDS_CHARACTERS_MAX:] if lines else "it ended without a word"
        return "it ended"

    async def start(self, token: str, *, printers: int, speed: float) -> None:
        """Start it.

        Raises:
            Unavailable: it can't be started.
        """
        async with self._turn:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                wanted = {"printers": printers, "speed": speed}
                (self._folder / _WANTED).write_text(json.dumps(wanted))
            except OSError as error:
                raise Unavailable("demo_failed", f"{self._folder}: {error.strerror}") from error
            self._starts = 0
            await self._begin(token)

    async def keep(self) -> None:
        """Start it again where it is wanted: after our own start, or where it died.

        Raises:
            Unavailable: it can't be started.
        """
        if not self.allowed or not self._api_url or self.running or self._turn.locked():
            return
        if self._starts < _STARTS_MAX and (self._folder / _WANTED).is_file():
            async with self._turn:
                await self._begin("")

    async def stop(self) -> None:
        """End it, and remove all that it kept."""
        async with self._turn:
            await self.close()
            self._process = None
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def close(self) -> None:
        """End it, as we end ourselves; it comes back with us."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _environment(self, token: str) -> Mapping[str, str]:
        """Return what the process inherits: nothing of our settings, and our packages."""
        ours = {name: said for name, said in os.environ.items() if not name.startswith("FARMHAND_")}
        root = str(Path(coordinator.__file__).parents[1])
        paths = os.pathsep.join([root, *filter(None, [ours.get("PYTHONPATH")])])
        # The token in the environment: arguments can be read by everybody on the machine. The
        # addresses too, for what was told at enrolment may be of an earlier start.
        told = {
            "PYTHONPATH": paths,
            "FARMHAND_AGENT_COORDINATOR_URL": self._api_url,
            "FARMHAND_AGENT_MQTT_URL": self._mqtt_url,
            "FARMHAND_AGENT_ENROLL_TOKEN": token,
        }
        return ours | {name: said for name, said in told.items() if said}

    async def _begin(self, token: str) -> None:
        self._starts += 1
        wanted = json.loads((self._folder / _WANTED).read_text())
        flags = ["--folder", self._folder, "--parent", os.getpid()]
        flags += ["--printers", wanted["printers"], "--speed", wanted["speed"]]
        try:
            with self._log.open("wb") as words:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "agent.simulator.park", *map(str, flags)),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=words,
                    stderr=words,
                    cwd=self._folder,  # no `.env` of anybody's
                    env=self._environment(token),
                    start_new_session=True,  # a Ctrl-C is meant for us
                )
        except OSError as error:
            raise Unavailable("demo_failed", f"it can't be started: {error.strerror}") from error
        log.info("simulated_farm.started", printers=wanted["printers"], pid=self._process.pid)
