"""What an order would take, as JSON: shapes, and pure functions to them; see `render.py`."""

from typing_extensions import TypedDict

from coordinator.api.documents import EstimateDocument
from coordinator.api.render import estimate_document
from coordinator.domain.plates import Plate
from coordinator.usecases.estimating import Foretold, Place


class ForetoldPlateDocument(TypedDict):
    """The plate that was looked at; `copies` lie on it. Null: what is not known of it.

    `reason` tells why it can't be made; empty where it can.
    """

    printer_class: str
    material: str
    copies: int
    estimate: EstimateDocument | None
    filament_g: float | None
    cost: float | None
    layer_count: int | None
    engine: str
    remarks: list[str]
    reason: str


class PlaceDocument(TypedDict):
    """A printer, as it suits the order. Null: `estimate` of a plate there, where nobody knows.

    `fits`: it may be printed there, else `why_not`; `free`: it could begin there now.
    """

    printer_id: str
    name: str
    printer_class: str
    fits: bool
    free: bool
    why_not: list[str]
    busy_with: list[str]
    estimate: EstimateDocument | None


class ForetoldDocument(TypedDict):
    """What an order would take: `estimate`, `filament_g` and `cost` are of all copies.

    Null: `plate` where no printer of the farm suits the order, and `reason` says why; `size_mm` of
    ready plates; the three above where nobody knows.
    """

    name: str
    copies: int
    estimate: EstimateDocument | None
    filament_g: float | None
    cost: float | None
    plate: ForetoldPlateDocument | None
    reason: str
    size_mm: list[float] | None
    warnings: list[str]
    printers: list[PlaceDocument]


def foretold_document(foretold: Foretold) -> ForetoldDocument:
    """Return what an order would take."""
    demand, size_mm = foretold.demand, foretold.size_mm
    return {
        "name": foretold.job.name,
        "copies": foretold.job.copies,
        "estimate": estimate_document(demand.estimate),
        "filament_g": demand.filament_g,
        "cost": demand.cost,
        "plate": None if foretold.plate is None else _plate_document(foretold, foretold.plate),
        "reason": foretold.reason,
        "size_mm": None if size_mm is None else list(size_mm),
        "warnings": list(foretold.warnings),
        "printers": [_place_document(each) for each in foretold.places],
    }


def _plate_document(foretold: Foretold, plate: Plate) -> ForetoldPlateDocument:
    return {
        "printer_class": plate.printer_class,
        "material": plate.material,
        "copies": plate.copies,
        "estimate": estimate_document(foretold.estimate),
        "filament_g": plate.filament_g,
        "cost": plate.cost,
        "layer_count": plate.layer_count,
        "engine": plate.engine,
        "remarks": list(plate.remarks),
        "reason": plate.reason,
    }


def _place_document(place: Place) -> PlaceDocument:
    return {
        "printer_id": place.printer.printer_id,
        "name": place.printer.name,
        "printer_class": place.printer.printer_class,
        "fits": not place.against,
        "free": not place.busy_with,
        "why_not": [each.words for each in place.against],
        "busy_with": [each.words for each in place.busy_with],
        "estimate": estimate_document(place.estimate),
    }
