"""CAD Python (build123d, CadQuery, FreeCAD) becomes a mesh and STEP, in the sandbox."""

import asyncio
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordinator.adapters.rendering import stl
from coordinator.adapters.rendering.cad_form import form_of
from coordinator.adapters.rendering.engines import cad_venv
from coordinator.adapters.rendering.filling import filled
from coordinator.adapters.rendering.values import (
    Complaint,
    Made,
    Rendered,
    Unrendered,
)
from coordinator.adapters.sandbox.jobs import JobFolder, job_folder
from coordinator.adapters.sandbox.levels import INSIDE, Level
from coordinator.adapters.sandbox.limits import Ended, How, Limits
from coordinator.adapters.sandbox.sandbox import Sandbox
from coordinator.domain.code_forms import Parameter, Scalar
from coordinator.errors import Unavailable

_RUNNER = Path(__file__).with_name("cad_runner.py")
_RESULT_BYTES_MAX = 100_000
_LAST_LINES = 12
# One thread for each of its kinds is enough for one part, and keeps cores for the farm.
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "NUMBA_DISABLE_JIT": "1",
    "PYTHONUTF8": "1",
    "QT_QPA_PLATFORM": "offscreen",
    # It asks who runs it for their home, and crashes where nobody of that number is known.
    "FREECAD_USER_HOME": INSIDE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """What runs programs of one library.

    Attributes:
        command: to be followed by the file that it runs.
        roots: what it reads beside /usr.
        missing: what to install; empty where it is there.
    """

    title: str
    command: tuple[str, ...]
    roots: tuple[Path, ...] = ()
    missing: str = ""


def interpreter_of(library: str, program: str = "") -> Interpreter:
    """Return what runs programs of a library.

    Args:
        program: FreeCAD's, by name or path; empty for the names that it usually has.
    """
    if library == "freecad":
        return _freecad(program)
    venv, base = cad_venv(library), Path(sys.base_prefix)
    there = (venv / "ready").is_file()
    return Interpreter(
        title=venv.name.replace("-", " "),
        command=(str(venv / "bin" / "python"), "-I", "-B"),
        roots=(venv, *(() if base.is_relative_to("/usr") else (base,))),
        missing="" if there else f"there is no {library}: farmhand setup {library}",
    )


def _freecad(program: str) -> Interpreter:
    # Debian's name, that of its own packages, and where neither was linked to.
    names = (program,) if program else ("freecadcmd", "FreeCADCmd", "freecadcmd-python3")
    found = next(filter(None, map(shutil.which, names)), "")
    path, named = Path(found).resolve(), program or "freecadcmd"
    return Interpreter(
        title="FreeCAD",
        command=(str(path),),
        roots=() if path.is_relative_to("/usr") else (path.parent,),
        missing="" if found else f"there is no {named}: sudo apt-get install freecad",
    )


class CadPython:
    """One of the libraries, by what runs its programs."""

    libraries: tuple[str, ...] = ()

    def __init__(self, sandbox: Sandbox, folder: Path, library: str, program: str = "") -> None:
        """Find out whether it is there.

        Args:
            folder: for job folders.
            library: `build123d`, `cadquery` or `freecad`.
            program: as for `interpreter_of`.
        """
        self._sandbox = sandbox
        self._folder = folder
        self._interpreter = interpreter_of(library, program)
        self.language = library
        self.trouble = self._interpreter.missing
        if not self.trouble and not sandbox.found.level.holds(Level.BWRAP):
            # Python can read and send whatever its process may: there is no lesser way.
            self.trouble = f"Python can't be shut in here: {sandbox.found.words}"

    @property
    def tool(self) -> str:
        """What renders, with its version and the level it is shut in at."""
        return f"{self._interpreter.title}, sandbox {self._sandbox.found.level.value}"

    def parameters(self, code: str) -> tuple[Parameter, ...]:
        """Return the form that code asks for."""
        return form_of(code)

    async def render(
        self, code: str, parameters: Mapping[str, Scalar], limits: Limits
    ) -> Rendered | Unrendered:
        """Make geometry of code; see `Renderer`."""
        if self.trouble:
            raise Unavailable("cad_missing", self.trouble)
        values, wrong = filled(form_of(code), parameters)
        if wrong:
            return Unrendered(
                fault="the parameters do not fit the code",
                complaints=tuple(Complaint(message=each) for each in wrong),
            )
        async with job_folder(self._folder) as job:
            job.put("model.py", code.encode())
            job.put("parameters.json", json.dumps(values).encode())
            ended = await self._sandbox.run(
                [*self._interpreter.command, str(_RUNNER)],
                job,
                limits=limits,
                roots=(*self._interpreter.roots, _RUNNER),
                environment={**_ENVIRONMENT, "FARMHAND_LIBRARY": self.language},
            )
            return await asyncio.to_thread(self._found, job, ended)

    def _found(self, job: JobFolder, ended: Ended) -> Rendered | Unrendered:
        """Return what a program left behind; all of it is a stranger's. Blocks."""
        told = _told(job)
        if ended.fault or told.get("phase") != "done":
            return _unrendered(ended, told)
        mesh = job.take("model.stl", bytes_max=stl.BYTES_MAX)
        step = job.take("model.step", bytes_max=stl.BYTES_MAX)
        measured = stl.measured(mesh) if mesh else None
        if mesh is None or measured is None:
            return Unrendered(
                fault="it made no mesh, or one with more than "
                f"{stl.TRIANGLES_MAX // 1_000_000} million triangles"
            )
        triangles, size_mm = measured
        files = [Made(role="mesh", suffix=".stl", data=mesh)]
        if step and step.startswith(b"ISO-10303-21"):
            files.append(Made(role="step", suffix=".step", data=step))
        return Rendered(
            files=tuple(files),
            triangles=triangles,
            size_mm=size_mm,
            tool=self.tool,
            wall_s=ended.wall_s,
        )


def _told(job: JobFolder) -> Mapping[str, Any]:
    data = job.take("result.json", bytes_max=_RESULT_BYTES_MAX)
    try:
        found = json.loads(data) if data else None
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def _unrendered(ended: Ended, told: Mapping[str, Any]) -> Unrendered:
    limited = ended.how is not How.EXITED
    message = str(told.get("message", ""))[:1000]
    complaints: tuple[Complaint, ...] = ()
    if told.get("phase") != "done" and told:
        line = told.get("line")
        complaint = Complaint(
            message=f"{str(told.get('error_type', 'Error'))[:80]}: {message}",
            file="model.py",
            line=line if isinstance(line, int) and line > 0 else 0,
        )
        complaints = (complaint,)
    step = {"parse": "is no Python", "run": "could not be run", "export": "made no part"}
    fault = f"the program {step.get(str(told.get('phase')), 'ended without a part')}"
    if limited:
        fault += f": {ended.fault}"
    return Unrendered(
        fault=fault,
        complaints=complaints,
        words="\n".join(ended.words.splitlines()[-_LAST_LINES:]),
        limited=limited,
    )
