"""The demo's folder and the files in it: where everything of one demo lies."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coordinator
from coordinator.cli.exits import CommandFailed

PRINTER_CLASS = "farmhand-220"
MATERIAL = "PLA"
QUALITY = "draft"

# The provider of the demo: parts by OpenSCAD code of one's own.
CODE = "code"

# How the names of their options end that name a file or a folder.
_PATHS = ("_file", "_folder")

# Settings of providers: the user's own, and no others of theirs.
_PROVIDERS = re.compile(r"FARMHAND_(PROVIDERS(__\w+)?|BUDGET_PER_(USER_)?DAY)$", re.IGNORECASE)

_ROOT = Path(coordinator.__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Folder:
    """Where everything of one demo lies."""

    path: Path

    @property
    def coordinator(self) -> Path:
        """The coordinator's state."""
        return self.path / "coordinator"

    @property
    def agent(self) -> Path:
        """The agent's state."""
        return self.path / "agent"

    @property
    def agent_config(self) -> Path:
        """The agent's configuration."""
        return self.path / "agent.toml"

    @property
    def logs(self) -> Path:
        """What each process says."""
        return self.path / "logs"

    def port(self, printer_id: str) -> Path:
        """The serial port of a printer: a link to its pseudo-terminal."""
        return self.path / "ports" / printer_id

    def camera(self, printer_id: str) -> Path:
        """Where a printer writes the address of the camera above its bed."""
        return self.path / "ports" / f"{printer_id}.camera"

    def executed(self, printer_id: str) -> Path:
        """What a printer executed, line by line."""
        return self.path / "executed" / f"{printer_id}.log"


@contextmanager
def folder(wanted: Path | None) -> Iterator[Folder]:
    """Lend the folder that was asked for, or a temporary one that is gone if all went well."""
    if wanted is not None:
        yield _made(Folder(wanted.absolute()))
        return
    path = Path(tempfile.mkdtemp(prefix="farmhand-demo-"))
    yield _made(Folder(path))
    # After an error it stays: the logs in it tell why.
    shutil.rmtree(path, ignore_errors=True)


def _made(made: Folder) -> Folder:
    for path in (made.coordinator, made.agent, made.logs, made.path / "ports"):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandFailed(f"{path} can't be made: {error.strerror}") from error
    executed = made.path / "executed"
    executed.mkdir(exist_ok=True)
    # Of an earlier demo in the same folder, killed perhaps.
    for left in (*executed.glob("*.log"), *(made.path / "ports").glob("*.camera")):
        left.unlink()
    return made


def printer_ids(count: int) -> list[str]:
    """Return the printers' ids, `printer-1` and on."""
    return [f"printer-{number}" for number in range(1, count + 1)]


def barn() -> Path:
    """Return the model that ships with the project, in a checkout or installed.

    Raises:
        CommandFailed: the installation is incomplete.
    """
    for base in (_ROOT / "configs", _ROOT / "slicing" / "_configs"):
        if (model := base / "dev" / "barn.stl").is_file():
            return model
    raise CommandFailed("the demo's model is missing from this installation; name one with --model")


def environment() -> dict[str, str]:
    """Return what the children inherit: nothing of the user's farm, and our packages."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("FARMHAND_")}
    paths = [str(_ROOT), *filter(None, [inherited.get("PYTHONPATH")])]
    return {**inherited, "PYTHONPATH": os.pathsep.join(paths)}


def provider_settings() -> dict[str, str]:
    """Return what the coordinator is told of providers of models, as its environment has it.

    Those that the user's environment names come along, with their budgets: they are the user's own
    accounts. Files are meant from where the user stands; the coordinator will stand elsewhere.
    Beside them there is one that needs nobody's: OpenSCAD code that somebody brings.
    """
    told = {
        name: _from_here(name, value)
        for name, value in os.environ.items()
        if _PROVIDERS.match(name)
    }
    if not _names_code(told):
        told[f"FARMHAND_PROVIDERS__{CODE.upper()}__SERVICE"] = "openscad"
    return told


def _from_here(name: str, value: str) -> str:
    """Return a variable's value with whole paths."""
    if name.lower().endswith(_PATHS):
        return _whole(value)
    try:
        table = json.loads(value)
    except ValueError:
        return value
    return json.dumps(whole) if (whole := _whole_in("", table)) != table else value


def _whole_in(name: str, option: Any) -> Any:
    """Return an option, and all that is in it, with whole paths."""
    if isinstance(option, dict):
        return {its_name: _whole_in(its_name, value) for its_name, value in option.items()}
    return _whole(option) if name.endswith(_PATHS) and isinstance(option, str) else option


def _whole(path: str) -> str:
    return str(Path(path).expanduser().absolute()) if path else path


def _names_code(told: Mapping[str, str]) -> bool:
    """Whether the user has a provider of that name."""
    try:
        named = json.loads(told.get("FARMHAND_PROVIDERS") or "{}")
    except ValueError:
        return True  # the coordinator says what is wrong with it
    nested = f"FARMHAND_PROVIDERS__{CODE}__".upper()
    own = isinstance(named, dict) and CODE in named
    return own or any(name.upper().startswith(nested) for name in told)


def coordinator_arguments(home: Folder) -> list[str]:
    """Return the coordinator's flags: all its own, on free ports."""
    return ["--state-dir", str(home.coordinator), "--port", "0", "--broker-port", "0"]


def printer_arguments(home: Folder, printer_id: str, speed: float) -> list[str]:
    """Return a simulated printer's flags."""
    return [
        "--pty",
        str(home.port(printer_id)),
        "--speed",
        f"{speed:g}",
        "--log",
        str(home.executed(printer_id)),
        "--camera",
        str(home.camera(printer_id)),
    ]


def agent_toml(home: Folder, ids: list[str], *, api_url: str, mqtt_url: str) -> str:
    """Return the agent's configuration: one table for each printer."""
    head = f"""\
agent_id = "demo"
state_dir = "{home.agent}"
mqtt_url = "{mqtt_url}"
coordinator_url = "{api_url}"
"""
    return head + "".join(
        f"""
[[printers]]
id = "{printer_id}"
name = "{printer_id.replace("-", " ").capitalize()}"
printer_class = "{PRINTER_CLASS}"
driver = "marlin_serial"
material = "{MATERIAL}"
camera = "{home.camera(printer_id).read_text().strip()}"
[printers.settings]
port = "{home.port(printer_id)}"
"""
        for printer_id in ids
    )
