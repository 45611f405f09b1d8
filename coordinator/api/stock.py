"""The routes of materials and spools."""

from typing import Annotated, cast

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from coordinator.api.asking import FARM, asked, taken, who
from coordinator.api.documents import Items, Moment, Page
from coordinator.api.forms import NOTES_CHARACTERS_MAX, WORD_CHARACTERS_MAX
from coordinator.api.library_forms import library_place, place_cursor
from coordinator.api.names import NAME_CHARACTERS_MAX
from coordinator.api.once import fingerprint_of_body, once
from coordinator.api.queries import LIMIT, LIMIT_MAX, Query, Word
from coordinator.api.render import API_ROOT, moment
from coordinator.api.routes import Handler, Route
from coordinator.api.versions import expecting, tagged
from coordinator.domain.access import Permission
from coordinator.domain.stock import Spool, SpoolsWanted
from coordinator.errors import NotFound
from coordinator.ports import Unit
from coordinator.usecases import stock
from coordinator.usecases.farm import Farm
from coordinator.usecases.stock import SpoolChanges, Supply
from protocols.wire.vocabulary import PrinterId

# A hundred kilograms: nobody lifts such a spool.
GRAMS_MAX = 100_000.0
TOOL_MAX = 31

_Grams = Annotated[float, Field(ge=0, le=GRAMS_MAX, allow_inf_nan=False)]
_Words = Annotated[str, Field(max_length=NAME_CHARACTERS_MAX)]
_Material = Annotated[str, Field(min_length=1, max_length=WORD_CHARACTERS_MAX)]


class SpoolForm(BaseModel):
    """What is said of a spool; what is not said stays as it is."""

    model_config = ConfigDict(
        extra="forbid", strict=True, str_strip_whitespace=True, defer_build=True
    )

    material: _Material = Field(default_factory=str, examples=["PLA"])
    colour: _Words = Field(default="", examples=["red", "#d02020"])
    vendor: _Words = ""
    weight_g: _Grams = Field(default=0, description="when it was new, without the spool itself")
    remaining_g: _Grams = Field(default=0, description="as somebody weighed it")
    cost: float | None = Field(default=None, ge=0, le=1e9, allow_inf_nan=False)
    lot: _Words = ""
    location: _Words = ""
    notes: str = Field(default="", max_length=NOTES_CHARACTERS_MAX)
    archived: bool = False


class NewSpoolForm(SpoolForm):
    """A new spool; all of it remains unless said otherwise."""

    material: _Material = Field(examples=["PLA"])
    weight_g: _Grams = Field(gt=0, examples=[1000])


class LoadForm(BaseModel):
    """Into which printer a spool was put."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    printer_id: str = Field(max_length=WORD_CHARACTERS_MAX)
    tool: int = Field(default=0, ge=0, le=TOOL_MAX)


class SpoolsQuery(Query):
    """Which spools, and which page of them."""

    material: Word = ""
    printer_id: Word = ""
    loaded: bool | None = Field(default=None, description="in a printer, or on a shelf")
    archived: bool = Field(default=False, description="those too")
    limit: int = Field(default=LIMIT, ge=1, le=LIMIT_MAX)
    cursor: str = Field(default="", max_length=200, description="`next` of the page before")


class SpoolDocument(TypedDict):
    """A spool; what remains is the farm's reckoning, or what somebody weighed.

    Null: `cost` where nobody said, `printer_id` and `tool` while it is on a shelf.
    """

    id: str
    material: str
    colour: str
    vendor: str
    weight_g: float
    remaining_g: float
    cost: float | None
    lot: str
    location: str
    notes: str
    printer_id: str | None
    tool: int | None
    archived: bool
    created_at: Moment
    updated_at: Moment
    version: int


class ProfileDocument(TypedDict):
    """What slicing knows of a material; money is the farm's."""

    title: str
    nozzle_celsius: float
    bed_celsius: float
    density_g_cm3: float
    cost_per_kg: float


class MaterialDocument(TypedDict):
    """A material: which printers hold it, and what there is of it.

    Null: `profile` where slicing knows none of this name, or can't be asked now.
    """

    name: str
    profile: ProfileDocument | None
    printers: list[str]
    spools: int
    remaining_g: float


def spool_document(spool: Spool) -> SpoolDocument:
    """Return a spool."""
    return {
        "id": spool.spool_id,
        "material": spool.material,
        "colour": spool.colour,
        "vendor": spool.vendor,
        "weight_g": spool.weight_g,
        "remaining_g": spool.remaining_g,
        "cost": spool.cost,
        "lot": spool.lot,
        "location": spool.location,
        "notes": spool.notes,
        "printer_id": spool.printer_id,
        "tool": spool.tool if spool.printer_id is not None else None,
        "archived": spool.archived,
        "created_at": moment(spool.created_at),
        "updated_at": moment(spool.updated_at),
        "version": spool.version,
    }


def material_document(supply: Supply) -> MaterialDocument:
    """Return a material."""
    known = supply.profile
    return {
        "name": supply.name,
        "profile": {
            "title": known.title,
            "nozzle_celsius": known.nozzle_celsius,
            "bed_celsius": known.bed_celsius,
            "density_g_cm3": known.density_g_cm3,
            "cost_per_kg": known.cost_per_kg,
        }
        if known is not None
        else None,
        "printers": list(supply.printers),
        "spools": supply.spools,
        "remaining_g": round(supply.remaining_g, 3),
    }


async def list_materials(request: web.Request) -> web.Response:
    """Return every material that a profile describes, a printer holds or a spool is of."""
    found = await stock.materials(request.app[FARM])
    return tagged(request, {"items": [material_document(supply) for supply in found]})


async def list_spools(request: web.Request) -> web.Response:
    """Return a page of spools, in order of arrival."""
    query = asked(request, SpoolsQuery)
    wanted = SpoolsWanted(
        material=query.material,
        printer_id=PrinterId(query.printer_id) if query.printer_id else None,
        loaded=query.loaded,
        archived=query.archived,
    )
    shelf = await stock.spools_page(
        request.app[FARM], wanted, after=library_place(query.cursor), limit=query.limit
    )
    document: Page[SpoolDocument] = {
        "items": [spool_document(spool) for spool in shelf.items],
        "next": place_cursor(shelf.next),
        "total": shelf.total,
    }
    return tagged(request, document)


async def add_spool(request: web.Request) -> web.Response:
    """Take a spool into the stock."""
    farm, form = request.app[FARM], taken(request, NewSpoolForm)
    said = cast(SpoolChanges, form.model_dump(exclude_unset=True))

    async def made(spool_id: str) -> web.Response | None:
        try:
            return await _shown(request, spool_id, status=201)
        except NotFound:
            return None

    async def make(spool_id: str) -> web.Response:
        await stock.make_spool(farm, said, *who(request), spool_id=spool_id)
        return await _shown(request, spool_id, status=201)

    fingerprint = await fingerprint_of_body(request)
    return await once(request, fingerprint, farm.ids.new("spool"), made, make)


async def show_spool(request: web.Request) -> web.Response:
    """Return one spool."""
    return await _shown(request, _spool_id(request))


async def change_spool(request: web.Request) -> web.Response:
    """Change what is said of a spool; who weighed it says what remains."""
    said = taken(request, SpoolForm).model_dump(exclude_unset=True)
    farm = _expecting(request)
    await stock.change_spool(farm, _spool_id(request), cast(SpoolChanges, said), *who(request))
    return await _shown(request, _spool_id(request))


async def load_spool(request: web.Request) -> web.Response:
    """Say that a spool was put into a printer: it holds that material, and draws from it."""
    form, farm = taken(request, LoadForm), _expecting(request)
    said = _spool_id(request), PrinterId(form.printer_id), form.tool
    await stock.load_spool(farm, *said, *who(request))
    return await _shown(request, _spool_id(request))


async def unload_spool(request: web.Request) -> web.Response:
    """Say that a spool was taken out of its printer."""
    await stock.unload_spool(_expecting(request), _spool_id(request), *who(request))
    return await _shown(request, _spool_id(request))


async def _shown(request: web.Request, spool_id: str, *, status: int = 200) -> web.Response:
    spool = await stock.spool_of(request.app[FARM], spool_id)
    written = str(spool.version)
    response = tagged(request, spool_document(spool), written=written, status=status)
    if status == 201:
        response.headers["Location"] = f"{_SPOOLS}/{spool_id}"
    return response


def _expecting(request: web.Request) -> Farm:
    async def version(unit: Unit) -> str:
        return str((await stock.the_spool(unit, _spool_id(request))).version)

    return expecting(request, version)


def _spool_id(request: web.Request) -> str:
    return request.match_info["spool_id"]


_SPOOLS = f"{API_ROOT}/spools"
_SPOOL = f"{_SPOOLS}/{{spool_id}}"
_READ, _OPERATE = Permission.FARM_READ, Permission.PRINTERS_OPERATE
_UNKNOWN = "unknown_spool"


def _changing(
    method: str,
    path: str,
    handler: Handler,
    *problems: str,
    takes: type[BaseModel] | None = None,
) -> Route:
    return Route(
        method=method,
        path=path,
        handler=handler,
        needs=_OPERATE,
        takes=takes,
        gives=SpoolDocument,
        problems=(_UNKNOWN, *problems),
        versioned=True,
        guarded=True,
    )


ROUTES = (
    Route(
        method="GET",
        path=f"{API_ROOT}/materials",
        handler=list_materials,
        needs=_READ,
        gives=Items[MaterialDocument],
        versioned=True,
    ),
    Route(
        method="GET",
        path=_SPOOLS,
        handler=list_spools,
        needs=_READ,
        asks=SpoolsQuery,
        gives=Page[SpoolDocument],
        versioned=True,
    ),
    Route(
        method="POST",
        path=_SPOOLS,
        handler=add_spool,
        needs=_OPERATE,
        takes=NewSpoolForm,
        gives=SpoolDocument,
        status=201,
        problems=("weight_out_of_range",),
        once=True,
        versioned=True,
    ),
    Route(
        method="GET",
        path=_SPOOL,
        handler=show_spool,
        needs=_READ,
        gives=SpoolDocument,
        problems=(_UNKNOWN,),
        versioned=True,
    ),
    _changing(
        "PATCH", _SPOOL, change_spool, "spool_loaded", "weight_out_of_range", takes=SpoolForm
    ),
    _changing("POST", f"{_SPOOL}/load", load_spool, "unknown_printer", takes=LoadForm),
    _changing("POST", f"{_SPOOL}/unload", unload_spool),
)
