"""The API as methods: what the commands, and the demo, ask a coordinator with."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import aiohttp

from coordinator.cli.exits import CommandFailed, NotAllowed, NotReachable
from coordinator.cli.place import NOT_RUNNING, Place

# JSON documents of the API: their shape is the API's business, the tables pick what they show.
Document = dict[str, Any]

# Nothing more comes of these by itself; a lost one waits for a person.
JOB_ENDS = frozenset({"finished", "failed", "cancelled", "lost"})


class FarmClient:
    """One coordinator. Use it as `async with FarmClient(place) as farm`."""

    def __init__(self, place: Place, *, timeout_s: float = 10.0) -> None:
        self._place = place
        self._timeout = aiohttp.ClientTimeout(
            total=None, connect=timeout_s, sock_connect=timeout_s, sock_read=timeout_s
        )
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            base_url=self._place.url + "/api/v1/",
            timeout=self._timeout,
            headers={"Authorization": f"Bearer {self._place.token}"},
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def health(self) -> Document:
        """Return the coordinator's health."""
        return await self._ask("GET", "health")

    async def jobs(self, states: list[str] | None = None) -> list[Document]:
        """Return jobs in order of arrival."""
        query = [("state", state) for state in states or []]
        return list((await self._ask("GET", "jobs", params=query))["items"])

    async def job(self, job_id: str) -> Document:
        """Return one job."""
        return await self._ask("GET", f"jobs/{_step(job_id)}")

    async def why(self, job_id: str) -> list[Document]:
        """Return why a job waits."""
        return list((await self._ask("GET", f"jobs/{_step(job_id)}/why"))["items"])

    async def control_job(self, job_id: str, verb: str) -> Document:
        """Cancel, pause or resume a job."""
        return await self._ask("POST", f"jobs/{_step(job_id)}/{verb}")

    async def submit(self, file: Path, fields: Mapping[str, str]) -> Document:
        """Send a model or G-code with what is wanted of it; fields first, as a form does."""
        form = aiohttp.FormData(quote_fields=False)  # names as they are, as browsers do
        for name, value in fields.items():
            form.add_field(name, value)
        try:
            opened = file.open("rb")
        except OSError as error:
            raise CommandFailed(f"{file} can't be read: {error.strerror}") from error
        with opened:
            form.add_field("file", opened, filename=file.name)
            # Looking at a big model takes the coordinator longer than any other request.
            return await self._ask(
                "POST", "jobs", data=form, timeout=aiohttp.ClientTimeout(sock_read=300)
            )

    async def printers(self) -> list[Document]:
        """Return all printers, by id."""
        return list((await self._ask("GET", "printers"))["items"])

    async def printer(self, printer_id: str) -> Document:
        """Return one printer."""
        return await self._ask("GET", f"printers/{_step(printer_id)}")

    async def clear(self, printer_id: str) -> Document:
        """Declare a bed clear."""
        return await self._ask("POST", f"printers/{_step(printer_id)}/clear")

    async def save_artifact(self, sha256: str, to: Path) -> None:
        """Write an artifact's bytes to a file."""
        assert self._session is not None
        try:
            async with self._session.get(f"artifacts/{_step(sha256)}") as response:
                if response.status != 200:
                    raise await _failure(response)
                with to.open("wb") as file:
                    async for chunk in response.content.iter_chunked(2**18):
                        file.write(chunk)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._unreachable(error) from error

    async def _ask(self, method: str, path: str, **options: Any) -> Document:
        assert self._session is not None
        try:
            async with self._session.request(method, path, **options) as response:
                if response.status >= 400:
                    raise await _failure(response)
                document: Document = await response.json()
                return document
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> NotReachable:
        why = str(error) or type(error).__name__
        return NotReachable(f"{self._place.url} does not answer ({why}); {NOT_RUNNING}")


def _step(text: str) -> str:
    return quote(text, safe="")


async def _failure(response: aiohttp.ClientResponse) -> CommandFailed:
    """Return what a problem document says, as an error."""
    try:
        problem: Document = await response.json(content_type=None)
        detail, code = str(problem["detail"]), str(problem["code"])
        others = problem.get("errors", [])[1:]
    except (ValueError, KeyError, TypeError, aiohttp.ClientError):
        return CommandFailed(f"{response.url.origin()} answered {response.status}")
    detail += "".join(f"\n{other['pointer'][1:]}: {other['detail']}" for other in others)
    kind = NotAllowed if response.status in (401, 403) else CommandFailed
    return kind(detail, code=code)


async def wait_for_end(farm: FarmClient, job_id: str, *, period_s: float = 1.0) -> Document:
    """Return a job once nothing more will come of it."""
    while True:
        job = await farm.job(job_id)
        if job["state"] in JOB_ENDS:
            return job
        await asyncio.sleep(period_s)
