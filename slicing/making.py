"""Geometry that came from somewhere, made printable: the request `make`.

Whatever the format: millimetres with Z up, mended, without debris, scaled to the size that is
wanted, no finer than a print shows, turned the way it prints best; then measured as it is written.
What can't be read at all is refused as everywhere; what keeps a mesh from being printed is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from slicing import faults, standing, stl, three_mf, walls
from slicing.catalogue import Catalogue
from slicing.changes import Changes
from slicing.coarsening import coarsen
from slicing.columns import lines_through
from slicing.debris import Cleared, clear
from slicing.engine import Report
from slicing.geometry import load_source
from slicing.inspection import beds_of, rounded
from slicing.mesh import Mesh, Vector, exceeds
from slicing.orient import orient
from slicing.picture import SIZES_PX, Painted, pictures
from slicing.repair import Repaired, repair
from slicing.request import MakeRequest
from slicing.results import MakeResult, Picture, TooLarge
from slicing.topology import Corners, area, edges_of, weld
from slicing.workspace import unwritable, workspace

# A wall that is thinner than this part of the nozzle leaves no line; so does half a thin layer.
_NOZZLE_SHARE = 0.75
_LAYER_MM = 0.1
_NOZZLE_USUAL_MM = 0.4

# Of the surface that closing holes has added: less is told as a repair only.
_GUESSED_TOLD = 0.02

_STEM = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A mesh as it is written, what was done to it, and that in words."""

    mesh: Mesh
    cleared: Cleared
    changes: Changes
    said: tuple[str, ...]


def make_printable(request: MakeRequest, report: Report) -> MakeResult:
    """Make a mesh printable, and put it where the request says.

    Raises:
        ModelError: there is no mesh in the file; of which kind, errors.py tells.
        ProfileError: a printer is unknown.
        OutputUnwritable: disk full, no such folder, no permission.
    """
    catalogue = Catalogue(request.configs)
    beds = beds_of(request.printers, catalogue)
    made = _made(request, beds, report)
    report(0.7, "measuring")
    facts = _measured(made, beds, _nozzle_mm(request, catalogue))
    report(0.9, "drawing")
    try:
        with workspace(request.output_folder) as folder:
            drawn = _drawn(request, made, folder)
            _write(request, made.mesh.corners, folder / _file_name(request))
            for path in [
                *(folder / Path(one.path).name for one in drawn),
                folder / _file_name(request),
            ]:
                path.replace(request.output_folder / path.name)
    except OSError as error:
        raise unwritable(error, request.output_folder / _file_name(request)) from error
    return MakeResult(
        output_path=str(request.output_folder / _file_name(request)),
        format=made.mesh.format,
        triangles=made.mesh.triangles,
        size_mm=rounded(facts.size_mm),
        scale=made.mesh.scale,
        watertight=made.mesh.watertight(),
        volume_mm3=None if facts.edges_open else round(facts.volume_mm3, 3),
        bodies=facts.bodies,
        wall_min_mm=_round(facts.walls.thinnest_mm),
        overhang_ratio=round(facts.standing.overhang_ratio, 4),
        islands=facts.standing.islands,
        fits=facts.fits,
        too_large_for=facts.too_large,
        faults=faults.faults(facts),
        remarks=(*made.said, *faults.remarks(facts)),
        changes=made.changes,
        pictures=drawn,
    )


def _made(request: MakeRequest, beds: dict[str, Vector], report: Report) -> _Made:
    report(0.0, "loading")
    mesh = load_source(request, request.limits)
    report(0.2, "repairing")
    repaired = repair(mesh)
    said = [*mesh.warnings, repaired.changes.sentence(), _guessed(mesh, repaired)]
    mesh = replace(repaired.mesh, scale=mesh.scale)
    report(0.4, "clearing")
    cleared = clear(mesh.corners)
    said += cleared.sentences()
    mesh = _fitted(replace(mesh, corners=cleared.corners), request.fit_mm)
    coarser = coarsen(mesh.corners, triangles_max=request.triangles_wanted)
    if coarser is not mesh.corners:
        said.append(f"Made coarser: {mesh.triangles:,} triangles became {len(coarser):,}.")
        mesh = replace(mesh, corners=coarser)
    if request.orient:
        report(0.5, "orienting")
        turned = orient(mesh, room_mm=max(beds.values(), key=np.prod, default=None))
        if turned is not mesh:
            said.append("Turned to lie the way that prints best.")
            mesh = _fitted(replace(turned, scale=mesh.scale), request.fit_mm)
    low = np.array(mesh.bounds_mm[0])
    corners = (mesh.corners - low).astype(np.float32).astype(np.float64)  # as files have them
    return _Made(
        mesh=replace(mesh, corners=corners),
        cleared=cleared,
        changes=repaired.changes,
        said=tuple(one for one in said if one),
    )


def _guessed(mesh: Mesh, repaired: Repaired) -> str:
    """Return how much of the surface closing holes has added, for a person; empty if little."""
    before, after = (float(area(one.corners).sum()) for one in (mesh, repaired.mesh))
    if not repaired.changes.holes_closed or after - before < _GUESSED_TOLD * after:
        return ""
    return (
        f"{(after - before) / after:.0%} of its surface was missing and was guessed: "
        "check the preview."
    )


def _fitted(mesh: Mesh, longest_mm: float | None) -> Mesh:
    """Return the mesh scaled so that its longest side is so long; debris counts no more."""
    longest = max(mesh.size_mm)
    if longest_mm is None or longest <= 0 or abs(longest / longest_mm - 1) < 1e-9:
        return mesh
    factor = longest_mm / longest
    return replace(mesh, corners=mesh.corners * factor, scale=mesh.scale * factor)


def _measured(made: _Made, beds: dict[str, Vector], nozzle_mm: float) -> faults.Facts:
    mesh = made.mesh
    edges, lines = edges_of(weld(mesh.corners)[1]), lines_through(mesh.corners)
    excess = {name: exceeds(mesh.size_mm, bed) for name, bed in beds.items()}
    return faults.Facts(
        size_mm=mesh.size_mm,
        edges_open=len(edges.open_ends),
        edges_crowded=int((edges.forward + edges.backward > 2).sum()),
        volume_mm3=mesh.volume_mm3,
        bodies=made.cleared.bodies,
        cavities=made.cleared.cavities,
        walls=walls.measure(
            mesh.corners, lines, thin_mm=_NOZZLE_SHARE * nozzle_mm, layer_mm=_LAYER_MM
        ),
        standing=standing.look(mesh.corners, lines),
        nozzle_mm=nozzle_mm,
        fits=tuple(name for name, much in excess.items() if not any(much)),
        too_large=tuple(
            TooLarge(printer=name, exceeds_mm=much) for name, much in excess.items() if any(much)
        ),
    )


def _nozzle_mm(request: MakeRequest, catalogue: Catalogue) -> float:
    """Return the thinnest nozzle of the printers in question."""
    named: Sequence[str] = [one for one in request.printers if isinstance(one, str)]
    printers = [catalogue.printer(one) for one in named] if named else catalogue.printers()
    return min((one.nozzle.diameter_mm for one in printers), default=_NOZZLE_USUAL_MM)


def _drawn(request: MakeRequest, made: _Made, folder: Path) -> tuple[Picture, ...]:
    if not request.pictures:
        return ()
    part = Painted(corners=made.mesh.corners, closed=not made.changes.edges_open)
    found = []
    for size_px, png in zip(SIZES_PX, pictures([part]), strict=True):
        name = f"{_STEM}-{size_px}.png"
        (folder / name).write_bytes(png)
        found.append(
            Picture(shows="model", size_px=size_px, path=str(request.output_folder / name))
        )
    return tuple(found)


def _write(request: MakeRequest, corners: Corners, path: Path) -> None:
    if request.format == "stl":
        stl.write(corners, path)
        return
    metadata = {
        "Title": request.title,
        "Designer": request.author,
        "LicenseTerms": request.licence,
        "Description": f"Source: {request.source}" if request.source else "",
        "Application": "Farmhand",
    }
    three_mf.write(corners, path, metadata)


def _file_name(request: MakeRequest) -> str:
    return f"{_STEM}.{request.format}"


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
