"""A driver that does what the test says: a printer in a few lines, with knobs for failing."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from agent.errors import DriverUnavailable, NotPossible
from agent.printers.driver import Capabilities, Observation, PlateFile, RunSeen, RunState
from protocols.wire.vocabulary import PrinterState, RunId, Temperature


class ScriptedDriver:
    """One printer in memory.

    Attributes:
        starts: every run that was started, in order: the judge of "exactly once".
        lines: of G-code that were sent by hand.
        fail: method name -> error to raise at its next call, once.
        hang_after_start: the printer takes the start, but `start` never returns.
        recovered: what `recover` answers; None: what the driver still sees itself.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(
        pause=True,
        recovers=True,
        commands=frozenset({"jog", "dialogue", "emergency_stop", "send"}),
    )

    def __init__(self) -> None:
        self.starts: list[RunId] = []
        self.calls: list[str] = []
        self.lines: list[str] = []
        self.sent = asyncio.Event()
        self.fail: dict[str, Exception] = {}
        self.hang_after_start = False
        self.took = asyncio.Event()
        self.recovered: RunSeen | None = None
        self._seen = Observation(
            state=PrinterState.IDLE, temperatures={"bed": Temperature(21.0, 0.0)}
        )
        self._turned = asyncio.Event()

    @property
    def observation(self) -> Observation:
        return self._seen

    def see(self, **changes: Any) -> None:
        """Change what is seen, and wake who waits for it."""
        self._seen = replace(self._seen, **changes)
        self._turned.set()
        self._turned = asyncio.Event()

    def proceed(self, state: RunState, **changes: Any) -> None:
        """Bring the run to another state."""
        assert self._seen.run is not None
        printer = {
            RunState.PRINTING: PrinterState.PRINTING,
            RunState.PAUSED: PrinterState.PAUSED,
        }.get(state, PrinterState.IDLE)
        self.see(state=printer, run=replace(self._seen.run, state=state, **changes))

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def changed(self) -> None:
        await self._turned.wait()

    async def check(self, plate: PlateFile) -> None:
        self._call("check")
        assert plate.path.exists()

    async def start(self, plate: PlateFile, run_id: RunId) -> None:
        self._call("start")
        self.starts.append(run_id)
        self.took.set()
        if self.hang_after_start:
            await asyncio.Event().wait()
        seen = RunSeen(run_id=run_id, state=RunState.PRINTING, line_count=100)
        self.see(state=PrinterState.PRINTING, run=seen)

    async def pause(self) -> None:
        self._call("pause")
        self.proceed(RunState.PAUSED)

    async def resume(self) -> None:
        self._call("resume")
        self.proceed(RunState.PRINTING)

    async def stop(self) -> None:
        self._call("stop")
        self.proceed(RunState.STOPPED)

    async def recover(self, run_id: RunId, plate: PlateFile | None) -> RunSeen:
        self._call("recover")
        if self._seen.state is PrinterState.OFFLINE:
            raise DriverUnavailable("no connection")
        seen = self.recovered or self._seen.run
        if seen is None or seen.run_id != run_id:
            return RunSeen(run_id=run_id, state=RunState.UNKNOWN, reason="nobody can say")
        self.see(run=seen)
        return seen

    async def command(self, name: str, arguments: Mapping[str, Any]) -> str:
        self._call("command")
        if name == "send":
            self.lines.append(str(arguments["line"]))
            self.sent.set()
        if self._seen.state is not PrinterState.IDLE:
            raise NotPossible("it prints")
        return f"{name} done"

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if error := self.fail.pop(name, None):
            raise error
