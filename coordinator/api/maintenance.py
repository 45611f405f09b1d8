"""The routes of maintenance: what has to be done to printers, and when it was done."""

from typing import Annotated, cast

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from coordinator.api.asking import FARM, asked, taken, who
from coordinator.api.documents import Items, Moment
from coordinator.api.forms import NOTES_CHARACTERS_MAX, WORD_CHARACTERS_MAX
from coordinator.api.names import NAME_CHARACTERS_MAX
from coordinator.api.once import fingerprint_of_body, once
from coordinator.api.queries import Query, Word
from coordinator.api.render import API_ROOT, moment
from coordinator.api.routes import Route
from coordinator.api.versions import expecting, tagged
from coordinator.domain.access import Permission
from coordinator.errors import NotFound
from coordinator.ports import Unit
from coordinator.usecases import upkeep
from coordinator.usecases.upkeep import UpkeepChanges, UpkeepView
from protocols.wire.vocabulary import PrinterId

_Interval = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
_Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS_MAX)]


class TaskForm(BaseModel):
    """What is said of a task; what is not said stays as it is."""

    model_config = ConfigDict(
        extra="forbid", strict=True, str_strip_whitespace=True, defer_build=True
    )

    name: _Name = Field(default_factory=str, examples=["oil the rods"])
    every_h: _Interval | None = Field(default=None, description="hours of printing")
    every_days: _Interval | None = None
    archived: bool = False


class NewTaskForm(TaskForm):
    """A new task: a printer, a name, and one of the two intervals at least."""

    printer_id: str = Field(max_length=WORD_CHARACTERS_MAX)
    name: _Name = Field(examples=["oil the rods"])


class DoneForm(BaseModel):
    """That a task was done, and what there is to say of it."""

    model_config = ConfigDict(
        extra="forbid", strict=True, str_strip_whitespace=True, defer_build=True
    )

    words: str = Field(default="", max_length=NOTES_CHARACTERS_MAX)


class TasksQuery(Query):
    """Which tasks."""

    printer_id: Word = ""
    due: bool | None = Field(default=None, description="only those that are due, or are not")
    archived: bool = Field(default=False, description="those too")


class DoneDocument(TypedDict):
    """One time that a task was done."""

    at: Moment
    actor: str
    words: str


class TaskDocument(TypedDict):
    """A task of maintenance; `printed_h` and `days` are since it was done last, or made.

    Null: an interval that it does not go by.
    """

    id: str
    printer_id: str
    name: str
    every_h: float | None
    every_days: float | None
    since: Moment
    done_by: str
    printed_h: float
    days: float
    due: bool
    archived: bool
    created_at: Moment
    version: int


class WholeTaskDocument(TaskDocument):
    """A task, with the times that it was done, the last one first."""

    log: list[DoneDocument]


def task_document(view: UpkeepView) -> TaskDocument:
    """Return a task as it stands."""
    task = view.task
    return {
        "id": task.upkeep_id,
        "printer_id": task.printer_id,
        "name": task.name,
        "every_h": task.every_h,
        "every_days": task.every_days,
        "since": moment(task.since),
        "done_by": task.done_by,
        "printed_h": round(view.standing.printed_h, 2),
        "days": round(view.standing.days, 2),
        "due": view.standing.due,
        "archived": task.archived,
        "created_at": moment(task.created_at),
        "version": task.version,
    }


async def list_tasks(request: web.Request) -> web.Response:
    """Return tasks of maintenance, in order of arrival."""
    query = asked(request, TasksQuery)
    printer_id = PrinterId(query.printer_id) if query.printer_id else None
    views = await upkeep.upkeep_views(request.app[FARM], printer_id, archived=query.archived)
    meant = [view for view in views if query.due in (None, view.standing.due)]
    return tagged(request, {"items": [task_document(view) for view in meant]})


async def add_task(request: web.Request) -> web.Response:
    """Make a task; it counts from now on."""
    farm, form = request.app[FARM], taken(request, NewTaskForm)
    said = cast(UpkeepChanges, form.model_dump(exclude={"printer_id"}))

    async def made(upkeep_id: str) -> web.Response | None:
        try:
            return await _shown(request, upkeep_id, status=201)
        except NotFound:
            return None

    async def make(upkeep_id: str) -> web.Response:
        printer_id = PrinterId(form.printer_id)
        await upkeep.make_upkeep(farm, printer_id, said, *who(request), upkeep_id=upkeep_id)
        return await _shown(request, upkeep_id, status=201)

    fingerprint = await fingerprint_of_body(request)
    return await once(request, fingerprint, farm.ids.new("upkeep"), made, make)


async def show_task(request: web.Request) -> web.Response:
    """Return one task, with the times that it was done."""
    return await _shown(request, _id(request))


async def change_task(request: web.Request) -> web.Response:
    """Change a task; what is not said stays as it is."""
    said = cast(UpkeepChanges, taken(request, TaskForm).model_dump(exclude_unset=True))

    async def version(unit: Unit) -> str:
        return str((await upkeep.the_upkeep(unit, _id(request))).version)

    await upkeep.change_upkeep(expecting(request, version), _id(request), said, *who(request))
    return await _shown(request, _id(request))


async def task_done(request: web.Request) -> web.Response:
    """Say that a task was done; it counts anew."""
    words = taken(request, DoneForm).words
    await upkeep.upkeep_done(request.app[FARM], _id(request), words, *who(request))
    return await _shown(request, _id(request))


async def _shown(request: web.Request, upkeep_id: str, *, status: int = 200) -> web.Response:
    view = await upkeep.upkeep_view(request.app[FARM], upkeep_id)
    log: list[DoneDocument] = [
        {"at": moment(event.at), "actor": event.actor, "words": event.cause} for event in view.log
    ]
    document: WholeTaskDocument = {**task_document(view), "log": log}
    response = tagged(request, document, written=str(view.task.version), status=status)
    if status == 201:
        response.headers["Location"] = f"{_TASKS}/{upkeep_id}"
    return response


def _id(request: web.Request) -> str:
    return request.match_info["task_id"]


_TASKS = f"{API_ROOT}/maintenance"
_TASK = f"{_TASKS}/{{task_id}}"
_UNKNOWN = "unknown_maintenance"

ROUTES = (
    Route(
        method="GET",
        path=_TASKS,
        handler=list_tasks,
        needs=Permission.FARM_READ,
        asks=TasksQuery,
        gives=Items[TaskDocument],
        versioned=True,
    ),
    Route(
        method="POST",
        path=_TASKS,
        handler=add_task,
        needs=Permission.PRINTERS_MANAGE,
        takes=NewTaskForm,
        gives=WholeTaskDocument,
        status=201,
        problems=("unknown_printer", "no_interval"),
        once=True,
        versioned=True,
    ),
    Route(
        method="GET",
        path=_TASK,
        handler=show_task,
        needs=Permission.FARM_READ,
        gives=WholeTaskDocument,
        problems=(_UNKNOWN,),
        versioned=True,
    ),
    Route(
        method="PATCH",
        path=_TASK,
        handler=change_task,
        needs=Permission.PRINTERS_MANAGE,
        takes=TaskForm,
        gives=WholeTaskDocument,
        problems=(_UNKNOWN, "no_interval"),
        versioned=True,
        guarded=True,
    ),
    Route(
        method="POST",
        path=f"{_TASK}/done",
        handler=task_done,
        needs=Permission.PRINTERS_OPERATE,
        takes=DoneForm,
        gives=WholeTaskDocument,
        problems=(_UNKNOWN,),
        versioned=True,
    ),
)
