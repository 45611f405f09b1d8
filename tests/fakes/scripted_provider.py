"""A provider that does what it is told, with a till: what was charged, beside what it says.

The service behind it lives on when a coordinator dies: hand the same `Service` to the next one.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from coordinator.domain.providing import (
    Again,
    Blame,
    CallingOff,
    Cancels,
    Cost,
    Handle,
    Health,
    Hint,
    Kind,
    Look,
    Offer,
    Option,
    Phase,
    Piece,
    ProviderFault,
    Submitted,
    Wish,
)
from coordinator.ports import StagedFile
from coordinator.ports_providers import Told

PRICE = Decimal("0.25")
MESH = b"solid hook\nfacet normal 0 0 1\nendfacet\nendsolid hook\n"
OFFER = Offer(
    service="scripted",
    title="Scripted",
    kinds=frozenset({Kind.TEXT, Kind.IMAGE, Kind.CODE, Kind.LINK}),
    prompt_chars_max=500,
    pictures_max=2,
    mesh_bytes_max=1_000_000,
    options=(Option(name="style", type="string", words="how it looks", choices=("low", "fine")),),
    needs_size=False,
    converses=True,
    again=Again.NEVER,
    cancels=Cancels.ALWAYS,
    at_once_max=2,
    look_every_s=1.0,
    patience_s=600.0,
)


@dataclass
class Task:
    """A task at the service; `looks` are what is left to be seen before it has succeeded."""

    task_id: str
    key: str
    prompt: str
    looks: list[Look]
    cancelled: bool = False


@dataclass
class Service:
    """What the vendor knows: tasks, and the till."""

    tasks: dict[str, Task] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    @property
    def till(self) -> Decimal:
        """What was charged in all."""
        return PRICE * sum(not task.cancelled for task in self.tasks.values())

    def charge(self, key: str, prompt: str, looks: Sequence[Look]) -> Task:
        task = Task(f"task-{len(self.tasks) + 1}", key, prompt, list(looks))
        self.tasks[task.task_id] = task
        return task


RUNNING = Look(phase=Phase.RUNNING, progress=0.5, stage="meshing")
DONE = Look(
    phase=Phase.SUCCEEDED,
    pieces=(Piece(role="mesh", name="hook", suffix=".stl", url="https://files.test/hook.stl"),),
    charged=Cost(amount=PRICE, unit="USD"),
    told={"service_model": "scripted-1", "author": "nobody"},
)


@dataclass
class ScriptedProvider:
    """Implements `coordinator.ports_providers.Provider`.

    Attributes:
        before, after: faults of the next submits, before and after the task was made.
        looks: what a task shows before `done`.
        at_once: the answer to a submit has the result with it.
        fetches, look_faults: faults of the next ones.
        gate: where it is there, a submit waits for it once the task is made.
    """

    service: Service = field(default_factory=Service)
    offer: Offer = OFFER
    before: list[ProviderFault] = field(default_factory=list)
    after: list[ProviderFault] = field(default_factory=list)
    looks: tuple[Look, ...] = ()
    done: Look = DONE
    at_once: bool = False
    fetches: list[ProviderFault] = field(default_factory=list)
    look_faults: list[ProviderFault] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    price: Cost | None = field(default_factory=lambda: Cost(amount=PRICE, unit="USD"))
    ready: bool = True
    hides: bool = False
    calls_off: CallingOff = CallingOff.DONE
    gate: asyncio.Event | None = None
    wishes: list[Wish] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    told: tuple[float | None, str] | None = None
    closed: bool = False

    def objection(self, wish: Wish) -> str:
        return "nothing was asked for" if wish.kind is Kind.TEXT and not wish.prompt else ""

    async def estimate(self, wish: Wish) -> Cost | None:
        return self.price

    async def submit(self, wish: Wish, key: str, told: Told) -> Submitted:
        self.service.calls.append(key)
        self.called.set()
        self.wishes.append(wish)
        if self.told is not None:
            told(*self.told)
        if self.before:
            raise self.before.pop(0)
        known = [task for task in self.service.tasks.values() if task.key == key]
        if known and self.offer.again is Again.SAME_KEY:
            task = known[0]
        else:
            task = self.service.charge(key, wish.prompt, self.looks)
        if self.gate is not None:
            await self.gate.wait()
        if self.after:
            raise self.after.pop(0)
        handle = Handle(task_id=task.task_id, extra={"shelf": 7})
        return Submitted(handle=handle, look=self.done if self.at_once else None)

    async def recall(self, wish: Wish, key: str, since: datetime) -> Handle | None:
        found = [task for task in self.service.tasks.values() if task.key == key]
        return Handle(task_id=found[0].task_id) if found and not self.hides else None

    async def look(self, handle: Handle) -> Look:
        if self.look_faults:
            raise self.look_faults.pop(0)
        task = self.service.tasks.get(handle.task_id)
        if task is None:
            raise ProviderFault(Blame.EXPIRED, "unknown_task", "there is no such task")
        if task.cancelled:
            return Look(phase=Phase.CANCELLED)
        return task.looks.pop(0) if task.looks else self.done

    async def call_off(self, handle: Handle) -> CallingOff:
        if self.calls_off is CallingOff.DONE:
            self.service.tasks[handle.task_id].cancelled = True
        return self.calls_off

    async def fetch(self, piece: Piece, sink: StagedFile) -> None:
        if self.fetches:
            raise self.fetches.pop(0)
        await sink.write(self.files.get(piece.name, MESH))

    async def delete(self, handle: Handle) -> None:
        self.service.tasks.pop(handle.task_id, None)

    async def health(self) -> Health:
        return Health(ready=self.ready, balance=Cost(amount=Decimal(9), unit="USD"))

    def hints(self, headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
        if headers.get("x-secret") != "right":
            raise ProviderFault(Blame.AUTH_CONFIG, "bad_signature", "the signature is wrong")
        return [Hint(task_id=each) for each in body.decode().split()]

    async def close(self) -> None:
        self.closed = True


def offering(**changed: object) -> Offer:
    """Return the offer with some of it changed."""
    return replace(OFFER, **changed)  # type: ignore[arg-type]
