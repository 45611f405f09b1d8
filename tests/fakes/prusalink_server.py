"""A real PrusaLink from the package index, as a process, before a stand-in for its printer."""

import hashlib
import json
import subprocess
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.benchmarks.hosts.octoprint import free_port
from tests.benchmarks.installing import environment
from tests.fakes.prusa_board import PrusaBoard

LOCK = Path(__file__).parent.parent / "edges" / "prusalink" / "prusalink.lock"
KEY = "K" * 16
USER, PASSWORD = "maker", "Secret-1234"
START_S_MAX = 60.0  # it gives a board eight seconds to boot
LOOK_S = 0.1
CONFIG = """\
[daemon]
data_dir = {folder}
[http]
address = 127.0.0.1
port = {port}
[printer]
port = {device}
settings = {folder}/settings.ini
directory = {folder}/plates
[cameras]
auto_detect = False
"""
SETTINGS = """\
[printer]
type = MK3S
name = one
location = here
[service::local]
enable = 1
username = {user}
digest = {digest}
api_key = {key}
"""
# Prusa's program, but for what is not there: the names of its threads (python-prctl and turbojpeg
# want system libraries) and cameras. It announces itself on loopback only, and its plates may lie
# where temporary files do.
PROGRAM = """\
import functools, sys, types
sys.modules["prctl"] = types.SimpleNamespace(set_name=lambda name: None)
sys.modules["numpy"] = types.ModuleType("numpy")
sys.modules["prusa.link.cameras.encoders"] = encoders = types.ModuleType("encoders")
encoders.BufferDetails = encoders.MJPEGEncoder = encoders.get_appropriate_encoder = object
import zeroconf
zeroconf.Zeroconf = functools.partial(zeroconf.Zeroconf, interfaces=["127.0.0.1"])
import prusa.link.const
prusa.link.const.BLACKLISTED_PATHS.remove("/tmp")
import prusa.link.__main__
sys.exit(prusa.link.__main__.main())
"""


class PrusaLinkServer:
    """One server with one printer, on loopback.

    Attributes:
        board: the printer's.
        url, key: where its page is, and what opens its API.
        plates: the folder of its storage `local`.
    """

    key = KEY

    def __init__(self, folder: Path) -> None:
        self._programs = environment(LOCK)
        self._folder = folder
        self.plates = folder / "plates"
        self.plates.mkdir()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.board = PrusaBoard()
        config = CONFIG.format(folder=folder, port=self.port, device=self.board.port)
        (folder / "prusalink.ini").write_text(config)
        digest = hashlib.md5(f"{USER}:Administrator:{PASSWORD}".encode(), usedforsecurity=False)
        settings = SETTINGS.format(user=USER, digest=digest.hexdigest(), key=KEY)
        (folder / "settings.ini").write_text(settings)
        (folder / "program.py").write_text(PROGRAM)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return once it knows its printer, and where to put plates."""
        command = [self._programs / "python", self._folder / "program.py", "-f", "-i"]
        with (self._folder / "words").open("ab") as words:
            self._process = subprocess.Popen(
                [*command, "-c", self._folder / "prusalink.ini"],
                stdin=subprocess.DEVNULL, stdout=words, stderr=words, cwd=self._folder,
            )  # fmt: skip
        deadline_s = time.monotonic() + START_S_MAX
        while self.state != "IDLE" or not self._stores():
            assert time.monotonic() < deadline_s, (self._folder / "words").read_text()[-3000:]
            time.sleep(LOOK_S)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """End it, and its printer."""
        self.kill()
        self.board.close()

    @property
    def state(self) -> str:
        """Its word for what the printer does; empty where it does not answer."""
        with suppress(OSError, KeyError, ValueError):
            return str(self.ask("api/v1/status")["printer"]["state"])
        return ""

    def _stores(self) -> bool:
        storages = self.ask("api/v1/storage")["storage_list"]
        return any(each["path"] == "/local" and each["available"] for each in storages)

    def ask(self, path: str, *, verb: str = "GET") -> Any:
        """Return what it answers to a person's page; None without content."""
        question = urllib.request.Request(
            f"{self.url}/{path}", method=verb, headers={"X-Api-Key": KEY}
        )
        with urllib.request.urlopen(question, timeout=START_S_MAX) as answer:
            told = answer.read()
        return json.loads(told) if told else None
