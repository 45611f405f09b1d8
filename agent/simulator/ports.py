"""Where a host finds the printer: a pseudo-terminal behind a link, or a TCP port.

Both tell their owner of bytes, of a host that comes (with whether that resets the board) and of one
that goes, and swallow what is written while nobody is there.
"""

import asyncio
import contextlib
import ctypes
import errno
import os
import pty
import struct
import termios
import tty
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

READ_BYTES_MAX = 4096
_UNSENT_BYTES_MAX = 16_384
_IN_OPEN = 0x20
_IN_CLOSE = 0x08 | 0x10
_EVENT = struct.Struct("iIII")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ears:
    """Whom a port tells what happens."""

    received: Callable[[bytes], None]
    opened: Callable[[bool], None]
    closed: Callable[[], None]


class Port(Protocol):
    """One way to be reached."""

    async def open(self) -> None:
        """Be there for a host."""

    def close(self) -> None:
        """Vanish, as when the cable is pulled."""

    def write(self, data: bytes) -> None:
        """Send to the host, if there is one."""


class PtyPort:
    """A pseudo-terminal.

    The slave is held open: else its settings fall back to echo when the last host closes it, and
    the next host would hear its own words. Hosts are noticed through inotify. A DTR line does not
    exist, but its effect does: opening resets the board unless the host before cleared HUPCL.
    """

    def __init__(self, link: Path, ears: Ears) -> None:
        self._link = link
        self._ears = ears
        self._master = self._slave = self._watch = -1
        self._hosts = 0
        self._unsent = bytearray()

    async def open(self) -> None:
        """Make the pseudo-terminal and put its link in place, at once or not at all.

        Raises:
            OSError: the link can't be made, or something that is no link is in its place.
        """
        if self._link.exists() and not self._link.is_symlink():
            raise FileExistsError(errno.EEXIST, "there is a file that is no link", str(self._link))
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        attributes = termios.tcgetattr(self._slave)
        attributes[2] |= termios.HUPCL
        termios.tcsetattr(self._slave, termios.TCSANOW, attributes)
        os.set_blocking(self._master, False)
        name = os.ttyname(self._slave)
        self._watch = _watch(name)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._master, self._readable)
        loop.add_reader(self._watch, self._noticed)
        self._link.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._link.with_name(f".{self._link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(name)
        fresh.replace(self._link)

    def close(self) -> None:
        """Take the link away, if it is still ours, and hang up."""
        if self._master < 0:
            return
        with contextlib.suppress(OSError):
            if os.readlink(self._link) == os.ttyname(self._slave):
                self._link.unlink()
        loop = asyncio.get_running_loop()
        loop.remove_writer(self._master)
        for descriptor in (self._master, self._watch):
            loop.remove_reader(descriptor)
        for descriptor in (self._watch, self._slave, self._master):
            os.close(descriptor)
        self._master = self._slave = self._watch = -1
        self._hosts = 0
        self._unsent.clear()

    def write(self, data: bytes) -> None:
        """Send; what the kernel does not take is kept while there is a host, up to a limit."""
        if self._master < 0 or self._hosts <= 0:
            return
        if not self._unsent:
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self._master, data) :]
            if data:
                asyncio.get_running_loop().add_writer(self._master, self._writable)
        if len(self._unsent) < _UNSENT_BYTES_MAX:
            self._unsent += data

    def _writable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            del self._unsent[: os.write(self._master, self._unsent)]
        if not self._unsent:
            asyncio.get_running_loop().remove_writer(self._master)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, READ_BYTES_MAX)
        except (BlockingIOError, OSError):
            return
        # What a host wrote right after it opened must not overtake the news of its opening.
        self._noticed()
        if data and self._master >= 0:
            self._ears.received(data)

    def _noticed(self) -> None:
        try:
            events = os.read(self._watch, 4096)
        except BlockingIOError:
            return
        while events:
            _, mask, _, length = _EVENT.unpack_from(events)
            events = events[_EVENT.size + length :]
            if mask & _IN_OPEN:
                dtr_was_low = bool(termios.tcgetattr(self._slave)[2] & termios.HUPCL)
                was_held = self._hosts > 0
                self._hosts = max(1, self._openers())
                self._ears.opened(not was_held and dtr_was_low)
            elif mask & _IN_CLOSE:
                self._hosts = self._openers()
                if not self._hosts:
                    self._unsent.clear()
                    termios.tcflush(self._slave, termios.TCIFLUSH)  # unread answers are lost
                    self._ears.closed()

    def _openers(self) -> int:
        """Return how many others hold the terminal, as far as we may see.

        They are counted, since two that open or close at once are one event to the kernel.
        """
        name, found = os.ttyname(self._slave), -1  # we hold it too
        for descriptors in Path("/proc").glob("[0-9]*/fd"):
            with contextlib.suppress(OSError):
                for each in descriptors.iterdir():
                    with contextlib.suppress(OSError):
                        found += os.readlink(each) == name
        return found


class TcpPort:
    """A TCP port that serves one host at a time; a second one is turned away."""

    def __init__(self, address: tuple[str, int], ears: Ears) -> None:
        self._address = address
        self._ears = ears
        self._server: asyncio.Server | None = None
        self._transport: asyncio.Transport | None = None

    async def open(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _TcpHost(self), *self._address, reuse_address=True
        )

    def close(self) -> None:
        """Hang up and listen no more."""
        if self._server is not None:
            self._server.close()
        if self._transport is not None:
            self._transport.abort()
        self._server = self._transport = None

    def write(self, data: bytes) -> None:
        """Send, unless the host has stopped to read."""
        transport = self._transport
        if transport is not None and transport.get_write_buffer_size() < _UNSENT_BYTES_MAX:
            transport.write(data)

    def arrived(self, transport: asyncio.Transport) -> None:
        """Take a host, or turn it away."""
        if self._transport is not None:
            transport.abort()
            return
        self._transport = transport
        self._ears.opened(True)

    def heard(self, transport: asyncio.Transport, data: bytes) -> None:
        """Pass on what the host said."""
        if transport is self._transport:
            self._ears.received(data)

    def left(self, transport: asyncio.Transport) -> None:
        """Forget the host."""
        if transport is self._transport:
            self._transport = None
            self._ears.closed()


class _TcpHost(asyncio.Protocol):
    def __init__(self, port: TcpPort) -> None:
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._port.arrived(transport)

    def data_received(self, data: bytes) -> None:
        self._port.heard(self._transport, data)

    def connection_lost(self, error: Exception | None) -> None:
        self._port.left(self._transport)


def _watch(path: str) -> int:
    """Return an inotify descriptor that tells when a file is opened and closed."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if (
        descriptor < 0
        or libc.inotify_add_watch(descriptor, path.encode(), _IN_OPEN | _IN_CLOSE) < 0
    ):
        raise OSError(ctypes.get_errno(), "inotify is not available", path)
    return descriptor
