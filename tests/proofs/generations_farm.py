"""A farm of generations near whose every step one may die: fuse, till, provider, store, clock.

What a process leaves behind when it is killed lies in its folder: database, files, the till's
books, how late it is, and which steps were made.
"""

import asyncio
import json
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from coordinator.adapters.clock import SystemClock
from coordinator.domain.generations import MACHINE, GenerationState
from coordinator.domain.machine import Machine
from coordinator.domain.providing import (
    Again,
    Blame,
    CallingOff,
    Cost,
    Handle,
    Look,
    Phase,
    ProviderFault,
    Submitted,
    Wish,
)
from coordinator.errors import Refused
from coordinator.ports_providers import Told
from tests.fakes.fake_workshop import FakeWorkshop
from tests.fakes.scripted_provider import (
    DONE,
    MESH,
    PRICE,
    RUNNING,
    ScriptedProvider,
    Service,
    Task,
)

_CALLS = ("submit", "charge", "look", "call off", "fetch", "recall", "make")
# Where one may die: around each commit of a state, each call, each charge.
MOMENTS = (
    *(f"before {state.value} is stored" for state in GenerationState),
    *(f"after {state.value} is stored" for state in GenerationState),
    *(f"before {call}" for call in _CALLS),
    *(f"after {call}" for call in _CALLS),
    "before answer",
)
MOVES = tuple(f"{state.value}, {event.value}" for state, event in MACHINE.table)


def _fault(blame: Blame, code: str, after_s: float | None = None) -> ProviderFault:
    return ProviderFault(blame, code, code.replace("_", " "), after_s=after_s)


FULL = (
    _fault(Blame.WAIT_SLOT, "429_retry_after", 7.0),
    _fault(Blame.WAIT_SLOT, "429"),
    _fault(Blame.RETRY_SAFE, "429_rate", 3.0),
)
BEFORE = (
    *FULL,
    _fault(Blame.RETRY_SAFE, "refused"),
    _fault(Blame.SUBMIT_UNSURE, "503"),
    _fault(Blame.SUBMIT_UNSURE, "dropped_before"),
    _fault(Blame.QUOTA, "402"),
    _fault(Blame.INVALID_INPUT, "422"),
)
AFTER = (
    _fault(Blame.SUBMIT_UNSURE, "dropped_after"),
    _fault(Blame.SUBMIT_UNSURE, "502"),
    _fault(Blame.PROTOCOL, "no_json"),
)
LOOKING = (*FULL, _fault(Blame.RETRY_SAFE, "504"), _fault(Blame.PROTOCOL, "cut_off"))
FETCHING = (_fault(Blame.EXPIRED, "address_gone"), _fault(Blame.RETRY_SAFE, "cdn_down"))
# What becomes of a task that was paid for.
FATES = {
    "good": 14,
    "fails": 3,  # and is paid back
    "lost": 1,
    "no_mesh": 1,
    "no_file": 1,
    "not_mended": 1,
    "ended_there": 1,
    "endless": 1,
}
# By what a generation may end that was paid for, and not be done.
IN_VAIN = (
    "unknown_task",
    "no_mesh",
    "not_a_mesh",
    "refused_mesh",
    "cancelled_there",
    "deadline",
    "address_gone",
)


class Steps:
    """What was done, by all processes of a run: each a line, there as soon as it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, kind: str, what: str) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, f"{kind}\t{what}\n".encode())
        os.close(handle)

    def count_moves(self) -> None:
        """Note every move of a generation from now on in this process."""
        after = Machine.after

        def counted(machine: Machine[Any, Any], state: Any, event: Any) -> Any:
            found = after(machine, state, event)
            if machine is MACHINE:
                self.note("move", f"{state.value}, {event.value}")
            return found

        Machine.after = counted  # type: ignore[method-assign]


@dataclass
class Fuse:
    """Ends this process, hard, at the n-th moment that it could happen: at any, or of one name."""

    steps: Steps
    left: int | None = None
    name: str = ""

    def burn(self, moment: str) -> None:
        if self.left is None or self.name not in ("", moment):
            return
        self.left -= 1
        if self.left == 0:
            self.steps.note("kill", moment)
            os.kill(os.getpid(), signal.SIGKILL)


class LeapingClock(SystemClock):
    """A clock that leaps over what would only be waited for; later processes go on from there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.ahead_s = float(path.read_text()) if path.exists() else 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead_s)

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s

    def leap(self, seconds: float) -> None:
        self.ahead_s += seconds
        self._path.write_text(str(self.ahead_s))


@dataclass
class Fated(Task):
    """A task with its fate; `paid` is what the vendor has in the end."""

    fate: str = "good"

    @property
    def paid(self) -> bool:
        return not self.cancelled and self.fate != "fails"


class Till(Service):
    """The vendor's books, on disk: a line is there as soon as it is written."""

    def __init__(self, path: Path, fuse: Fuse, chance: random.Random) -> None:
        super().__init__()
        self.path, self.fuse, self.chance, self.faulty = path, fuse, chance, True
        for line in path.read_text().splitlines() if path.exists() else ():
            told = json.loads(line)
            if its_id := told.get("cancelled"):
                self.tasks[its_id].cancelled = True
            else:
                self.tasks[told["task_id"]] = Fated(**told, looks=[])

    @property
    def every(self) -> list[Fated]:
        return [task for task in self.tasks.values() if isinstance(task, Fated)]

    @property
    def till(self) -> Decimal:
        return PRICE * sum(task.paid for task in self.every)

    def charge(self, key: str, prompt: str, looks: Sequence[Look]) -> Task:
        self.fuse.burn("before charge")
        fates = list(FATES) if self.faulty else ["good"]
        [fate] = self.chance.choices(fates, [FATES[each] for each in fates])
        task = Fated(f"task-{len(self.tasks) + 1}", key, prompt, list(looks), fate=fate)
        self.tasks[task.task_id] = task
        self._write(task_id=task.task_id, key=key, prompt=prompt, fate=fate)
        self.fuse.burn("after charge")
        return task

    def cancel(self, task_id: str) -> None:
        self.tasks[task_id].cancelled = True
        self._write(cancelled=task_id)

    def _write(self, **told: str) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, (json.dumps(told) + "\n").encode())
        os.close(handle)


@dataclass
class Perilous(ScriptedProvider):
    """The scripted provider: near its every call one may die, and much goes wrong.

    Attributes:
        meanwhile: what people do while it is asked.
        freezes: so many submits are held up once they were charged, from `frozen` until `thaw`.
    """

    fuse: Fuse = field(default_factory=lambda: Fuse(Steps(Path(os.devnull))))
    chance: random.Random = field(default_factory=random.Random)
    faulty: bool = False
    meanwhile: Callable[[], Awaitable[None]] | None = None
    freezes: int = 0
    frozen: asyncio.Event = field(default_factory=asyncio.Event)
    thaw: asyncio.Event = field(default_factory=asyncio.Event)

    async def _trouble(self, faults: Sequence[ProviderFault], share: float) -> None:
        if not self.faulty:
            return
        await asyncio.sleep(self.chance.choice((0, 0.001, 0.003)))
        if self.meanwhile is not None and self.chance.random() < 0.06:
            await self.meanwhile()
        if self.chance.random() < share:
            fault = self.chance.choice(faults)
            self.fuse.steps.note("fault", fault.code)
            raise replace_fault(fault)

    async def estimate(self, wish: Wish) -> Cost | None:
        if (
            self.frozen.is_set()
        ):  # whoever took the work of a frozen call over is about to repeat it
            self.thaw.set()
            await asyncio.sleep(0.02)
        return await super().estimate(wish)

    async def submit(self, wish: Wish, key: str, told: Told) -> Submitted:
        self.fuse.burn("before submit")
        await self._trouble(BEFORE, 0.35)
        self.at_once = self.faulty and self.chance.random() < 0.25
        submitted = await super().submit(wish, key, told)
        if self.freezes:
            self.freezes -= 1
            self.frozen.set()
            await self.thaw.wait()
        self.fuse.burn("before answer")
        await self._trouble(AFTER, 0.25)
        if self._fate(submitted.handle) not in ("good", "not_mended"):
            submitted = replace(submitted, look=None)
        elif submitted.look is not None:
            submitted = replace(submitted, look=self._seen(submitted.handle))
        self.fuse.burn("after submit")
        return submitted

    async def look(self, handle: Handle) -> Look:
        self.fuse.burn("before look")
        await self._trouble(LOOKING, 0.15)
        seen = await super().look(handle)
        self.fuse.burn("after look")
        if seen.phase is Phase.CANCELLED:
            return seen
        if self.faulty and self.chance.random() < 0.2:
            return self.chance.choice((RUNNING, Look(phase=Phase.UNKNOWN)))
        return self._seen(handle)

    def _fate(self, handle: Handle) -> str:
        task = self.service.tasks.get(handle.task_id)
        return task.fate if isinstance(task, Fated) else "lost"

    def _seen(self, handle: Handle) -> Look:
        tells = int(handle.task_id.rpartition("-")[2]) % 2
        charged = DONE.charged if tells else None
        match fate := self._fate(handle):
            case "fails":
                fault = _fault(Blame.PROVIDER_FAILED, "server_error")
                nothing = Cost(amount=Decimal(0), unit="USD")
                return Look(phase=Phase.FAILED, fault=fault, charged=nothing)
            case "lost":
                raise _fault(Blame.EXPIRED, "unknown_task")
            case "no_mesh":
                return replace(DONE, pieces=(), charged=charged)
            case "ended_there":
                return Look(phase=Phase.CANCELLED)
            case "endless":
                return RUNNING
            case _:
                [piece] = DONE.pieces
                return replace(DONE, pieces=(replace(piece, name=fate),), charged=charged)

    async def call_off(self, handle: Handle) -> CallingOff:
        self.fuse.burn("before call off")
        await self._trouble(LOOKING, 0.1)
        ways = (CallingOff.DONE, CallingOff.DONE, CallingOff.REFUSED, CallingOff.UNKNOWN)
        how = self.chance.choice(ways)
        if how is CallingOff.DONE and isinstance(self.service, Till):
            self.service.cancel(handle.task_id)
        self.fuse.burn("after call off")
        return how

    async def fetch(self, piece: Any, sink: Any) -> None:
        self.fuse.burn("before fetch")
        await self._trouble(FETCHING, 0.15)
        await sink.write(b"<html>" if piece.name == "no_file" else MESH + piece.name.encode())
        self.fuse.burn("after fetch")

    async def recall(self, wish: Wish, key: str, since: datetime) -> Handle | None:
        self.fuse.burn("before recall")
        await self._trouble(LOOKING, 0.1)
        self.hides = self.faulty and self.chance.random() < 0.3
        found = await super().recall(wish, key, since)
        self.fuse.burn("after recall")
        return found


def replace_fault(fault: ProviderFault) -> ProviderFault:
    """Return a fault like another: each is raised once, as it takes its traceback along."""
    return ProviderFault(fault.blame, fault.code, fault.message, after_s=fault.after_s)


class PerilousWorkshop(FakeWorkshop):
    """A workshop that refuses what can't be mended, and near whose work one may die."""

    def __init__(self, provider: Perilous) -> None:
        super().__init__()
        self._provider = provider

    async def make_printable(self, model: Path, *more: Any) -> Any:
        self._provider.fuse.burn("before make")
        await self._provider._trouble((), 0.0)
        if b"not_mended" in model.read_bytes():  # noqa: ASYNC240 - a few bytes
            raise Refused("refused_mesh", "it can't be mended")
        made = await super().make_printable(model, *more)
        self._provider.fuse.burn("after make")
        return made


class PerilousStore:
    """A store, near whose every commit of a generation one may die."""

    def __init__(self, store: Any, fuse: Fuse) -> None:
        self._store, self._fuse = store, fuse

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        saved: list[str] = []
        async with self._store.write() as unit:
            save = unit.save_generation

            async def noted(generation: Any) -> None:
                await save(generation)
                saved.append(generation.state.value)

            unit.save_generation = noted
            yield unit
            for state in saved[-1:]:
                self._fuse.burn(f"before {state} is stored")
        for state in saved[-1:]:
            self._fuse.burn(f"after {state} is stored")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


KINDS = (Again.NEVER, Again.LISTED, Again.SAME_KEY, Again.COSTS_ONLY)
