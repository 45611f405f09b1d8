"""Plates and artifacts: what lies in the store, and what it needs to print.

Theory. A plate of a model is made for one class of printers when it is wanted: because a printer of
that class could print it now, or because the job has no plate yet. It is WANTED until the slicer
has answered, and then MADE, or REFUSED with the reason; both stay. What was given ready is MADE.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from coordinator.domain.machine import Machine
from protocols.gcode.lines import parse, strip_comment
from protocols.wire.vocabulary import JobId


class ArtifactKind(StrEnum):
    """What an artifact is."""

    MODEL = "model"
    PLATE = "plate"
    PICTURE = "picture"
    CODE = "code"  # that a model is made of
    RELEASE = "release"  # of the agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """An immutable file, named by its hash."""

    sha256: str
    kind: ArtifactKind
    name: str
    size_bytes: int
    created_at: datetime


class PlateState(StrEnum):
    """Where a plate stands."""

    WANTED = "wanted"
    MADE = "made"
    REFUSED = "refused"


class PlateEvent(StrEnum):
    """What the slicer answered."""

    MAKE = "make"
    REFUSE = "refuse"


MACHINE = Machine(
    "plate",
    PlateState.WANTED,
    {
        (PlateState.WANTED, PlateEvent.MAKE): PlateState.MADE,
        (PlateState.WANTED, PlateEvent.REFUSE): PlateState.REFUSED,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """G-code for one bed, made for (or given to) a job.

    Attributes:
        sha256: of the G-code; empty until it is made, as `name` is.
        printer_class: what it was made for; empty where the job's owner vouches for any.
        material: what it was made for; empty where unknown.
        copies: how many are on it; until it is made, how many should be.
        reason: why it can't be made, for a person; empty unless it is REFUSED.
        time_s: estimated seconds, None where the file does not tell; so with the others.
        cost: of the filament, in the money of the material's profile.
        remarks: what there is to say of it, for a person: a hole that was closed, a hot nozzle.
        pictures: PNGs of it as artifacts: what one shows and its width, `plate-256` -> sha256.
        engine: name and version of the slicer; empty for an uploaded plate.
    """

    job_id: JobId
    sha256: str = ""
    name: str = ""
    size_bytes: int = 0
    printer_class: str = ""
    material: str = ""
    copies: int = 1
    state: PlateState = PlateState.MADE
    reason: str = ""
    time_s: float | None = None
    filament_mm: float | None = None
    filament_g: float | None = None
    cost: float | None = None
    layer_count: int | None = None
    line_count: int | None = None
    engine: str = ""
    remarks: tuple[str, ...] = ()
    pictures: Mapping[str, str] = field(default_factory=dict)


def wanted(job_id: JobId, printer_class: str, material: str, copies: int) -> Plate:
    """Return a plate that is to be sliced."""
    return Plate(
        job_id=job_id,
        printer_class=printer_class,
        material=material,
        copies=copies,
        state=MACHINE.start,
    )


def advance(plate: Plate, event: PlateEvent, *, reason: str = "") -> Plate:
    """Return the plate as the slicer answered; what was made is put into it by who keeps it.

    Raises:
        IllegalTransition: the slicer had answered already.
    """
    return replace(plate, state=MACHINE.after(plate.state, event), reason=reason)


def made_of(plates: Iterable[Plate]) -> tuple[Plate, ...]:
    """Return the plates that can be printed."""
    return tuple(plate for plate in plates if plate.state is PlateState.MADE)


def holds_gcode(lines: Iterable[str]) -> bool:
    """Whether a text holds at least one G-code command; reads no further than that.

    Bytes that no G-code holds (a zero byte) end the search: the file is something else.
    """
    for line in lines:
        if "\0" in line:
            return False
        command = parse(strip_comment(line))
        if command is not None and command.name[0] in "GMT":
            return True
    return False
