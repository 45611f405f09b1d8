"""The parts of one plate: each model loaded, repaired, oriented, and all of them on the bed."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slicing import stl
from slicing.changes import Changes
from slicing.geometry import load_source
from slicing.inspection import too_large
from slicing.mesh import Mesh, Vector, fits, placed
from slicing.pack import Arrangement, Item, pack
from slicing.profiles import Configuration
from slicing.repair import repair
from slicing.request import Model, SliceRequest
from slicing.results import PartResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A model as it goes on the plate.

    Attributes:
        copies: how many are asked for.
        turned: it was oriented otherwise than in its file.
    """

    name: str
    mesh: Mesh
    copies: int
    changes: Changes
    turned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """What is on the plate.

    Attributes:
        meshes: every copy in place, with its label.
        counts: how many copies of each part.
        plates: how many plates all copies take.
    """

    meshes: tuple[tuple[str, Mesh], ...]
    counts: tuple[int, ...]
    plates: int

    @property
    def height_mm(self) -> float:
        """The height of the tallest part."""
        return max(mesh.size_mm[2] for _, mesh in self.meshes)


def prepared(
    request: SliceRequest, configuration: Configuration, report: Callable[[str], None]
) -> tuple[Part, ...]:
    """Return the request's models, its own first.

    Args:
        request: which, and what is done to them.
        configuration: of the printer that they have to fit, and of the brim.
        report: told the stage.
    """
    x_mm, y_mm, z_mm = configuration.printer.volume_mm
    brims_mm = 2 * configuration.quality.adhesion.brim_mm
    room_mm = (x_mm - brims_mm, y_mm - brims_mm, z_mm)
    own = Model(
        model_path=request.model_path,
        name=request.name,
        unit=request.unit,
        fit_mm=request.fit_mm,
        scale=request.scale,
        up=request.up,
        copies=request.copies,
    )
    return tuple(_prepared(model, request, room_mm, report) for model in (own, *request.models))


def _prepared(
    model: Model, request: SliceRequest, room_mm: Vector, report: Callable[[str], None]
) -> Part:
    report("loading")
    mesh = load_source(model, request.limits)
    changes = Changes()
    if request.repair:
        report("repairing")
        repaired = repair(mesh)
        mesh, changes = repaired.mesh, repaired.changes
    turned = False
    if request.turns:
        from slicing.orient import orient

        report("orienting")
        oriented = orient(mesh, room_mm=room_mm)
        turned, mesh = oriented is not mesh, oriented
    return Part(name=model.title, mesh=mesh, copies=model.copies, changes=changes, turned=turned)


def laid(parts: Sequence[Part], configuration: Configuration, *, triangles_max: int) -> Laid:
    """Return as many copies as have room, in place on the bed.

    Args:
        parts: what is asked for.
        configuration: of the printer, and of the brim.
        triangles_max: of all copies together; at least one copy is laid.

    Raises:
        ModelTooLarge: a part has no room even alone.
    """
    printer, brim_mm = configuration.printer, configuration.quality.adhesion.brim_mm
    for part in parts:
        if not fits(part.mesh.size_mm, printer.volume_mm, margin_mm=brim_mm):
            raise too_large(part.mesh.size_mm, {printer.name: printer.volume_mm}, margin_mm=brim_mm)
    items = [
        Item(width_mm=part.mesh.size_mm[0], depth_mm=part.mesh.size_mm[1], copies=part.copies)
        for part in parts
    ]
    beds = pack(items, printer.volume_mm[:2], brim_mm=brim_mm)
    first = _bearable(beds[0], parts, triangles_max)
    counts = tuple(sum(one.item == number for one in first) for number in range(len(parts)))
    plates = len(beds)
    if len(first) < len(beds[0]):
        plates = -(-sum(part.copies for part in parts) // len(first))
    meshes = []
    for number, one in enumerate(first, start=1):
        part = parts[one.item]
        label = f"{_label(part.name)}-{number}"
        meshes.append((label, placed(part.mesh, one.x_mm, one.y_mm, turned=one.turned)))
    return Laid(meshes=tuple(meshes), counts=counts, plates=plates)


def results(parts: Sequence[Part], on_plate: Laid) -> tuple[PartResult, ...]:
    """Return what became of each part."""
    return tuple(
        PartResult(
            name=part.name,
            copies_on_plate=count,
            copies_left=part.copies - count,
            size_mm=part.mesh.size_mm,
            turned=part.turned,
            changes=part.changes,
        )
        for part, count in zip(parts, on_plate.counts, strict=True)
    )


def warnings(parts: Sequence[Part], on_plate: Laid) -> tuple[str, ...]:
    """Return what a person should know of the parts; each names its model where there are more."""
    found = []
    for part, count in zip(parts, on_plate.counts, strict=True):
        said = [*part.mesh.warnings, part.changes.sentence()]
        if count < part.copies:
            said.append(
                f"{count} of {part.copies} copies have room on one plate: slice the other "
                f"{part.copies - count} for further plates."
            )
        found += [f"{part.name}: {one}" if len(parts) > 1 else one for one in said if one]
    return tuple(found)


def write(
    on_plate: Laid, folder: Path, *, apart: bool, origin_mm: tuple[float, float]
) -> tuple[Path, ...]:
    """Write the meshes as STL; return the files, one for each copy where they stay apart.

    Args:
        origin_mm: where the printer has the bed's front left corner.
    """
    origin = np.array((*origin_mm, 0.0))
    if len(on_plate.meshes) == 1 or not apart:
        path = folder / "model.stl"
        stl.write(np.concatenate([mesh.corners for _, mesh in on_plate.meshes]) + origin, path)
        return (path,)
    paths = []
    for label, mesh in on_plate.meshes:
        paths.append(folder / f"{label}.stl")
        stl.write(mesh.corners + origin, paths[-1])
    return tuple(paths)


def _bearable(bed: Arrangement, parts: Sequence[Part], triangles_max: int) -> Arrangement:
    """Return as much of a bed as an engine can take."""
    total = 0
    for number, one in enumerate(bed):
        total += parts[one.item].mesh.triangles
        if total > triangles_max and number:
            return bed[:number]
    return bed


def _label(name: str) -> str:
    """Return a name that is safe as a file's and in a comment of G-code."""
    return re.sub(r"[^A-Za-z0-9_.]+", "-", name).strip("-.")[:40] or "part"
