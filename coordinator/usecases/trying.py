"""Trying the farm without a printer: simulated ones started beside the coordinator, and removed."""

from contextlib import suppress
from dataclasses import dataclass

from coordinator.domain import controls, leases
from coordinator.domain.controls import Outcome
from coordinator.domain.printers import Printer
from coordinator.domain.runs import Run, RunChange, RunState
from coordinator.errors import NotFound, NotNow, NotPermitted, Refused
from coordinator.ports_trial import PRINTERS_MAX, SIMULATED, SimulatedFarm
from coordinator.usecases.ahead import lose_staged
from coordinator.usecases.enrolling import make_token
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import Writing, holding_of, the_printer, writing
from coordinator.usecases.retiring import restore_printer, retire_agent
from protocols.wire.vocabulary import PrinterId

SPEED_MAX = 200.0
_TOKEN_S = 300.0
_REMOVED = "its simulated printer was removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How trying stands.

    Attributes:
        allowed: by the settings.
        printers: those that are there, simulated.
        trouble: why none are where they should be, in the last words of their process.
    """

    allowed: bool
    running: bool
    printers: tuple[Printer, ...]
    trouble: str


async def trial(farm: Farm, simulated: SimulatedFarm) -> Trial:
    """Return how it stands."""
    async with farm.store.read() as unit:
        printers = await unit.printers(SIMULATED)
    return Trial(
        allowed=simulated.allowed,
        running=simulated.running,
        printers=tuple(printers),
        trouble=simulated.trouble,
    )


async def begin_trial(
    farm: Farm,
    simulated: SimulatedFarm,
    actor: str,
    origin: str = "",
    *,
    printers: int,
    speed: float,
    fingerprint: str = "",
) -> Trial:
    """Start simulated printers; they are there some seconds later, their beds not yet clear.

    Args:
        speed: how much faster than real ones they are.
        fingerprint: of the farm's own authority, where it has one.

    Raises:
        NotPermitted: `demo_forbidden`, by the settings.
        NotNow: `demo_running`.
        Refused: `demo_out_of_range`: too many, or too fast; `agent_id_taken`: somebody's agent has
            their name.
        Unavailable: `demo_failed`.
    """
    if not simulated.allowed:
        raise NotPermitted("demo_forbidden", "the setting demo_farm forbids simulated printers")
    if not (1 <= printers <= PRINTERS_MAX and 1.0 <= speed <= SPEED_MAX):
        words = f"1 to {PRINTERS_MAX} printers, 1 to {SPEED_MAX:g} times as fast as real ones"
        raise Refused("demo_out_of_range", words)
    if simulated.running:
        raise NotNow("demo_running", "simulated printers are there already")
    async with farm.store.read() as unit:
        agent = await unit.agent(SIMULATED)
        back = await unit.printers(SIMULATED, retired=True)
    if agent is not None and agent.online:
        raise Refused("agent_id_taken", f"an agent of somebody's is called {SIMULATED}")
    wanted = {PrinterId(f"{SIMULATED}-{number}") for number in range(1, printers + 1)}
    for printer in back:
        if printer.printer_id in wanted:
            await restore_printer(farm, printer.printer_id, actor, origin)
    made = await make_token(farm, actor, origin, agent_id=SIMULATED, valid_s=_TOKEN_S)
    token = f"{made.text}.{fingerprint}" if fingerprint else made.text
    await simulated.start(token, printers=printers, speed=speed)
    return await trial(farm, simulated)


async def end_trial(farm: Farm, simulated: SimulatedFarm, actor: str, origin: str = "") -> Trial:
    """Stop the simulated printers and take them out of the farm.

    What they print counts for nothing: their jobs wait for other printers. Their history stays.
    """
    await simulated.stop()
    async with farm.store.read() as unit:
        printers = await unit.printers(SIMULATED)
    for printer in printers:
        async with writing(farm, actor, origin) as transaction:
            await _empty(transaction, printer.printer_id, actor)
    with suppress(NotFound):  # it never came
        await retire_agent(farm, SIMULATED, actor, origin)
    return await trial(farm, simulated)


async def _empty(transaction: Writing, printer_id: PrinterId, actor: str) -> None:
    """End what is leased to a printer that is no more: nothing of it was ever printed."""
    unit = transaction.unit
    await lose_staged(transaction, printer_id, _REMOVED)
    for run in await unit.runs(printer_id=printer_id):
        if run.live:
            await _change(transaction, run)
        if (await unit.run(run.run_id) or run).state is RunState.LOST:
            printer = await the_printer(unit, printer_id)
            holding = await holding_of(unit, printer, run.run_id)
            effects = controls.settle(holding, Outcome.REPRINT, transaction.now, by=actor)
            await transaction.perform(effects)


async def _change(transaction: Writing, run: Run) -> None:
    unit = transaction.unit
    change = RunChange.REVOKE if run.state is RunState.LEASED else RunChange.LOSE
    holding = await holding_of(unit, await the_printer(unit, run.printer_id), run.run_id)
    _, effects = leases.move(holding, change, transaction.now, reason=_REMOVED)
    await transaction.perform(effects)
