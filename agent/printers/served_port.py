"""A port behind a serial server (RFC 2217), as a descriptor.

The library reads and writes it in blocking calls, so two threads carry the bytes to and from one
end of a socket pair; the other end is the descriptor.
"""

import contextlib
import socket
import threading

import serial

from agent.errors import DriverUnavailable

_READ_TIMEOUT_S = 0.5
_CHUNK_BYTES = 4096


class ServedPort:
    """An open port on a server."""

    def __init__(self, port: serial.SerialBase) -> None:
        """Carry bytes for a port that is open."""
        self._port = port
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._closed = threading.Event()
        for work in (self._carry_in, self._carry_out):
            threading.Thread(target=work, name=f"port{work.__name__}", daemon=True).start()

    @classmethod
    def open(cls, address: str, baud_rate: int) -> "ServedPort":
        """Return an open port.

        Raises:
            DriverUnavailable: the server is not there, or refuses.
        """
        try:
            port = serial.serial_for_url(address, baud_rate, timeout=_READ_TIMEOUT_S)
        except (OSError, ValueError) as error:
            raise DriverUnavailable(f"can't open {address}: {error}") from error
        return cls(port)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._ours.fileno()

    def close(self) -> None:
        """Let the port go; the threads end by themselves."""
        self._closed.set()
        with contextlib.suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)
        self._ours.close()

    def _carry_in(self) -> None:
        try:
            while not self._closed.is_set():
                data = self._port.read(1)
                if data and self._port.in_waiting:
                    data += self._port.read(min(self._port.in_waiting, _CHUNK_BYTES))
                if data:
                    self._theirs.sendall(data)
        except OSError:
            pass  # the server went, or we did: the reader at the other end sees the end
        finally:
            with contextlib.suppress(OSError):
                self._theirs.shutdown(socket.SHUT_RDWR)
            self._port.close()

    def _carry_out(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._theirs.recv(_CHUNK_BYTES):
                self._port.write(data)
