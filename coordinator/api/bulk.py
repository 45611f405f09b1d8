"""The routes that do one thing to many: each has its own result, and none stops the others."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Literal, cast

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from coordinator.api.asking import BOARD, CALLER, FARM, taken, who
from coordinator.api.forms import WORD_CHARACTERS_MAX, JobForm, PrinterForm, refused
from coordinator.api.jobs import check_priority, jobs_meant
from coordinator.api.printers import is_meant
from coordinator.api.problems import BadRequest, FieldError, problem_of
from coordinator.api.queries import JobsMeant, PrintersMeant
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.domain.controls import JobChanges
from coordinator.domain.jobs import ENDED, JobState
from coordinator.errors import FarmError, NotPermitted, Refused
from coordinator.usecases import beds, controlling, fleet
from coordinator.usecases.fleet import PrinterChanges
from protocols.wire.vocabulary import JobId, PrinterId

# Each is a transaction of some milliseconds: so many are done in a few seconds.
MEANT_MAX = 500

_Id = Annotated[str, Field(min_length=1, max_length=WORD_CHARACTERS_MAX)]
_Ids = Annotated[list[_Id], Field(max_length=MEANT_MAX)]
_Act = Callable[[str], Awaitable[object]]


class JobsActionForm(BaseModel):
    """What is done to many jobs: to those with these `ids`, or to those that `where` fits.

    Without a state `where` means jobs that have not ended. `changes` belongs to `change`.
    """

    model_config = ConfigDict(extra="forbid", defer_build=True)

    action: Literal["cancel", "pause", "resume", "approve", "change"]
    ids: _Ids = []
    where: JobsMeant | None = None
    changes: JobForm | None = None


class PrintersActionForm(BaseModel):
    """What is done to many printers: to those with these `ids`, or to those that `where` fits.

    `changes` belongs to `change`.
    """

    model_config = ConfigDict(extra="forbid", defer_build=True)

    action: Literal["clear", "claim", "abandon", "service_on", "service_off", "change"]
    ids: _Ids = []
    where: PrintersMeant | None = None
    changes: PrinterForm | None = None


class ResultDocument(TypedDict):
    """What became of one; `code` and `detail` are empty where it was done."""

    id: str
    done: bool
    code: str
    detail: str


class ResultsDocument(TypedDict):
    """What became of all that were meant, in their order."""

    action: str
    done: int
    failed: int
    items: list[ResultDocument]


async def act_on_jobs(request: web.Request) -> web.Response:
    """Do one thing to many jobs; 200 with each one's result, whatever came of it."""
    farm, caller, form = request.app[FARM], request[CALLER], taken(request, JobsActionForm)
    _check(form, form.where, form.changes)
    if form.action == "approve" and not caller.may(Permission.JOBS_MANAGE):
        raise NotPermitted("not_permitted", "only an operator approves jobs")
    changes = cast(JobChanges, _changes(form.changes))
    check_priority(caller, changes.get("priority", 0))
    only_of = caller.steers_only

    def steering(verb: Callable[..., Awaitable[object]]) -> _Act:
        return lambda its: verb(farm, JobId(its), *who(request), only_of=only_of)

    def change(its: str) -> Awaitable[object]:
        return controlling.reorder_job(farm, JobId(its), changes, *who(request), only_of=only_of)

    acts: Mapping[str, _Act] = {
        "cancel": steering(controlling.cancel_job),
        "pause": steering(controlling.pause_job),
        "resume": steering(controlling.resume_job),
        "approve": lambda its: controlling.approve_job(farm, JobId(its), *who(request)),
        "change": change,
    }
    ids = form.ids if form.where is None else await _jobs(request, form.where)
    return await _done(form.action, ids, acts[form.action])


async def act_on_printers(request: web.Request) -> web.Response:
    """Do one thing to many printers; 200 with each one's result, whatever came of it."""
    farm, form = request.app[FARM], taken(request, PrintersActionForm)
    _check(form, form.where, form.changes)
    manages = form.action in ("service_on", "service_off", "change")
    if manages and not request[CALLER].may(Permission.PRINTERS_MANAGE):
        raise NotPermitted("not_permitted", "this wants the permission printers:manage")
    changes = cast(PrinterChanges, _changes(form.changes))

    def service(its: str) -> Awaitable[object]:
        in_service = form.action == "service_on"
        return controlling.set_service(farm, PrinterId(its), in_service, *who(request))

    acts: Mapping[str, _Act] = {
        "clear": lambda its: controlling.clear_printer(farm, PrinterId(its), *who(request)),
        "claim": lambda its: beds.claim_bed(farm, PrinterId(its), *who(request)),
        "abandon": lambda its: beds.abandon_bed(farm, PrinterId(its), *who(request)),
        "service_on": service,
        "service_off": service,
        "change": lambda its: fleet.change_printer(farm, PrinterId(its), changes, *who(request)),
    }
    ids = form.ids if form.where is None else await _printers(request, form.where)
    return await _done(form.action, ids, acts[form.action])


def _check(
    form: JobsActionForm | PrintersActionForm,
    where: BaseModel | None,
    changes: BaseModel | None,
) -> None:
    if (form.action == "change") != (changes is not None):
        raise _wrong("changes", "belongs to the action change, and to no other")
    if bool(form.ids) == (where is not None):
        raise _wrong("ids", "say either ids or where")
    if where is not None and not where.model_fields_set:
        raise Refused("nothing_meant", "say in where which are meant: an empty one would mean all")


async def _jobs(request: web.Request, where: JobsMeant) -> list[str]:
    if not where.state:
        where = where.model_copy(update={"state": [each for each in JobState if each not in ENDED]})
    async with request.app[FARM].store.read() as unit:
        found = await unit.jobs_page(jobs_meant(where), after=None, limit=MEANT_MAX + 1)
    return _few([job.job_id for job in found])


async def _printers(request: web.Request, where: PrintersMeant) -> list[str]:
    entries = await request.app[BOARD].entries()
    return _few([each.document["id"] for each in entries if is_meant(where, each.document)])


def _few(ids: list[str]) -> list[str]:
    if len(ids) > MEANT_MAX:
        raise Refused("too_many_meant", f"more than {MEANT_MAX} are meant: say it more narrowly")
    return ids


async def _done(action: str, ids: Sequence[str], act: _Act) -> web.Response:
    items = [await _result(its, act) for its in dict.fromkeys(ids)]
    done = sum(item["done"] for item in items)
    document: ResultsDocument = {
        "action": action,
        "done": done,
        "failed": len(items) - done,
        "items": items,
    }
    return web.json_response(document)


async def _result(its: str, act: _Act) -> ResultDocument:
    try:
        await act(its)
    except FarmError as error:
        problem = problem_of(error)
        return {"id": its, "done": False, "code": problem.code, "detail": problem.detail}
    return {"id": its, "done": True, "code": "", "detail": ""}


def _changes(form: BaseModel | None) -> dict[str, object]:
    return form.model_dump(exclude_unset=True) if form is not None else {}


def _wrong(name: str, detail: str) -> BadRequest:
    return refused([FieldError(pointer=f"/{name}", detail=detail)])


_MEANING = ("invalid_fields", "nothing_meant", "too_many_meant")

ROUTES = (
    Route(
        method="POST",
        path=f"{API_ROOT}/jobs/actions",
        handler=act_on_jobs,
        needs=Permission.JOBS_SUBMIT,
        takes=JobsActionForm,
        gives=ResultsDocument,
        problems=(*_MEANING, "priority_not_permitted"),
    ),
    Route(
        method="POST",
        path=f"{API_ROOT}/printers/actions",
        handler=act_on_printers,
        needs=Permission.PRINTERS_OPERATE,
        takes=PrintersActionForm,
        gives=ResultsDocument,
        problems=_MEANING,
    ),
)
