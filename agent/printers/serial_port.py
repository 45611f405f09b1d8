"""Opens a serial port or pseudo-terminal as a non-blocking descriptor, for this process alone."""

import contextlib
import termios

import serial

from agent.errors import DriverUnavailable


def open_port(path: str, baud_rate: int) -> serial.Serial:
    """Return an open port, raw and non-blocking, that nobody else can open.

    HUPCL is cleared, so that closing it, or the death of this process, does not reset the board.

    Raises:
        DriverUnavailable: it is not there, or in use.
    """
    try:
        port = serial.Serial(path, baud_rate, timeout=0, write_timeout=0, exclusive=True)
    except (OSError, ValueError, termios.error) as error:
        raise DriverUnavailable(f"can't open {path}: {error}") from error
    attributes = termios.tcgetattr(port.fileno())
    attributes[2] &= ~termios.HUPCL
    # A USB adapter may refuse what it does not know; printing works without.
    with contextlib.suppress(termios.error):
        termios.tcsetattr(port.fileno(), termios.TCSANOW, attributes)
    with contextlib.suppress(OSError, ValueError, AttributeError):
        port.set_low_latency_mode(True)
    return port
