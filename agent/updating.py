"""Updates of this agent: fetched, checked, put on trial once nothing prints; settled, or gone back.

Everything up to the new start goes on beside prints. Then no new run is taken, what prints is
printed to its end, and the launcher takes over. A version on trial takes no run either, until the
coordinator says that it hears of it what it should; else the launcher goes back.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

import structlog

from agent import installing, launching
from agent.draining import Busy, Drain, at_rest
from agent.errors import FileUnavailable
from agent.files import FileStore
from agent.launcher import launched_by
from agent.settings import AgentSettings
from protocols.errors import ReleaseUnfit, ReleaseUntrusted
from protocols.release.manifest import RELEASE_BYTES_MAX, is_version
from protocols.release.signing import public_key
from protocols.wire.from_agent import UpdateReport
from protocols.wire.to_agent import Command, PlateReference
from protocols.wire.vocabulary import UpdatePhase

log = structlog.get_logger(__name__)

FOLDER = "releases"
FETCH_AGAIN_S = 10.0
FETCHES_MAX = 30
TRIAL_S_MIN, TRIAL_S_MAX = 5.0, 3600.0
COMMANDS = frozenset({"update", "settle_update", "cancel_update"})


class Updates:
    """What this agent does about its own version.

    Attributes:
        due: the launcher is to take over, once the agent has ended.
        report: how the last update goes, or went; None where there was none.
    """

    def __init__(
        self,
        settings: AgentSettings,
        drain: Drain,
        *,
        build: str,
        printers: Callable[[], Iterable[Busy]],
        say: Callable[[bool, UpdateReport], None],
    ) -> None:
        """Read how things stand; nothing is done before `run`.

        Args:
            build: the version that runs.
            printers: tells all loops of the agent.
            say: takes whether no new run is taken, and how the update goes.
        """
        self._settings, self._drain, self._build = settings, drain, build
        self._printers, self._say = printers, say
        self._launched = launched_by(os.environ)
        self._standing = launching.read(settings.state_dir)
        told = self._standing.told
        self.report = (
            UpdateReport(version=told.version, phase=UpdatePhase(told.phase), words=told.words)
            if told.version
            else None
        )
        self.due = False
        self._tasks: asyncio.TaskGroup | None = None
        self._task: asyncio.Task[None] | None = None
        if self._on_trial:
            drain.hold(True)

    @property
    def _on_trial(self) -> bool:
        return self._launched is not None and self._standing.trial == self._build

    async def run(self) -> None:
        """Do what is asked for until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            if self._launched is not None and not self._standing.lasting and not self._on_trial:
                await self._last()
            await asyncio.get_running_loop().create_future()

    def obey(self, command: Command) -> tuple[bool, str]:
        """Do one of `COMMANDS`; returns whether it is done, or begun, and words for a person."""
        version = str(command.arguments.get("version", ""))
        match command.name:
            case "update":
                return self._update(version, command)
            case "settle_update":
                return self._settle(version)
            case _:
                return self._cancel(version)

    def _update(self, version: str, command: Command) -> tuple[bool, str]:
        if self._task is not None and not self._task.done() and self.report is not None:
            at_it = self.report.version == version
            return at_it, f"it is at the update to {self.report.version}"
        if self._standing.trial is not None:
            return self._standing.trial == version, f"{self._standing.trial} is on trial"
        if version == self._build:
            self._tell(version, UpdatePhase.SETTLED)
            return True, f"it runs {version} already"
        if trouble := self._trouble(version, command):
            self._tell(version, UpdatePhase.REFUSED, trouble)
            return False, trouble
        assert self._tasks is not None, "it runs"
        self._task = self._tasks.create_task(self._take(version, command), name="update")
        return True, f"it takes {version}"

    def _trouble(self, version: str, command: Command) -> str:
        """Return why no update can be taken here, whatever it is; empty where one can."""
        said, launched = command.arguments, self._launched
        if not self._settings.update_keys:
            return "this agent trusts no key: name those of its releases in update_keys"
        if launched is None or launched.state_dir != str(self._settings.state_dir):
            return (
                "this agent was not started by farmhand-agent, or its state_dir stands where "
                "that does not look: give it by --state-dir, FARMHAND_AGENT_STATE_DIR or in TOML"
            )
        size = said.get("size_bytes")
        if not is_version(version) or not isinstance(size, int) or size > RELEASE_BYTES_MAX:
            return "what was said of the release makes no sense"
        return ""

    async def _take(self, version: str, command: Command) -> None:
        """Take one update, up to the new start."""
        try:
            self._tell(version, UpdatePhase.FETCHING)
            await self._bring(version, command)
            self._drain.hold(True)
            self._tell(version, UpdatePhase.DRAINING, "it waits until nothing prints")
            printers = tuple(self._printers())
            for printer in printers:
                printer.wake()
            await at_rest(printers)
            trial_s = float(command.arguments.get("trial_s") or 0.0)
            assert self._launched is not None, "only then it is taken"
            self._stand(
                launching.try_out(
                    self._standing,
                    version,
                    trial_s=min(max(trial_s, TRIAL_S_MIN), TRIAL_S_MAX),
                    over=self._launched.installed,
                )
            )
        except (ReleaseUntrusted, ReleaseUnfit, FileUnavailable, OSError) as error:
            self._drain.hold(False)
            log.warning("update.refused", version=version, reason=str(error))
            self._tell(version, UpdatePhase.REFUSED, str(error))
            return
        except asyncio.CancelledError:
            self._drain.hold(False)
            raise
        log.info("update.begins", version=version, build=self._build)
        self.due = True
        self._drain.empty.set()

    async def _bring(self, version: str, command: Command) -> None:
        """Have the version's folder whole on the card."""
        settings, said = self._settings, command.arguments
        files = FileStore(
            settings.state_dir / FOLDER,
            coordinator_url=settings.coordinator_url,
            token=settings.token.get_secret_value(),
            ca_file=settings.ca_file,
            cache_bytes_max=RELEASE_BYTES_MAX,
        )
        reference = PlateReference(
            sha256=str(said.get("sha256", "")),
            size_bytes=int(said.get("size_bytes") or 0),
            url=str(said.get("url", "")),
            name=f"release {version}",
        )
        for attempt in range(1, FETCHES_MAX + 1):
            try:
                file = await files.fetch(reference)
                break
            except FileUnavailable as error:
                if not error.retry or attempt == FETCHES_MAX:
                    raise
                await asyncio.sleep(FETCH_AGAIN_S)
        manifest = await asyncio.to_thread(
            installing.install,
            file,
            str(said.get("signature", "")),
            [public_key(key) for key in settings.update_keys],
            state_dir=settings.state_dir,
            running=self._build,
        )
        if manifest.version != version:
            raise ReleaseUnfit(f"the file is release {manifest.version}, not {version}")
        file.unlink(missing_ok=True)

    def _settle(self, version: str) -> tuple[bool, str]:
        if self._standing.trial != version or not self._on_trial:
            done = self.report == UpdateReport(version=version, phase=UpdatePhase.SETTLED)
            return done, f"it runs {self._build}, and {version} is not on trial"
        try:
            self._stand(launching.settled(self._standing))
        except OSError as error:
            return False, f"that can't be kept: {error.strerror}"
        signal.alarm(0)
        log.info("update.settled", version=version)
        self._drain.hold(False)
        self._tell(version, UpdatePhase.SETTLED)
        for printer in self._printers():
            printer.wake()
        assert self._tasks is not None, "it runs"
        self._tasks.create_task(self._last(), name="update.lasting")
        return True, f"it runs {version}"

    def _cancel(self, version: str) -> tuple[bool, str]:
        """Give up an update that has not come to its trial."""
        report = self.report
        if self._task is None or self._task.done() or report is None or report.version != version:
            return False, f"it is at no update to {version}"
        self._task.cancel()
        self._drain.hold(False)
        self._tell(version, UpdatePhase.REFUSED, "the update was called off")
        for printer in self._printers():
            printer.wake()
        return True, "called off"

    async def _last(self) -> None:
        """Believe in what runs, once it has run for long enough; what is not needed goes."""
        await asyncio.sleep(launching.LASTING_S)
        standing = self._standing
        with suppress(OSError):
            self._stand(launching.lasted(standing))
            taking = self.report.version if self.report is not None else None
            kept = (standing.current, standing.previous, taking)
            await asyncio.to_thread(installing.forget_others, self._settings.state_dir, kept)

    def _stand(self, standing: launching.Standing) -> None:
        launching.write(self._settings.state_dir, standing)
        self._standing = standing

    def _tell(self, version: str, phase: UpdatePhase, words: str = "") -> None:
        self.report = UpdateReport(version=version, phase=phase, words=words)
        if phase is UpdatePhase.REFUSED:
            told = launching.Told(version=version, phase=phase.value, words=words)
            with suppress(OSError):
                self._stand(replace(self._standing, told=told))
        self._say(self._drain.on, self.report)
