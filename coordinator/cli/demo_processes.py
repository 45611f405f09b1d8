"""The demo's processes: started as in production, watched, and never left behind."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.cli.exits import CommandFailed

STOP_PATIENCE_S = 10.0
LOG_LINES_SHOWN = 12

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class ChildDied(CommandFailed):
    """A process that has to stay up ended; the text holds its last words."""


@dataclass(frozen=True, slots=True)
class Child:
    """One process and the file that its output goes to."""

    name: str
    process: asyncio.subprocess.Process
    log: Path


@dataclass(slots=True)
class Children:
    """All of them, in the order of their start."""

    log_dir: Path
    environment: Mapping[str, str]
    started: list[Child] = field(default_factory=list)

    async def start(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        secrets: Mapping[str, str] | None = None,
    ) -> Child:
        """Start `python -m module arguments`; its output goes to a file.

        Secrets go through the environment: arguments can be read by everybody on the machine.
        """
        log = self.log_dir / f"{name}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env={**self.environment, **(secrets or {})},
                cwd=self.log_dir,  # no `.env` of the user's
                # Ctrl-C is ours alone: we end the children in order. Should we be killed, the
                # kernel tells them.
                start_new_session=True,
                preexec_fn=end_with_parent(),
            )
        child = Child(name, process, log)
        self.started.append(child)
        return child

    def require_alive(self) -> None:
        """Do nothing, or tell which one died.

        Raises:
            ChildDied: with the end of its log.
        """
        for child in self.started:
            if (code := child.process.returncode) is not None:
                raise ChildDied(
                    f"{child.name} ended with code {code}; its last lines, of {child.log}:\n"
                    + "\n".join(f"  {line}" for line in last_lines(child.log))
                )

    async def stop(self) -> None:
        """End them all, the latest first, each kindly and then by force."""
        for child in reversed(self.started):
            if child.process.returncode is not None:
                continue
            child.process.terminate()
            try:
                # Not asyncio.timeout: broken in a cancelled task on Python 3.11.2.
                await asyncio.wait_for(child.process.wait(), STOP_PATIENCE_S)
            except TimeoutError:
                child.process.kill()
                await child.process.wait()


def last_lines(log: Path, count: int = LOG_LINES_SHOWN) -> Sequence[str]:
    """Return the end of a log."""
    return log.read_text(errors="replace").splitlines()[-count:]


def end_with_parent() -> Callable[[], None] | None:
    """Return what asks the kernel, in the child, to end it with its parent; Linux only."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork: after it that isn't safe
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return ask
