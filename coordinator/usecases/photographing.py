"""Pictures of printers: asked of their agents when somebody looks, at each run's end, and at rest.

An agent takes one only when it is asked, by a command, and sends it over HTTP before it answers.
With several coordinators each keeps what is sent to it: behind one address for all of them, who
asks may find that another one got the picture.
"""

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta

import structlog

from coordinator.domain.history import Thing
from coordinator.domain.printers import Printer
from coordinator.domain.runs import Run, RunState
from coordinator.errors import FarmError, NotFound, NotNow, Refused, Unavailable
from coordinator.ports_pictures import Picture
from coordinator.usecases.commanding import ask_agent
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import the_printer, the_run
from protocols.pictures import picture_type
from protocols.wire.to_agent import Scalar
from protocols.wire.vocabulary import AgentId, PrinterId, RunId

log = structlog.get_logger(__name__)

COMMAND = "picture"  # among a printer's commands: its agent has a camera for it
# An agent gives a camera 10 s, the way to us 30 s.
ANSWER_S_MAX = 45.0
# By the agent's clock. Later it is no picture of how the run ended: somebody may have been there.
ENDED_S_MAX = 60.0
AT_ONCE_MAX = 8
LOOK_S = 5.0

_ENDS = frozenset({RunState.FINISHED, RunState.STOPPED, RunState.FAILED})


async def look(farm: Farm, printer_id: PrinterId, age_s_max: float | None) -> Picture:
    """Return a printer's picture.

    Args:
        age_s_max: an older one will not do, and a new one is taken; None: the newest there is,
            and one is taken only where there is none.

    Raises:
        NotFound: there is no such printer; or it has no camera, and nothing was ever seen of it.
        NotNow: its agent is away.
        Unavailable: the camera gives none, or the agent does not answer.
    """
    async with farm.store.read() as unit:
        printer = await the_printer(unit, printer_id)
    newest = await farm.pictures.newest(printer_id)
    if newest is not None and (age_s_max is None or _age_s(farm, newest) <= age_s_max):
        return newest
    if not has_camera(farm, printer_id):
        raise NotFound("camera", printer_id)
    if not printer.online:
        raise NotNow("printer_offline", f"the agent of {printer_id} is not connected")
    asked_at = farm.clock.now()
    await _take_once(farm, printer)
    newest = await farm.pictures.newest(printer_id)
    if newest is None or newest.taken_at < asked_at - timedelta(seconds=ANSWER_S_MAX):
        raise Unavailable("camera_failed", "the picture went to another coordinator of this farm")
    return newest


def has_camera(farm: Farm, printer_id: PrinterId) -> bool:
    """Whether a printer's agent said that it can take pictures of it."""
    return COMMAND in farm.live.commands.get(printer_id, ())


async def run_picture(farm: Farm, run_id: RunId) -> Picture:
    """Return what was seen when a run ended.

    Raises:
        NotFound: there is no such run, or no picture of it.
    """
    async with farm.store.read() as unit:
        await the_run(unit, run_id)
    if (picture := await farm.pictures.of_run(run_id)) is None:
        raise NotFound("picture", run_id)
    return picture


async def keep(
    farm: Farm, agent_id: AgentId | None, printer_id: PrinterId, data: bytes, run_id: RunId | None
) -> None:
    """Keep a picture that an agent sent.

    Args:
        agent_id: who sent it; None: somebody who may send for every agent.

    Raises:
        NotFound: the printer is none of that agent's, or the run none of the printer's.
        Refused: it is no picture.
        Unavailable: the disk is full.
    """
    async with farm.store.read() as unit:
        printer = await the_printer(unit, printer_id)
        run = await the_run(unit, run_id) if run_id is not None else None
    if agent_id is not None and printer.agent_id != agent_id:
        raise NotFound("printer", printer_id)
    if run is not None and run.printer_id != printer_id:
        raise NotFound("run", run.run_id)
    if not picture_type(data):
        raise Refused("not_a_picture", "a JPEG or PNG is wanted")
    picture = Picture(data=data, taken_at=farm.clock.now())
    await farm.pictures.keep(printer_id, picture, run_id=run_id)
    farm.live.pictures.tell((("picture", printer_id),))


async def _take_once(farm: Farm, printer: Printer) -> None:
    """Have a picture taken; who asks meanwhile waits for the same one."""
    taking = farm.live.photographed
    if (others := taking.get(printer.printer_id)) is not None:
        await asyncio.wait((others,))
        if (theirs := others.result()) is not None:
            raise theirs
        return
    outcome: asyncio.Future[FarmError | None] = asyncio.get_running_loop().create_future()
    taking[printer.printer_id] = outcome
    failure: FarmError | None = Unavailable("camera_failed", "who asked first went away: ask again")
    try:
        failure = await _take(farm, printer, {})
    finally:
        del taking[printer.printer_id]
        outcome.set_result(failure)
    if failure is not None:
        raise failure


async def _take(farm: Farm, printer: Printer, arguments: dict[str, Scalar]) -> FarmError | None:
    """Have a picture taken; return why there is none, None where it came."""
    try:
        result = await ask_agent(farm, printer, COMMAND, arguments, answer_s_max=ANSWER_S_MAX)
    except FarmError as error:
        return error
    return None if result.ok else Unavailable("camera_failed", result.message)


def _age_s(farm: Farm, picture: Picture) -> float:
    return (farm.clock.now() - picture.taken_at).total_seconds()


class Photographer:
    """Has pictures taken that nobody asks for: of each run's end, and now and then of all printers.

    `look` is done every few seconds. What fails is not told: who looks is told then.
    """

    def __init__(self, farm: Farm, *, every_s: float) -> None:
        """Look at every printer so often; 0: only when somebody asks, and at a run's end."""
        self._farm = farm
        self.every_s = every_s
        self._runs: set[RunId] = set()
        self._looked_at: dict[PrinterId, datetime] = {}

    def hear(self, things: Collection[Thing]) -> None:
        """Be told what changed; see `News`."""
        self._runs.update(RunId(its_id) for kind, its_id in things if kind == "run")

    async def look(self) -> None:
        """Have pictures taken of what is due."""
        now, turns = self._farm.clock.now(), asyncio.Semaphore(AT_ONCE_MAX)
        # Taken before anything is waited for: several may look at once.
        runs, self._runs = self._runs, set()
        seen = [each for each in self._farm.live.commands if has_camera(self._farm, each)]
        due = [printer_id for printer_id in seen if self._is_due(printer_id, now)]
        self._looked_at.update(dict.fromkeys(due, now))
        if not due and not (seen and runs):
            return
        async with self._farm.store.read() as unit:
            ended = [run for run_id in runs if (run := await unit.run(run_id)) is not None]
            ended = [run for run in ended if _ended_just_now(run, now)]
            meant = {*due, *(run.printer_id for run in ended)}.intersection(seen)
            found = [await unit.printer(printer_id) for printer_id in meant]
        there = {each.printer_id: each for each in found if each is not None and each.online}

        async def take(printer: Printer, arguments: dict[str, Scalar]) -> None:
            async with turns:
                if failure := await _take(self._farm, printer, arguments):
                    log.info("picture.none", printer_id=printer.printer_id, reason=str(failure))

        async with asyncio.TaskGroup() as tasks:
            for run in ended:
                if (printer := there.pop(run.printer_id, None)) is not None:
                    tasks.create_task(take(printer, {"run_id": run.run_id}), name="picture")
            for printer in there.values():
                tasks.create_task(take(printer, {}), name="picture")

    def _is_due(self, printer_id: PrinterId, now: datetime) -> bool:
        looked_at = self._looked_at.get(printer_id)
        if not self.every_s:
            return False
        return looked_at is None or (now - looked_at).total_seconds() >= self.every_s


def _ended_just_now(run: Run, now: datetime) -> bool:
    ended_at = run.ended_at
    if run.state not in _ENDS or ended_at is None:
        return False
    return abs((now - ended_at).total_seconds()) <= ENDED_S_MAX
