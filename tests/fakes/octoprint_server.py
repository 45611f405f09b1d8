"""A real OctoPrint from the package index, with its own Virtual Printer, as a process."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tests.benchmarks.hosts.octoprint import (
    API_KEY,
    LOCK,
    PLUGINS_OFF,
    free_port,
    settings,
)
from tests.benchmarks.installing import environment

START_S_MAX = 150.0  # four seconds, where nothing else runs
ANSWER_S_MAX = 30.0
LOOK_S = 0.1


class OctoPrintServer:
    """One server with one printer, on loopback.

    Attributes:
        key: opens its whole API.
        camera_port: where its webcam would be.
    """

    key = API_KEY

    def __init__(self, folder: Path) -> None:
        self._programs = environment(LOCK)
        self._folder = folder / "octoprint"
        self._folder.mkdir()
        self._port = free_port()
        self.camera_port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        config = settings(Path("VIRTUAL"))
        off = [name for name in PLUGINS_OFF if name != "virtual_printer"]
        virtual = {"enabled": True, "throttle": 0.001}
        config["plugins"] = {"_disabled": off, "virtual_printer": virtual}
        config["serial"] = {"port": "VIRTUAL", "autoconnect": True}
        camera = f"http://127.0.0.1:{self.camera_port}/snapshot"
        config["webcam"] = {"stream": "/webcam/?action=stream", "snapshot": camera}
        (self._folder / "config.yaml").write_text(json.dumps(config))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return once its printer is connected."""
        command = [self._programs / "octoprint", "serve", "--iknowwhatimdoing", "--basedir"]
        rest = [self._folder, "--host", "127.0.0.1", "--port", str(self._port)]
        with (self._folder / "words").open("ab") as words:
            self._process = subprocess.Popen(
                [*command, *rest], stdin=subprocess.DEVNULL, stdout=words, stderr=words
            )
        deadline_s = time.monotonic() + START_S_MAX
        while self.state != "Operational":
            assert time.monotonic() < deadline_s, (self._folder / "words").read_text()[-3000:]
            time.sleep(LOOK_S)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def ask(self, path: str, body: Any = None, *, key: str = API_KEY) -> Any:
        """Return what it answers to a person's page."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Api-Key": key, "Content-Type": "application/json"}
        asked = urllib.request.Request(f"{self.url}/{path}", data=data, headers=headers)
        with urllib.request.urlopen(asked, timeout=ANSWER_S_MAX) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def make_owner(self) -> str:
        """Make somebody who owns it; returns their own key."""
        person = {"name": "owner", "password": "for-tests", "active": True, "groups": ["admins"]}
        self.ask("api/access/users", person)
        return str(self.ask("api/access/users/owner/apikey", {})["apikey"])

    @property
    def state(self) -> str:
        with suppress(OSError, HTTPException):  # while it starts, it answers with no HTTP
            return str(self.ask("api/connection")["current"]["state"])
        return ""

    def say(self, *lines: str) -> None:
        """Send lines from its terminal; `!!DEBUG:...` are for the Virtual Printer."""
        self.ask("api/printer/command", {"commands": list(lines)})

    def runs(self) -> list[str]:
        """Return the paths of all that lies in Farmhand's folder."""
        try:
            folder = self.ask("api/files/local/farmhand?recursive=true")
        except urllib.error.HTTPError:
            return []  # nobody has made it yet
        return [
            file["path"]
            for entry in folder["children"]
            for file in ([entry] if entry["type"] != "folder" else entry["children"])
        ]

    def put(self, name: str, content: Path) -> None:
        """A person copies a file into its uploads."""
        shutil.copy(content, self._folder / "uploads" / name)

    def printed(self, path: str) -> Any:
        """Return the history of a file."""
        return self.ask(f"api/files/local/{path}").get("prints")
