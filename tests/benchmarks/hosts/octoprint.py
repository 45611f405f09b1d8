"""OctoPrint from the package index: one headless server for each printer, driven over REST.

Its settings keep it to the printing: no first-run wizard, no plugins that call out, no analysis of
the file beside the print. What costs CPU per line is left as it is delivered.
"""

import http.client
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.hosts.host import Host, HostFailed
from tests.benchmarks.installing import environment

LOCK = Path(__file__).with_name("octoprint.lock")
API_KEY = "0123456789ABCDEF0123456789ABCDEF"  # of a server on loopback that lives for minutes
START_S_MAX = 180.0  # eight servers starting on a small machine
SETTLE_S = 5.0  # what a server still does after its start shall not count as streaming
REQUEST_S_MAX = 30.0
POLL_S = 0.25
CALLS_OUT = ["announcements", "backup", "corewizard", "discovery", "errortracking", "health_check",
             "pluginmanager", "softwareupdate", "tracking", "virtual_printer"]  # fmt: skip


class OctoPrint(Host):
    name = "octoprint"
    shares_a_process = False

    def prepare(self) -> None:
        environment(LOCK)

    def command(self, ports: Sequence[Path], gcode: Path, folder: Path) -> list[str]:
        (port,) = ports
        base = folder / "octoprint"
        base.mkdir()
        # Its configuration is YAML, of which JSON is a part.
        (base / "config.yaml").write_text(json.dumps(settings(port)))
        (base / "plate.gcode").symlink_to(gcode)
        http_port = free_port()
        (base / "http_port").write_text(str(http_port))
        return [
            str(environment(LOCK) / "octoprint"), "serve", "--iknowwhatimdoing",
            "--basedir", str(base), "--host", "127.0.0.1", "--port", str(http_port),
        ]  # fmt: skip

    def begin(self, folders: Sequence[Path]) -> None:
        """Wait until every server has its printer, then upload the file and have it printed."""
        bases = [folder / "octoprint" for folder in folders]
        roots = [f"http://127.0.0.1:{(base / 'http_port').read_text()}/api" for base in bases]
        deadline_s = time.monotonic() + START_S_MAX
        while not all(map(operational, roots)):
            if time.monotonic() > deadline_s:
                raise HostFailed(f"OctoPrint has no printer after {START_S_MAX} s")
            time.sleep(POLL_S)
        time.sleep(SETTLE_S)
        uploaded = form((bases[0] / "plate.gcode").read_bytes(), select="false", print="false")
        started = json.dumps({"command": "select", "print": True}).encode()
        try:
            for root in roots:
                request(f"{root}/files/local", *uploaded)
            for root in roots:
                request(f"{root}/files/local/plate.gcode", started)
        except (OSError, http.client.HTTPException) as error:
            raise HostFailed(f"OctoPrint: {error}") from error


def settings(port: Path) -> dict[str, Any]:
    """Return the configuration of a server that connects to this port by itself."""
    return {
        "api": {"key": API_KEY},
        "gcodeAnalysis": {"runAt": "never"},
        "plugins": {"_disabled": CALLS_OUT},
        "serial": {
            "port": str(port),
            "baudrate": 115200,
            "additionalPorts": [str(port)],
            "autoconnect": True,
        },
        "server": {
            "firstRun": False,
            "startOnceInSafeMode": False,
            "incompleteStartup": False,
            "onlineCheck": {"enabled": False},
            "pluginBlacklist": {"enabled": False},
        },
    }


def operational(root: str) -> bool:
    """Return whether the server answers and its printer is connected and idle."""
    try:
        state = request(f"{root}/connection")["current"]["state"]
    except (OSError, http.client.HTTPException):
        return False  # not up yet
    return bool(state == "Operational")


def request(url: str, body: bytes | None = None, kind: str = "application/json") -> Any:
    """Return what the server answers, as JSON; None where it says nothing.

    Raises:
        urllib.error.URLError: it is not there, or refuses.
    """
    headers = {"X-Api-Key": API_KEY, "Content-Type": kind}
    asked = urllib.request.Request(url, data=body, headers=headers)
    with urllib.request.urlopen(asked, timeout=REQUEST_S_MAX) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def form(gcode: bytes, **fields: str) -> tuple[bytes, str]:
    """Return body and content type of an upload (RFC 7578)."""
    mark = "----farmhand-benchmark"
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = (
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="plate.gcode"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = "".join(parts).encode() + head.encode() + gcode + f"\r\n--{mark}--\r\n".encode()
    return body, f"multipart/form-data; boundary={mark}"


def free_port() -> int:
    """Return a TCP port that is free on loopback now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
