"""OpenSCAD code becomes a mesh, in the sandbox: native or as WebAssembly, whichever is there."""

import asyncio
import dataclasses
from collections.abc import Mapping
from pathlib import Path

from coordinator.adapters.rendering import stl
from coordinator.adapters.rendering.filling import filled
from coordinator.adapters.rendering.openscad_engines import (
    MESH,
    PARAMETERS,
    SOURCE,
    OpenScadEngine,
    libraries_in,
    library_folders,
    native,
    wasm,
)
from coordinator.adapters.rendering.openscad_form import form_of, parameter_file
from coordinator.adapters.rendering.openscad_words import complaints_of
from coordinator.adapters.rendering.values import (
    Complaint,
    Made,
    Rendered,
    Unrendered,
)
from coordinator.adapters.sandbox.jobs import JobFolder, job_folder
from coordinator.adapters.sandbox.limits import Ended, How, Limits
from coordinator.adapters.sandbox.sandbox import Sandbox
from coordinator.domain.code_forms import Parameter, Scalar, Value
from coordinator.errors import Unavailable

_LAST_LINES = 20


class OpenScad:
    """OpenSCAD on this machine."""

    language = "openscad"

    def __init__(
        self,
        sandbox: Sandbox,
        folder: Path,
        *,
        engine: str = "auto",
        program: str = "openscad",
        libraries: Path | None = None,
        memory_mib: int = 2048,
    ) -> None:
        """Find out what is there; takes some 100 ms.

        Args:
            folder: for job folders.
            engine: `native`, `wasm`, or `auto`: the faster of those that may be used.
            program: the system's, by name or path.
            libraries: a folder with further libraries of code, each a folder.
        """
        self._sandbox = sandbox
        self._folder = folder
        folders = library_folders(libraries)
        self.libraries = libraries_in(folders)
        self.trouble = ""
        self._engine: OpenScadEngine | None = None
        found = [
            native(program, folders) if engine != "wasm" else None,
            wasm(folders, memory_mib=memory_mib) if engine != "native" else None,
        ]
        there = [each for each in found if each is not None]
        usable = [each for each in there if sandbox.found.level.holds(each.needs)]
        if usable:
            # The native one is many times slower unless it has the newer kernel.
            self._engine = max(usable, key=_speed)
        elif there:
            self.trouble = f"OpenSCAD can't be shut in here: {sandbox.found.words}; "
            self.trouble += "its WebAssembly build would do: farmhand setup openscad"
        else:
            self.trouble = (
                "there is no OpenSCAD: sudo apt-get install openscad, or: farmhand setup openscad"
            )

    @property
    def tool(self) -> str:
        """What renders, with its version and the level it is shut in at."""
        title = self._engine.title if self._engine else "no OpenSCAD"
        return f"{title}, sandbox {self._sandbox.found.level.value}"

    def parameters(self, code: str) -> tuple[Parameter, ...]:
        """Return the form that code asks for."""
        return form_of(code)

    async def render(
        self, code: str, parameters: Mapping[str, Scalar], limits: Limits
    ) -> Rendered | Unrendered:
        """Make a mesh of code; see `Renderer`."""
        if self._engine is None:
            raise Unavailable("openscad_missing", self.trouble)
        values, wrong = filled(form_of(code), parameters)
        if wrong:
            return Unrendered(
                fault="the parameters do not fit the code",
                complaints=tuple(Complaint(message=each) for each in wrong),
            )
        async with job_folder(self._folder) as job:
            return await self._rendered(self._engine, code, values, limits, job)

    async def _rendered(
        self,
        engine: OpenScadEngine,
        code: str,
        values: Mapping[str, Value],
        limits: Limits,
        job: JobFolder,
    ) -> Rendered | Unrendered:
        job.put(SOURCE, code.encode())
        job.put(PARAMETERS, parameter_file(values))
        ended = await self._sandbox.run(
            engine.command,
            job,
            limits=dataclasses.replace(limits, reserves_addresses=engine.reserves_addresses),
            roots=engine.roots,
            environment=engine.environment,
            needs=engine.needs,
        )
        complaints = complaints_of(ended.words)
        if ended.fault or any(each.fatal for each in complaints):
            return _unrendered(ended, complaints)
        data = await asyncio.to_thread(job.take, MESH, bytes_max=stl.BYTES_MAX)
        measured = await asyncio.to_thread(stl.measured, data) if data else None
        if data is None or measured is None:
            return Unrendered(
                fault="it made no mesh, or one with more than "
                f"{stl.TRIANGLES_MAX // 1_000_000} million triangles",
                complaints=complaints,
            )
        triangles, size_mm = measured
        return Rendered(
            files=(Made(role="mesh", suffix=".stl", data=data),),
            triangles=triangles,
            size_mm=size_mm,
            tool=self.tool,
            wall_s=ended.wall_s,
            complaints=complaints,
        )


def _speed(engine: OpenScadEngine) -> int:
    if "--backend=manifold" in engine.command:
        return 2
    return 1 if engine.reserves_addresses else 0


def _unrendered(ended: Ended, complaints: tuple[Complaint, ...]) -> Unrendered:
    fault = "OpenSCAD could not make it"
    limited = ended.how is not How.EXITED
    if limited:
        fault += f": {ended.fault}"
    return Unrendered(
        fault=fault,
        complaints=complaints,
        words="\n".join(ended.words.splitlines()[-_LAST_LINES:]),
        limited=limited,
    )
