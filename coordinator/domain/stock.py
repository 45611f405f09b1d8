"""Spools and materials: what there is to print with, where it is, and how much of it is left.

Theory. A spool is loaded into one tool of one printer, or lies on a shelf. While one is loaded into
a printer's first tool, that printer holds the spool's material. A run that ended has drawn from the
spool that is loaded then: all that its plate foretells where it finished, else the part of its
layers that it came through. Nobody weighs anything; who does, says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from coordinator.domain.effects import Effects, Note, Poke, Save, Work
from coordinator.domain.plates import Plate
from coordinator.domain.printers import Printer
from coordinator.domain.runs import Run, RunState
from protocols.wire.to_agent import Scalar
from protocols.wire.vocabulary import PrinterId

# Where the printer's material is taken from; the others only tell where a spool is.
FIRST_TOOL = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """One spool.

    Attributes:
        material: as printers and profiles call it: `PLA`.
        colour: in words, or as `#rrggbb`.
        weight_g: what was on it when it was new, without the spool itself.
        remaining_g: what is left by the farm's reckoning; never below 0.
        cost: of all of it, in the farm's money; None where nobody said.
        lot: what its vendor wrote on it.
        location: where it lies, or lay before it was loaded.
        printer_id: what it is loaded into, with `tool`; None where it is on a shelf.
        archived: it is used up or gone, and shown only to who asks for it.
        version: grows with every change.
    """

    spool_id: str
    material: str
    colour: str = ""
    vendor: str = ""
    weight_g: float
    remaining_g: float
    cost: float | None = None
    lot: str = ""
    location: str = ""
    notes: str = ""
    printer_id: PrinterId | None = None
    tool: int = FIRST_TOOL
    archived: bool = False
    created_at: datetime
    updated_at: datetime
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolsWanted:
    """Which spools; None and empty mean that any will do.

    Attributes:
        material: whatever its capitals.
        loaded: in a printer, or on a shelf.
        archived: those too.
    """

    material: str = ""
    printer_id: PrinterId | None = None
    loaded: bool | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialProfile:
    """What slicing knows of a material; `cost_per_kg` is in the farm's money."""

    name: str
    title: str
    nozzle_celsius: float
    bed_celsius: float
    density_g_cm3: float
    cost_per_kg: float


# How a run ends that has taken filament, as far as it came.
TAKES = frozenset({RunState.FINISHED, RunState.STOPPED, RunState.FAILED, RunState.DISCARDED})


def drawn_g(run: Run, plate: Plate) -> float:
    """Return what an ended run took, by what its plate foretells; 0 where nobody can tell."""
    if run.state not in TAKES or run.started_at is None or not plate.filament_g:
        return 0.0
    if run.state is RunState.FINISHED:
        return plate.filament_g
    return plate.filament_g * min(1.0, run.layer / plate.layer_count) if plate.layer_count else 0.0


def draw(spool: Spool, run: Run, plate: Plate, now: datetime) -> Effects:
    """Take what an ended run took off its printer's spool."""
    grams = drawn_g(run, plate)
    if not grams:
        return ()
    left_g = round(max(0.0, spool.remaining_g - grams), 3)
    lighter = changed(spool, now, remaining_g=left_g)
    facts: dict[str, Scalar] = {
        "run_id": run.run_id,
        "job_id": run.job_id,
        "grams": round(grams, 3),
    }
    note = Note(subject="spool", subject_id=spool.spool_id, name="spool.drawn", facts=facts)
    return (Save(lighter), note)


def load(
    spool: Spool, printer: Printer, tool: int, loaded: Sequence[Spool], now: datetime
) -> Effects:
    """Put a spool into a printer's tool, which holds its material from then on.

    Args:
        loaded: what is in that tool until now; it goes back to where it lay.
    """
    effects: Effects = ()
    for other in loaded:
        if other.spool_id != spool.spool_id:
            away = changed(other, now, printer_id=None, tool=FIRST_TOOL)
            effects = (*effects, Save(away), _note(away, "unloaded"))
    now_in = changed(spool, now, printer_id=printer.printer_id, tool=tool, archived=False)
    effects = (*effects, Save(now_in), _note(now_in, "loaded"))
    if tool == FIRST_TOOL:
        holds = replace(printer, spool_id=spool.spool_id, material=spool.material)
        effects = (*effects, *_printer_holds(printer, holds))
    return effects


def unload(spool: Spool, printer: Printer | None, now: datetime) -> Effects:
    """Take a spool out of its printer; what that holds then, nobody has said.

    Args:
        printer: the one it is loaded into, None where that is gone.
    """
    away = changed(spool, now, printer_id=None, tool=FIRST_TOOL)
    effects: Effects = (Save(away), _note(away, "unloaded"))
    if printer is not None and printer.spool_id == spool.spool_id:
        holds = replace(printer, spool_id="", material="")
        effects = (*effects, *_printer_holds(printer, holds))
    return effects


def changed(spool: Spool, now: datetime, **fields: object) -> Spool:
    """Return the spool with fields replaced and its version raised."""
    return replace(spool, **fields, updated_at=now, version=spool.version + 1)  # type: ignore[arg-type]


def shortage(plate: Plate, spool: Spool) -> str:
    """Return in words that a spool does not last for a plate; empty where it does."""
    if plate.filament_g is None or spool.remaining_g >= plate.filament_g:
        return ""
    return (
        f"a plate takes {plate.filament_g:.0f} g; {spool.spool_id} on {spool.printer_id} "
        f"has {spool.remaining_g:.0f} g left"
    )


def _printer_holds(before: Printer, now: Printer) -> Effects:
    if now == before:
        return ()
    cause = f"{now.spool_id or 'no spool'} is loaded"
    note = Note(subject="printer", subject_id=now.printer_id, name="printer.described", cause=cause)
    return (Save(now), note, Poke(Work.PREPARE), Poke(Work.DISPATCH))


def _note(spool: Spool, verb: str) -> Note:
    facts: dict[str, Scalar] = {}
    if spool.printer_id is not None:
        facts = {"printer_id": spool.printer_id, "tool": spool.tool}
    return Note(subject="spool", subject_id=spool.spool_id, name=f"spool.{verb}", facts=facts)
