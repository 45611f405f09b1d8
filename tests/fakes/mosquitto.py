"""A real mosquitto on a free loopback port, that keeps nothing."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_S_MAX = 10.0


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def start_mosquitto(tmp_path: Path, port: int | None = None) -> Iterator[int]:
    """Run a broker while the context lasts; yields its port. Needs `mosquitto` on the PATH."""
    port = port or free_port()
    config = tmp_path / f"mosquitto-{port}.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        "set_tcp_nodelay true\nmax_inflight_messages 0\nlog_dest none\n"
    )
    process = subprocess.Popen(["mosquitto", "-c", str(config)])
    try:
        wait_for_port(process, port)
        yield port
    finally:
        process.kill()
        process.wait()


def wait_for_port(process: "subprocess.Popen[bytes]", port: int) -> None:
    """Return once the broker listens there."""
    until_s = time.monotonic() + START_S_MAX
    while time.monotonic() < until_s:
        if process.poll() is not None:
            raise RuntimeError(f"mosquitto ended with {process.returncode}")
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"mosquitto does not listen on {port}")
