"""Plates and artifacts: what lies in the store, and what it needs to print."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from protocols.gcode.lines import parse, strip_comment
from protocols.wire.vocabulary import JobId


class ArtifactKind(StrEnum):
    """What an artifact is."""

    MODEL = "model"
    PLATE = "plate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """An immutable file, named by its hash."""

    sha256: str
    kind: ArtifactKind
    name: str
    size_bytes: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """G-code for one bed, made for (or given to) a job.

    Attributes:
        printer_class: what it was made for; empty where the job's owner vouches for any.
        material: what it was made for; empty where unknown.
        time_s: estimated seconds, None where the file does not tell; so with the others.
        engine: name and version of the slicer; empty for an uploaded plate.
    """

    job_id: JobId
    sha256: str
    name: str
    size_bytes: int
    printer_class: str = ""
    material: str = ""
    time_s: float | None = None
    filament_mm: float | None = None
    filament_g: float | None = None
    layer_count: int | None = None
    line_count: int | None = None
    engine: str = ""


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
