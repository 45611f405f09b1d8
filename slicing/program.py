"""An engine's program: found, run in its task's folder, and judged by how it ended.

What all engines that are programs share. The program sees no settings of whoever runs the farm: its
home is the task's folder.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from slicing.engine import EngineTask
from slicing.errors import (
    EngineFailed,
    EngineMissing,
    EngineTimedOut,
    ModelTooComplex,
    OutputUnwritable,
    SlicingError,
)
from slicing.process import Finished, ProcessLimits, run

MIB = 1024 * 1024

# Telling its version takes no program long, nor much; the address space counts shared libraries.
PROBE = ProcessLimits(wall_s_max=30.0, memory_bytes_max=4096 * MIB, output_bytes_max=MIB)

Complaint = tuple[str, type[SlicingError], str]
"""Words of a program, the failure that they mean, and what that tells a person."""

_DISK_FULL = "The slicer could not write the plate: free disk space and slice again."
_COMMON: tuple[Complaint, ...] = (
    ("Is the disk full", OutputUnwritable, _DISK_FULL),
    ("No space left on device", OutputUnwritable, _DISK_FULL),
    (
        "bad_alloc",
        ModelTooComplex,
        "The slicer ran out of the memory it is given: reduce the model's triangles (decimate).",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One slicer as a program.

    Attributes:
        title: what people call it.
        candidates: names to look for on the search path, or whole paths.
        remedy: how it gets installed, as the second half of a sentence.
        complaints: what it says -> what that means; the first that is found counts.
        noise: whether a line is too common to be a reason.
        variables: what its environment holds besides the usual.
        reserves_addresses: it claims far more address space than it uses; then what it can write
            is bounded instead.
    """

    title: str
    candidates: tuple[str, ...]
    remedy: str
    complaints: tuple[Complaint, ...] = ()
    noise: Callable[[str], bool] = lambda _line: False
    variables: Mapping[str, str] = field(default_factory=dict)
    reserves_addresses: bool = False

    def path(self) -> str:
        """Return where it is.

        Raises:
            EngineMissing: it is not installed.
        """
        for candidate in self.candidates:
            if found := shutil.which(candidate):
                return found
        raise EngineMissing(
            f"{self.title} is not installed, or not on the PATH: {self.remedy}.",
            programs=self.candidates,
        )

    def stamp(self) -> str:
        """Return where it is, its size and when it was installed; a new version differs in one.

        Raises:
            EngineMissing: it is not installed.
        """
        path = Path(self.path()).resolve()
        status = path.stat()
        return f"{path} {status.st_size} {status.st_mtime_ns}"

    def run(
        self,
        arguments: Sequence[str],
        folder: Path,
        limits: ProcessLimits,
        on_line: Callable[[str], None],
    ) -> Finished:
        """Run it with some arguments and return how it ended; a line is told as it appears.

        Raises:
            EngineMissing: it is not installed, or can't be started.
        """
        path = self.path()
        # It buffers its output when that is no terminal, and progress would come all at the end.
        stdbuf = shutil.which("stdbuf")
        prefix = [stdbuf, "-oL"] if stdbuf else []
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "LC_ALL": "C.UTF-8",
            **self.variables,
        }
        try:
            return run(
                [*prefix, path, *arguments],
                folder=folder,
                environment=environment,
                limits=replace(limits, reserves_addresses=self.reserves_addresses),
                on_line=on_line,
            )
        except OSError as error:
            raise EngineMissing(
                f"{self.title} can't be started ({error.strerror}): reinstall it.", program=path
            ) from error

    def judge(self, ended: Finished, task: EngineTask) -> None:
        """Return if it ended well and left a file.

        Raises:
            SlicingError: of the kind that its last words tell.
        """
        if ended.timed_out:
            raise EngineTimedOut(
                f"{self.title} did not finish within {task.limits.wall_s_max:g} s: reduce the "
                "model's triangles, choose thicker layers, or allow it more time.",
                limit_s=task.limits.wall_s_max,
            )
        if ended.status == 0 and task.output_path.is_file():
            return
        said = "\n".join(ended.lines)
        facts = {"status": ended.status, "said": [line[:500] for line in ended.lines[-10:]]}
        for words, kind, sentence in (*self.complaints, *_COMMON):
            if words in said:
                raise kind(sentence, **facts)
        last = next((line for line in reversed(ended.lines) if not self.noise(line)), "nothing")
        raise EngineFailed(
            f"{self.title} ended with status {ended.status} and no plate; it said: {last[:200]}",
            **facts,
        )
