"""What a host is to the benchmark: processes that stream one file to some ports."""

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import ClassVar

LOG = "host.log"
ROOT = Path(__file__).parents[3]
END_S_MAX = 10.0
LOG_BYTES_MAX = 2000  # of a log that is shown when a trial fails


class HostFailed(Exception):
    """A host could not be brought to print."""


class Host(ABC):
    """One program that streams G-code.

    Attributes:
        name: how the report calls it.
        shares_a_process: several printers are served by one process, as its users run it.
        flow_control: the link of this trial has it, which a host's user may know and configure.
    """

    name: str
    shares_a_process: ClassVar[bool]
    flow_control: bool = False

    def prepare(self) -> None:  # noqa: B027  # most need something, some nothing
        """Install or compile what it needs; may take minutes the first time.

        Raises:
            NotInstallable: it cannot be had here.
        """

    @abstractmethod
    def command(self, ports: Sequence[Path], gcode: Path, folder: Path) -> list[str]:
        """Return the command that serves these ports; one port unless it shares a process."""

    def begin(self, folders: Sequence[Path]) -> None:  # noqa: B027  # most begin by themselves
        """Make started processes print, all at once, where they do not by themselves.

        Raises:
            HostFailed: one does not come up, or refuses.
        """

    @contextmanager
    def streaming(
        self, ports: Sequence[Path], gcode: Path, folders: Sequence[Path], pid_files: Sequence[Path]
    ) -> Iterator[Callable[[], bool]]:
        """Stream the file to every port while the context lasts; yields "is any process alive?".

        Args:
            ports: one for each printer.
            folders: one for each printer, for what the host wants to keep.
            pid_files: one for each printer; each gets the process that serves it.
        """
        groups = [list(ports)] if self.shares_a_process else [[port] for port in ports]
        with ExitStack() as stack:
            processes = []
            for group, folder in zip(groups, folders, strict=False):
                command = self.command(group, gcode, folder)
                process = stack.enter_context(_running(command, folder))
                processes.append(process)
                served = [
                    file for port, file in zip(ports, pid_files, strict=True) if port in group
                ]
                for pid_file in served:
                    pid_file.write_text(f"{process.pid}\n")
            self.begin(folders[: len(groups)])
            yield lambda: any(process.poll() is None for process in processes)


def last_words(folder: Path) -> str:
    """Return the end of what a host's process wrote, empty if nothing."""
    log = folder / LOG
    return log.read_bytes()[-LOG_BYTES_MAX:].decode(errors="replace") if log.exists() else ""


@contextmanager
def _running(command: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(END_S_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
