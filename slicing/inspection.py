"""What a model is, and which printers can take it."""

from collections.abc import Sequence

from slicing.catalogue import Catalogue
from slicing.errors import ModelTooLarge
from slicing.geometry import load_source
from slicing.mesh import Vector, exceeds
from slicing.registry import open_engine
from slicing.request import Bed, InspectRequest
from slicing.results import InspectResult, TooLarge

_HOLES = "The surface has holes or loose edges: slicing repairs what it can and says so."


def inspect(request: InspectRequest) -> InspectResult:
    """Look at a model.

    Raises:
        ModelError: it is no good, or fits none of the printers.
        ProfileError: a printer, material or quality is unknown or its profile wrong.
        EngineError: what it is to be sliced with is not there.
    """
    open_engine(request.engine).installation()
    catalogue = Catalogue(request.configs)
    if request.material:
        catalogue.material(request.material)
    if request.quality:
        catalogue.quality(request.quality)
    beds = beds_of(request.printers, catalogue)
    mesh = load_source(request, request.limits)
    size = mesh.size_mm
    fitting, beyond = [], []
    for name, bed in beds.items():
        excess = exceeds(size, bed)
        if any(excess) and request.orient:
            from slicing.orient import orient

            excess = exceeds(orient(mesh, room_mm=bed).size_mm, bed)
        if any(excess):
            beyond.append(TooLarge(printer=name, exceeds_mm=excess))
        else:
            fitting.append(name)
    if not fitting:
        raise too_large(size, beds)
    watertight = mesh.watertight()
    holes = () if watertight else (_HOLES,)
    return InspectResult(
        format=mesh.format,
        triangles=mesh.triangles,
        size_mm=rounded(size),
        volume_mm3=round(abs(mesh.volume_mm3), 3),
        watertight=watertight,
        fits=tuple(fitting),
        too_large_for=tuple(beyond),
        warnings=(*mesh.warnings, *holes),
    )


def too_large(size: Vector, beds: dict[str, Vector], *, margin_mm: float = 0.0) -> ModelTooLarge:
    """Return the refusal of a part, told by the bed that comes closest."""
    excess = {name: exceeds(size, bed, margin_mm=margin_mm) for name, bed in beds.items()}
    name = min(excess, key=lambda one: sum(excess[one]))
    by = " and ".join(
        f"{much:,.4g} mm in {axis}" for axis, much in zip("XYZ", excess[name], strict=True) if much
    )
    brim = f" with a brim of {margin_mm:g} mm" if margin_mm else ""
    return ModelTooLarge(
        f"The model measures {_times(size)} mm{brim}, too much by {by} for {name} "
        f"({_times(beds[name])} mm): scale it down, turn it or cut it.",
        size_mm=rounded(size),
        printer=name,
        exceeds_mm=excess[name],
    )


def beds_of(printers: Sequence[str | Bed], catalogue: Catalogue) -> dict[str, Vector]:
    """Return the build volumes of printer classes and of beds given outright; all where none is."""
    if not printers:
        return {printer.name: printer.volume_mm for printer in catalogue.printers()}
    beds: dict[str, Vector] = {}
    for wanted in printers:
        if isinstance(wanted, Bed):
            beds[wanted.name] = wanted.size_mm
        else:
            printer = catalogue.printer(wanted)
            beds[printer.name] = printer.volume_mm
    return beds


def _times(size: Vector) -> str:
    return " × ".join(f"{length:,.4g}" for length in size)


def rounded(size: Vector) -> Vector:
    """Return a size to the micrometre."""
    return round(size[0], 3), round(size[1], 3), round(size[2], 3)
