"""Opens what a printer hangs on as a non-blocking descriptor, for this process alone.

That is a serial port or pseudo-terminal, `socket://host:port` for G-code over TCP, or
`rfc2217://host:port` for a serial server with baud rates and modem lines.
"""

import contextlib
import fcntl
import os
import socket
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import serial

from agent.errors import DriverUnavailable
from agent.printers.served_port import ServedPort

CONNECT_TIMEOUT_S = 10.0
# The first two are of our own rules (systemd/udev): they are never the names of two boards.
_STABLE_NAMES = (
    "/dev/farmhand/by-id",
    "/dev/farmhand/by-port",
    "/dev/serial/by-id",
    "/dev/serial/by-path",
)
_PORT_PATTERNS = ("ttyUSB*", "ttyACM*", "ttyAMA*", "ttyS*")


class Port(Protocol):
    """An open port."""

    def fileno(self) -> int:
        """Return a descriptor to read from and write to; it never blocks."""

    def close(self) -> None:
        """Close it."""


def open_port(address: str, baud_rate: int) -> Port:
    """Return an open port, raw and non-blocking. Blocks for seconds at worst.

    Raises:
        DriverUnavailable: it is not there, or in use, with who holds it where that can be seen.
    """
    scheme = urlsplit(address).scheme
    if scheme == "socket":
        return _open_socket(address)
    if scheme == "rfc2217":
        return ServedPort.open(address, baud_rate)
    return _open_serial(address, baud_rate)


def _open_serial(path: str, baud_rate: int) -> Port:
    """Open a device without resetting the board, as far as the adapter lets us.

    HUPCL is cleared, so that closing it, or the death of this process, does not drop DTR; only the
    first opening after the adapter was plugged in does what it does.
    """
    try:
        port: Port = serial.Serial(path, baud_rate, timeout=0, write_timeout=0, exclusive=True)
    except (OSError, ValueError, termios.error) as error:
        held = "".join(f"; {holder} holds it" for holder in holders(path))
        raise DriverUnavailable(f"can't open {path}: {error}{held}") from error
    descriptor = port.fileno()
    os.set_inheritable(descriptor, False)
    attributes = termios.tcgetattr(descriptor)
    attributes[2] &= ~termios.HUPCL
    # A USB adapter may refuse what it does not know; printing works without.
    with contextlib.suppress(termios.error):
        termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
    with contextlib.suppress(OSError, ValueError, AttributeError):
        serial.Serial.set_low_latency_mode(port, True)
    if not os.ttyname(descriptor).startswith("/dev/pts/"):
        # Against those who do not ask for the lock. A pseudo-terminal would stay shut for ever:
        # its other end keeps it alive beyond our death.
        with contextlib.suppress(OSError):
            fcntl.ioctl(descriptor, termios.TIOCEXCL)
    return port


def _open_socket(address: str) -> socket.socket:
    parts = urlsplit(address)
    try:
        if parts.hostname is None or parts.port is None:
            raise ValueError("it is not like socket://host:port")
        port = socket.create_connection((parts.hostname, parts.port), CONNECT_TIMEOUT_S)
        # Lines are short and each waits for its answer; and a printer that lost its power says
        # nothing more.
        port.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        port.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except (OSError, ValueError) as error:
        raise DriverUnavailable(f"can't connect to {address}: {error}") from error
    port.setblocking(False)
    return port


def find_ports() -> list[tuple[str, tuple[str, ...]]]:
    """Return the serial ports of this machine: device, and its names that survive replugging.

    Names by id come first: they stay with the adapter; those by path stay with the socket that it
    is plugged into. Ports on the mainboard without a device behind them are left out.
    """
    names: dict[str, list[str]] = {}
    for folder in map(Path, _STABLE_NAMES):
        for link in sorted(folder.glob("*")):
            names.setdefault(os.path.realpath(link), []).append(str(link))
    devices = {str(path) for pattern in _PORT_PATTERNS for path in Path("/dev").glob(pattern)}
    found = sorted(device for device in devices | set(names) if device in names or _is_real(device))
    return [(device, tuple(names.get(device, ()))) for device in found]


def holders(path: str) -> Iterator[str]:
    """Yield the programs that have a device open, as far as this user may see them."""
    device = os.path.realpath(path)
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == str(os.getpid()):
            continue
        with contextlib.suppress(OSError):
            if any(os.path.realpath(entry) == device for entry in (folder / "fd").iterdir()):
                yield f"{(folder / 'comm').read_text().strip()} (process {folder.name})"


def _is_real(device: str) -> bool:
    kind = Path("/sys/class/tty", Path(device).name, "type")
    with contextlib.suppress(OSError):
        return kind.read_text().strip() != "0"  # PORT_UNKNOWN
    return Path("/sys/class/tty", Path(device).name, "device").exists()
