"""What the stand-ins for paid services share: a till, a script of troubles, tasks that go on.

Each is a server of its own on a free port of this machine, with its state; it counts every charge.
A task goes one step on each time somebody looks, so that no test has to wait.
"""

import asyncio
import json
import ssl
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from email import message_from_bytes
from email.policy import HTTP
from typing import Any, TypeVar

from aiohttp import web

STL = b"solid part\nendsolid part\n"
GLB = b"glTF" + (2).to_bytes(4, "little") + (12).to_bytes(4, "little")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Till:
    """Every charge, and what was given back."""

    charges: list[tuple[str, Decimal]] = field(default_factory=list)
    refunds: list[tuple[str, Decimal]] = field(default_factory=list)

    def charge(self, task_id: str, amount: Decimal | int | str) -> None:
        self.charges.append((task_id, Decimal(amount)))

    def refund(self, task_id: str) -> None:
        paid = sum((amount for charged, amount in self.charges if charged == task_id), Decimal())
        if task_id not in [refunded for refunded, _ in self.refunds]:
            self.refunds.append((task_id, paid))

    @property
    def taken(self) -> Decimal:
        """What was taken, less what was given back."""
        given_back = sum((amount for _, amount in self.refunds), Decimal())
        return sum((amount for _, amount in self.charges), Decimal()) - given_back


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What goes wrong with one call.

    Attributes:
        after: the change of state has been made; else there is none.
        how: `status`, `drop` (hangs up), `hang` (no answer), `garbage` (no JSON), `late` (the
            answer comes once `let_go` is set), `halved` (breaks off in the middle).
    """

    how: str = "status"
    after: bool = False
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(slots=True)
class Task:
    """One task of a service, and how far it is: a place in its walk."""

    task_id: str
    asked: dict[str, Any]
    amount: Decimal
    made_at_ms: int = 0
    walk: tuple[str, ...] = ("waiting", "waiting", "running", "done")
    at: int = 0
    failure: dict[str, Any] = field(default_factory=dict)
    family: str = ""

    @property
    def state(self) -> str:
        return self.walk[min(self.at, len(self.walk) - 1)]

    @property
    def progress(self) -> float:
        return min(self.at / max(len(self.walk) - 1, 1), 1.0)

    def step(self) -> None:
        self.at += 1


class PaidService:
    """One stand-in; a service's own class adds its routes."""

    # Which header shows the key, and what it holds.
    key_header = "Authorization"
    key = "key-of-the-test"
    # Calls by which health can be asked for without a charge.
    free_calls: tuple[str, ...] = ("balance",)

    def __init__(self) -> None:
        self.till = Till()
        self.tasks: dict[str, Task] = {}
        self.asked: list[tuple[str, Any]] = []
        self.keys_at_files: list[str] = []
        self.let_go = asyncio.Event()
        self.port = 0
        self.now_ms = 0  # set from the clock of who made it
        self.file = STL
        # Files are good until this grows; their address tells of which time it is.
        self.fresh = 0
        self._troubles: dict[str, deque[Trouble]] = defaultdict(deque)
        self._count = 0

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes of the service; the stand-in for its files is added to them."""
        raise NotImplementedError

    def shown_key(self) -> str:
        """Return what a request has to show."""
        return f"Bearer {self.key}"

    def refusal(self, status: int, message: str, code: str = "") -> web.Response:
        """Return a fault in the way of the service."""
        return web.json_response({"message": message, "code": code}, status=status)

    def misbehave(self, call: str, *troubles: Trouble) -> None:
        """Let the next calls of a kind go wrong, one after the other.

        Args:
            call: `submit`, `look`, `list`, `cancel`, `balance`, `file`, `upload`, or a service's
                own word.
        """
        self._troubles[call].extend(troubles)

    def behave(self) -> None:
        """Let nothing go wrong any more."""
        self._troubles.clear()

    def new_task(self, asked: dict[str, Any], amount: Decimal | int | str, **fields: Any) -> Task:
        """Make a task, and charge for it."""
        self._count += 1
        task_id = f"task-{self._count:04}"
        task = Task(
            task_id=task_id,
            asked=asked,
            amount=Decimal(amount),
            made_at_ms=self.now_ms + self._count,
            **fields,
        )
        self.tasks[task_id] = task
        self.till.charge(task_id, amount)
        return task

    def finish(self) -> None:
        """Let all tasks be done."""
        for task in self.tasks.values():
            task.at = len(task.walk) - 1

    def fail(self, **failure: Any) -> None:
        """Let all tasks fail, and give back what they cost."""
        for task in self.tasks.values():
            task.walk, task.at, task.failure = ("failed",), 0, failure
            self.till.refund(task.task_id)

    def forget(self) -> None:
        """Lose all tasks, as by a restart; what was charged stays so."""
        self.tasks.clear()

    def expire_files(self) -> None:
        """Let every address of a file that was told so far be good no more."""
        self.fresh += 1

    def file_url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/files/{name}?Expires={self.fresh}&Signature=hushhush"

    def route(
        self, method: str, path: str, call: str, handler: Handler, *, open_to_all: bool = False
    ) -> web.RouteDef:
        """Return a route that wants the key, and that goes wrong as it was told to."""

        async def served(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            self.asked.append((f"{request.method} {request.path}", body))
            if not open_to_all and request.headers.get(self.key_header) != self.shown_key():
                return self.refusal(401, "this key is not known")
            waiting = self._troubles[call]
            trouble = waiting.popleft() if waiting else None
            if trouble is not None and not trouble.after:
                return await self._trouble(request, trouble)
            answer = await handler(request)
            return answer if trouble is None else await self._trouble(request, trouble, answer)

        return web.route(method, path, served)

    async def _trouble(
        self, request: web.Request, trouble: Trouble, answer: web.StreamResponse | None = None
    ) -> web.StreamResponse:
        assert request.transport is not None
        match trouble.how:
            case "status":
                body = trouble.body if trouble.body is not None else {"message": "out of order"}
                return web.json_response(body, status=trouble.status, headers=dict(trouble.headers))
            case "drop":
                request.transport.abort()
                return web.Response()
            case "hang":
                await asyncio.get_running_loop().create_future()
                raise AssertionError("the future is never done")
            case "garbage":
                return web.Response(text="<html>gateway</html>", content_type="text/html")
            case "late":
                await self.let_go.wait()
                assert answer is not None
                return answer
            case "halved":
                response = web.StreamResponse(headers={"Content-Length": "900"})
                await response.prepare(request)
                await response.write(b"{")
                request.transport.close()
                return response
            case _:
                raise ValueError(trouble.how)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        self.keys_at_files.append(request.headers.get(self.key_header, ""))
        if request.query.get("Expires") != str(self.fresh):
            return web.Response(status=403, text="expired")
        return web.Response(body=self.file)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


ServiceT = TypeVar("ServiceT", bound=PaidService)


@asynccontextmanager
async def served(
    service: ServiceT, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[ServiceT]:
    """Serve on a free port of this machine."""
    app = web.Application(client_max_size=2**30)
    app.add_routes(service.routes())
    files = service.route("GET", "/files/{name:.*}", "file", service._file, open_to_all=True)
    app.add_routes([files])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        service.port = runner.addresses[0][1]
        yield service
    finally:
        await runner.cleanup()


async def said(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a request; anything else is a test's own mistake."""
    document = json.loads(await request.read())
    assert isinstance(document, dict)
    return document


async def form_of(request: web.Request) -> tuple[dict[str, str], list[tuple[str, bytes]]]:
    """Return the fields of a form, and its files by the names of their fields."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    message = message_from_bytes(head + await request.read(), policy=HTTP)
    fields: dict[str, str] = {}
    files: list[tuple[str, bytes]] = []
    for part in message.iter_parts():
        name = part.get_param("name", header="Content-Disposition")
        data = part.get_payload(decode=True)
        assert isinstance(name, str)
        assert isinstance(data, bytes)
        if part.get_filename():
            files.append((name, data))
        else:
            fields[name] = data.decode()
    return fields, files
