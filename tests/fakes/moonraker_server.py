"""A real Moonraker from the package index, as a process, before a stand-in for Klipper."""

import json
import os
import socket
import subprocess
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.benchmarks.hosts.octoprint import free_port
from tests.benchmarks.installing import environment
from tests.fakes.klippy import END, Klippy

LOCK = Path(__file__).parent.parent / "edges" / "moonraker" / "moonraker.lock"
START_S_MAX = 30.0
LOOK_S = 0.05
CONFIG = """\
[server]
host: 127.0.0.1
port: {port}
klippy_uds_address: {folder}/klippy

[machine]
provider: none
validate_service: False

[file_manager]
check_klipper_config_path: False

[authorization]

[webcam bed]
location: printer
service: mjpegstreamer
stream_url: /webcam/?action=stream
snapshot_url: http://127.0.0.1:{camera_port}/snapshot
"""


class MoonrakerServer:
    """One server with one printer, on loopback.

    Attributes:
        klippy: the printer.
        key: opens its API; known once it was started.
        camera_port: where its webcam would be.
    """

    def __init__(self, folder: Path) -> None:
        self._programs = environment(LOCK)
        self._folder = folder / "m"  # a Unix socket's path is short
        self.plates = self._folder / "gcodes"
        self.plates.mkdir(parents=True)
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.camera_port = free_port()
        config = CONFIG.format(port=self._port, folder=self._folder, camera_port=self.camera_port)
        (self._folder / "config").mkdir()
        (self._folder / "config" / "moonraker.conf").write_text(config)
        self.klippy = Klippy(self._folder / "klippy", self.plates)
        self.key = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return once it follows its printer."""
        # Uploads lie there by the second in which they came: two servers would mix theirs up.
        own = os.environ | {"TMPDIR": str(self._folder)}
        command = [self._programs / "python", "-m", "moonraker", "-n", "-d", self._folder]
        with (self._folder / "words").open("ab") as words:
            self._process = subprocess.Popen(
                [*command, "-u", self._folder / "socket"],
                stdin=subprocess.DEVNULL, stdout=words, stderr=words, env=own,
            )  # fmt: skip
        deadline_s = time.monotonic() + START_S_MAX
        while self.state != "ready":
            assert time.monotonic() < deadline_s, (self._folder / "words").read_text()[-3000:]
            time.sleep(LOOK_S)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def terminate(self) -> None:
        """End it as its service manager does."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait()

    def close(self) -> None:
        """End it, and its printer."""
        self.kill()
        self.klippy.close()

    @property
    def state(self) -> str:
        """Klipper's state, as Moonraker sees it."""
        with suppress(OSError, KeyError, ValueError):
            if not self.key:
                self.key = self._own_key()
            return str(self.ask("server/info")["klippy_state"])
        return ""

    def _own_key(self) -> str:
        """Return the key, which its Unix socket tells those who may open it."""
        question = {"jsonrpc": "2.0", "method": "access.get_api_key", "id": 1}
        with socket.socket(socket.AF_UNIX) as pipe:
            pipe.settimeout(START_S_MAX)
            pipe.connect(str(self._folder / "socket"))
            pipe.sendall(json.dumps(question).encode() + END)
            told = b""
            while True:
                message, end, told = (told + pipe.recv(65536)).partition(END)
                if not end:
                    told = message
                elif "result" in (answer := json.loads(message)):
                    return str(answer["result"])

    def ask(self, path: str, body: Any = None) -> Any:
        """Return what it answers to a person's page."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Api-Key": self.key, "Content-Type": "application/json"}
        question = urllib.request.Request(f"{self.url}/{path}", data, headers)
        with urllib.request.urlopen(question, timeout=START_S_MAX) as answer:
            return json.load(answer)["result"]

    def printed(self, path: str) -> list[str]:
        """Return how each print of a file ended, the last first."""
        jobs = self.ask("server/history/list?limit=100&order=desc")["jobs"]
        return [job["status"] for job in jobs if job["filename"] == path]
