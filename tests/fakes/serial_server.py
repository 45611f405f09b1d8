"""A serial server (RFC 2217) for one device, by pyserial's own server side."""

import socket
import threading
from contextlib import suppress

import serial
from serial.rfc2217 import PortManager

TICK_S = 0.02
CHUNK_BYTES = 4096


class WithModemLines(serial.Serial):
    """A pseudo-terminal as a port: it has no modem lines that could be asked."""

    cts = dsr = ri = cd = False

    def _update_rts_state(self) -> None:
        pass

    def _update_dtr_state(self) -> None:
        pass

    def _update_break_state(self) -> None:
        pass


class SerialServer:
    """Serves a device to one caller after another.

    Attributes:
        port: TCP port on loopback.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(TICK_S)
        self.port: int = self._listener.getsockname()[1]
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="serial server", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Serve no longer."""
        self._closed.set()
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        while not self._closed.is_set():
            with suppress(TimeoutError):
                caller, _ = self._listener.accept()
                with caller, suppress(OSError):
                    self._serve(caller)

    def _serve(self, caller: socket.socket) -> None:
        caller.settimeout(TICK_S)
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        class Caller:
            def write(self, data: bytes) -> None:
                caller.sendall(data)

        with WithModemLines(self._device, timeout=0) as device:
            manager = PortManager(device, Caller())
            stop = threading.Event()

            def tell() -> None:
                device.timeout = TICK_S
                while not stop.is_set():
                    with suppress(OSError):
                        if data := device.read(max(1, device.in_waiting)):
                            caller.sendall(b"".join(manager.escape(data)))

            telling = threading.Thread(target=tell, name="serial server out", daemon=True)
            telling.start()
            try:
                while not self._closed.is_set():
                    with suppress(TimeoutError):
                        if not (data := caller.recv(CHUNK_BYTES)):
                            return
                        device.write(b"".join(manager.filter(data)))
            finally:
                stop.set()
                telling.join()
