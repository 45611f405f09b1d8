"""Answers about profiles: which there are, what one holds, and what an import took."""

from dataclasses import asdict
from typing import Any

from slicing import importing, vendor
from slicing.catalogue import Catalogue
from slicing.errors import EngineMissing, ProfileUnknown
from slicing.material import Material
from slicing.overrides import settings_known
from slicing.registry import engine_names, open_engine
from slicing.request import ImportRequest, ListRequest, ShowRequest


def answer(request: ListRequest | ShowRequest | ImportRequest) -> dict[str, Any]:
    """Return the fields of the result line.

    Raises:
        SlicingError: as the catalogue, the bundles and the import say.
    """
    if isinstance(request, ListRequest):
        return _listed(request)
    if isinstance(request, ShowRequest):
        return _shown(request)
    return asdict(importing.take(request))


def _listed(request: ListRequest) -> dict[str, Any]:
    catalogue = Catalogue(request.configs)
    found: dict[str, Any] = {
        kind: [{"name": one.name, "title": one.title} for one in profiles]
        for kind, profiles in (
            ("printers", catalogue.printers()),
            ("qualities", catalogue.qualities()),
        )
    }
    found["materials"] = [_material(one) for one in catalogue.materials()]
    found["settings"] = [asdict(setting) for setting in settings_known()]
    found["engines"] = [_engine(name, versions=request.versions) for name in engine_names()]
    if request.vendor:
        found["printers"] += [
            {"name": f"{vendor.PREFIX}{bundle.vendor}/{printer.name}", "title": printer.name}
            for bundle in vendor.bundles()
            for printer in bundle.printers
        ]
    return found


def _material(material: Material) -> dict[str, Any]:
    return {
        "name": material.name,
        "title": material.title,
        "nozzle_celsius": material.temperatures.nozzle_celsius,
        "bed_celsius": material.temperatures.bed_celsius,
        "density_g_cm3": material.filament.density_g_cm3,
        "cost_per_kg": material.filament.cost_per_kg,
    }


def _engine(name: str, *, versions: bool) -> dict[str, Any]:
    engine, version = open_engine(name), ""
    try:
        engine.installation()
        missing = ""
        version = engine.version() if versions else ""
    except EngineMissing as error:
        missing = str(error)
    return {
        "name": name,
        "installed": not missing,
        "version": version,
        "deterministic": engine.capabilities.deterministic,
        "remedy": missing,
    }


def _shown(request: ShowRequest) -> dict[str, Any]:
    catalogue = Catalogue(request.configs)
    readers = (
        ("printer class", catalogue.printer),
        ("material", catalogue.material),
        ("quality", catalogue.quality),
    )
    known: list[str] = []
    for kind, read in readers:
        try:
            profile = read(request.name)
        except ProfileUnknown as error:
            if request.name.startswith(vendor.PREFIX):
                raise
            known += error.details["known"]
        else:
            return {"what": kind, "profile": profile.model_dump(mode="json")}
    raise ProfileUnknown(
        f'There is no profile called "{request.name}"; choose one of: {", ".join(known)}.',
        kind="profile",
        name=request.name,
        known=known,
    )
