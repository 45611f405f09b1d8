"""The cameras that look at printers, by what the settings say of them.

`http://...` is a snapshot or an MJPEG stream, `host` the webcam of OctoPrint, Moonraker or
PrusaLink, `/dev/...` a V4L2 device that a program of the system reads.
"""

import asyncio
import shutil
from typing import Protocol, cast

from agent.errors import DriverUnavailable, NotPossible, SettingsInvalid
from agent.printers.driver import Driver
from agent.printers.webcam import PICTURE_S_MAX, checked_picture, fetch_picture
from protocols.pictures import PICTURE_BYTES_MAX

WORDS_MAX = 200
ENDS_S_MAX = 2.0


class Camera(Protocol):
    """What takes pictures of one printer."""

    async def picture(self) -> bytes:
        """Take a picture: JPEG or PNG, at most `PICTURE_BYTES_MAX`.

        Raises:
            DriverUnavailable: it can't be reached now.
            NotPossible: it gives none.
        """


def open_camera(setting: str, driver: Driver) -> Camera | None:
    """Return the camera that a printer's settings name, None where they name none.

    Raises:
        SettingsInvalid: the printer's driver has no camera.
    """
    if not setting:
        return None
    if setting != "host":
        return DeviceCamera(setting) if setting.startswith("/") else HttpCamera(setting)
    if not driver.capabilities.camera:
        raise SettingsInvalid(
            'camera = "host" asks a print host for its webcam, and this printer has no host: '
            "name the camera's address"
        )
    return cast(Camera, driver)


class HttpCamera:
    """A camera that answers HTTP."""

    def __init__(self, url: str) -> None:
        """Ask at this address."""
        self._url = url

    async def picture(self) -> bytes:
        """See the contract."""
        return await fetch_picture(self._url)


class DeviceCamera:
    """A V4L2 device, read by `ffmpeg` or `fswebcam`, whichever is installed."""

    def __init__(self, path: str) -> None:
        """Read this device."""
        self._path = path

    async def picture(self) -> bytes:
        """See the contract; each picture is a process."""
        name, command = self._command()
        try:
            child = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise DriverUnavailable(f"{name} can't be started: {error.strerror}") from error
        try:
            said, complaint = await asyncio.wait_for(_output(child), PICTURE_S_MAX)
        except TimeoutError:
            words = f"{name} shows nothing of {self._path} within {PICTURE_S_MAX:.0f} s"
            raise DriverUnavailable(words) from None
        finally:
            if child.returncode is None:
                child.kill()
                await asyncio.wait_for(child.wait(), ENDS_S_MAX)
        if not said:
            lines = complaint.decode("utf-8", "replace").strip().splitlines()
            why = lines[-1][:WORDS_MAX] if lines else f"it ended with {child.returncode}"
            raise DriverUnavailable(f"{name} shows nothing of {self._path}: {why}")
        return checked_picture(said, self._path)

    def _command(self) -> tuple[str, list[str]]:
        if program := shutil.which("ffmpeg"):
            options = ["-loglevel", "error", "-nostdin", "-f", "v4l2", "-i", self._path]
            return "ffmpeg", [program, *options, "-frames:v", "1", "-f", "mjpeg", "-"]
        if program := shutil.which("fswebcam"):
            # The first frames of a camera that just woke up are dark.
            options = ["--quiet", "--no-banner", "--device", self._path, "--skip", "5"]
            return "fswebcam", [program, *options, "--jpeg", "85", "-"]
        raise NotPossible(f"to read {self._path}, install ffmpeg or fswebcam beside the agent")


async def _output(child: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    """Return what a child says until it ends, or until that is too much; and what it complains."""
    assert child.stdout is not None
    assert child.stderr is not None
    said, complaint = bytearray(), bytearray()

    async def read(stream: asyncio.StreamReader, into: bytearray, bytes_max: int) -> None:
        while len(into) <= bytes_max and (chunk := await stream.read(65536)):
            into += chunk

    await asyncio.gather(
        read(child.stdout, said, PICTURE_BYTES_MAX), read(child.stderr, complaint, 4096)
    )
    return bytes(said), bytes(complaint)
