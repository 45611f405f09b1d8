"""Takes a picture of a printer when it is asked for, and sends it to the coordinator over HTTP.

Never over MQTT: a broker holds messages in memory, and a picture is as large as thousands of them.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urljoin

from agent.cameras import Camera
from agent.errors import DriverUnavailable, NotPossible
from agent.tls import context_of, trouble_in
from protocols.pictures import picture_type
from protocols.wire.vocabulary import AgentId, PrinterId

EVERY_S_MIN = 2.0  # between two pictures of a printer: a Pi has other work, too
SENT_S_MAX = 30.0


class Post:
    """The way of pictures to the coordinator, with the agent's own credential."""

    def __init__(
        self, agent_id: AgentId, *, coordinator_url: str, token: str, ca_file: Path | None
    ) -> None:
        """Send as this agent; nothing is sent yet."""
        self._agent_id = agent_id
        self._root = coordinator_url.rstrip("/") + "/"
        self._token, self._ca_file = token, ca_file

    async def send(self, printer_id: PrinterId, picture: bytes, run_id: str) -> None:
        """Have the coordinator keep a picture; with a run's id, as what was seen at its end.

        Raises:
            DriverUnavailable: it did not come there.
            NotPossible: the coordinator does not want it.
        """
        import aiohttp  # as in files.py

        of_agent = f"{quote(self._agent_id, safe='')}/printers/{quote(printer_id, safe='')}"
        query = f"?{urlencode({'run_id': run_id})}" if run_id else ""
        url = urljoin(self._root, f"api/v1/agents/{of_agent}/picture{query}")
        headers = {"Content-Type": picture_type(picture)}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        tls = context_of(self._ca_file) if url[:6] == "https:" else True
        patience = aiohttp.ClientTimeout(total=SENT_S_MAX)
        try:
            async with (
                aiohttp.ClientSession(timeout=patience) as session,
                session.put(url, data=picture, headers=headers, ssl=tls) as answer,
            ):
                if answer.status >= 400:
                    raise NotPossible(f"the coordinator answers {answer.status} to the picture")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            reason = trouble_in(error, self._root) or str(error) or type(error).__name__
            raise DriverUnavailable(f"the picture can't be sent: {reason}") from error


class Photographer:
    """One printer's: does the command `picture`, no more often than every `EVERY_S_MIN`."""

    commands = frozenset({"picture"})

    def __init__(
        self,
        printer_id: PrinterId,
        camera: Camera,
        post: Post,
        *,
        monotonic_s: Callable[[], float],
    ) -> None:
        """Look through a camera."""
        self._printer_id, self._camera, self._post = printer_id, camera, post
        self._monotonic_s = monotonic_s
        self._taken_at_s = -EVERY_S_MIN

    async def command(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Take a picture and send it; with `run_id`, as that of a run's end."""
        await asyncio.sleep(self._taken_at_s + EVERY_S_MIN - self._monotonic_s())
        self._taken_at_s = self._monotonic_s()
        picture = await self._camera.picture()
        await self._post.send(self._printer_id, picture, str(arguments.get("run_id") or ""))
        return f"{len(picture)} bytes"
