"""Farmhand's own processes, started as a person would, for tests of what they say and leave.

Programs whose imports cost a second are forked from one that has them loaded (`forked.py`); their
true start is the subject of `test_coordinator_process`, `test_agent_launcher` and others.
"""

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, TypeAlias
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.fakes.fork_server import PROGRAMS
from tests.fakes.forked import Forked, fork

ROOT = Path(__file__).parents[2]
# The libraries take seconds on a machine that does other things too.
PATIENCE_S = 60.0

Process: TypeAlias = subprocess.Popen[bytes] | Forked


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def sentence(self, program: str) -> str:
        """Return the one line on standard error, without the program's name before it."""
        assert "Traceback" not in self.err, self.err
        [line] = self.err.splitlines()
        assert line.startswith(f"{program}: "), self.err
        return line.removeprefix(f"{program}: ")


def environment(**changes: str) -> dict[str, str]:
    """Return ours, without any settings of a farm, and with the checkout's packages."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("FARMHAND_")}
    return {**ours, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **changes}


def run(module: str, *arguments: str | Path, cwd: Path | None = None, **changes: str) -> Ended:
    """Run a module to its end."""
    with TemporaryFile() as out, TemporaryFile() as errors:
        process = _start(module, arguments, (out, errors), environment(**changes), cwd)
        try:
            code = process.wait(PATIENCE_S)
        finally:
            process.kill()
        return Ended(code, *(_words(file) for file in (out, errors)))


@contextmanager
def started(
    module: str,
    *arguments: str | Path,
    log: Path,
    before: Callable[[], None] | None = None,
    **changes: str,
) -> Iterator[Process]:
    """Run a module for the length of the block; killed at its end unless it ended before.

    Args:
        before: called in the child before it becomes the module.
    """
    with log.open("wb") as words:
        process = _start(module, arguments, (words, words), environment(**changes), before=before)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _start(
    module: str,
    arguments: Sequence[str | Path],
    said: tuple[IO[bytes], IO[bytes]],
    around: Mapping[str, str],
    cwd: Path | None = None,
    before: Callable[[], None] | None = None,
) -> Process:
    """Start a module; `said` takes its output and its errors."""
    words = [str(each) for each in arguments]
    output, errors = said
    if module in PROGRAMS and before is None:
        return fork(module, words, environment=around, cwd=cwd, output=output, errors=errors)
    return subprocess.Popen(
        [sys.executable, "-m", module, *words],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        env=around,
        cwd=cwd,
        preexec_fn=before,
        start_new_session=True,
    )


def _words(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def until(holds: Callable[[], Any], what: str) -> Any:
    """Return what holds as soon as it is true: other processes tell nobody when it is."""
    ends_s = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < ends_s, f"waited {PATIENCE_S:.0f} s for {what}"
        time.sleep(0.05)
    return found


def stop(process: Process, *, within_s: float) -> int:
    """Ask a process to end, and return its exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(within_s)


def descendants(pid: int) -> list[int]:
    """Return a process's children, and theirs."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for word in (task / "children").read_text().split():
            found += [int(word), *descendants(int(word))]
    return found


def ended(pids: Sequence[int]) -> bool:
    """Whether none of these processes is left."""
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@dataclass
class Coordinator:
    """A coordinator that is up, a person's command, and its API."""

    process: Process
    folder: Path
    log: Path
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return str(self.facts["api_url"])

    @property
    def token(self) -> str:
        return (self.folder / "token").read_text().strip()

    def farmhand(self, *arguments: str | Path) -> Ended:
        """Run the command against it."""
        return run("coordinator.cli.main", *arguments, FARMHAND_STATE_DIR=str(self.folder))

    def ask(self, path: str, *, method: str = "GET") -> tuple[int, Any]:
        """Return status and document of a question with the token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        request = Request(f"{self.url}/api/v1/{path}", method=method, headers=headers)
        try:
            with urlopen(request, timeout=PATIENCE_S, context=self._tls()) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)

    def _tls(self) -> ssl.SSLContext | None:
        authority = self.folder / "tls" / "authority.pem"
        return ssl.create_default_context(cafile=authority) if authority.exists() else None

    def jobs(self) -> list[Any]:
        return list(self.ask("jobs")[1]["items"])

    def kept(self) -> list[str]:
        """Return every file in the artifact store, those that are only staged too."""
        store = self.folder / "artifacts"
        return sorted(str(path.relative_to(store)) for path in store.rglob("*") if path.is_file())


@contextmanager
def coordinator(
    folder: Path, *flags: str, before: Callable[[], None] | None = None, **changes: str
) -> Iterator[Coordinator]:
    """Run a coordinator on free ports; lend it once it says where it is."""
    log = folder.parent / f"{folder.name}.log"
    usual = ["--state-dir", str(folder), "--port", "0", "--broker-port", "0"]
    with started("coordinator", *usual, *flags, log=log, before=before, **changes) as process:

        def told() -> Any:
            assert process.poll() is None, log.read_text()
            file = folder / "coordinator.json"
            facts = json.loads(file.read_text()) if file.exists() else {}
            return facts if facts.get("pid") == process.pid else None

        yield Coordinator(process, folder, log, until(told, "the coordinator to start"))


def path_without(program: str, into: Path) -> str:
    """Return a search path on which all is found but one program."""
    into.mkdir()
    for folder in os.environ["PATH"].split(os.pathsep):
        for file in Path(folder).glob("*") if folder else ():
            link = into / file.name
            if file.name != program and not link.is_symlink():
                link.symlink_to(file)
    assert shutil.which(program, path=str(into)) is None
    return str(into)
