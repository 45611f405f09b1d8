"""The routes of generations: asked for, looked at, talked about, ended, approved, settled."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web

from coordinator.api.asking import CALLER, FARM, asked, taken, who
from coordinator.api.documents import Page
from coordinator.api.generation_documents import (
    GenerationDocument,
    NewSheetDocument,
    generation_document,
    sheet_document,
)
from coordinator.api.generation_forms import (
    GenerationsQuery,
    MessageForm,
    NewGenerationForm,
    PictureForm,
    RejectForm,
    SettleGenerationForm,
    asked_of,
    printing_of,
)
from coordinator.api.library_forms import library_place, place_cursor
from coordinator.api.limits import LIMIT_HEADERS, LIMITER
from coordinator.api.once import fingerprint_of_body, once
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.api.uploads import received
from coordinator.api.versions import tagged
from coordinator.domain.access import Caller, Permission
from coordinator.domain.generations import Asked, Generation
from coordinator.domain.providing import Kind
from coordinator.domain.rates import Rate
from coordinator.errors import NotFound
from coordinator.ports_generations import GenerationsWanted
from coordinator.usecases import generating, generation_views
from coordinator.usecases.admitting import ROOT
from coordinator.usecases.generating import Message, Wanted
from coordinator.usecases.generation_views import GenerationView
from coordinator.usecases.sheets import keep_picture, sheets_of

GENERATIONS = f"{API_ROOT}/generations"
GENERATION = f"{GENERATIONS}/{{generation_id}}"

# Each may cost money: a person asks for a few at once, a script that runs wild for hundreds.
OF_GENERATIONS = Rate(burst=30, period_s=2.0)
# What services take has 20 MB at most.
PICTURE_BYTES_MAX = 20 * 1024 * 1024


async def create_generation(request: web.Request) -> web.Response:
    """Ask a provider for a model; it is a row at once, and worked on from then on."""
    limit(request)
    farm, form = request.app[FARM], taken(request, NewGenerationForm)
    sheets = await sheets_of(farm, form.pictures)
    wanted = replace(wanted_by(request), provider=form.provider, asked=asked_of(form, sheets))

    async def make(generation_id: str) -> web.Response:
        its = replace(wanted, generation_id=generation_id)
        return await created(request, await generating.want(farm, its))

    return await made_once(request, make)


async def say(request: web.Request) -> web.Response:
    """Say what is to be different: a further generation, of a further version of the model."""
    limit(request)
    farm, form = request.app[FARM], taken(request, MessageForm)
    message = Message(
        prompt=form.prompt,
        pictures=await sheets_of(farm, form.pictures),
        parameters=dict(form.parameters),
        printing=printing_of(form.print),
    )
    wanted = wanted_by(request)

    async def make(generation_id: str) -> web.Response:
        named = replace(wanted, generation_id=generation_id)
        return await created(request, await generating.say(farm, its_id(request), message, named))

    return await made_once(request, make)


async def bring_picture(request: web.Request) -> web.Response:
    """Keep a JPEG, PNG or WebP, for requests that name it by its hash."""
    farm = request.app[FARM]
    async with received(request, farm.artifacts, file_bytes_max=PICTURE_BYTES_MAX) as upload:
        sheet = await keep_picture(farm, upload.file, upload.file_name, *who(request))
        document: NewSheetDocument = {
            **sheet_document(sheet.sha256, sheet.media_type),
            "size_bytes": upload.file.size_bytes,
        }
    return web.json_response(document, status=201)


async def list_generations(request: web.Request) -> web.Response:
    """Return a page of generations, the newest first: one's own, or everybody's to operators."""
    query = asked(request, GenerationsQuery)
    wanted = GenerationsWanted(
        owner=_owner(request[CALLER], query),
        provider=query.provider,
        model_id=query.model_id,
        text=query.text,
        states=frozenset(query.state),
    )
    views, behind = await generation_views.page(
        request.app[FARM], wanted, after=library_place(query.cursor), limit=query.limit
    )
    document: Page[GenerationDocument] = {
        "items": [generation_document(view) for view in views],
        "next": place_cursor(behind),
        "total": None,
    }
    return tagged(request, document)


def _owner(caller: Caller, query: GenerationsQuery) -> str | None:
    """Return whose generations are wanted, None for everybody's."""
    if caller.steers_only is not None:
        return caller.steers_only
    return (caller.owner or caller.actor) if query.mine else query.owner or None


async def show_generation(request: web.Request) -> web.Response:
    """Return one generation."""
    return await _shown(request, its_id(request))


async def cancel_generation(request: web.Request) -> web.Response:
    """Have a generation end; what was charged by then stays charged."""
    only_of = request[CALLER].steers_only
    await generating.cancel(request.app[FARM], its_id(request), *who(request), only_of=only_of)
    return await _shown(request, its_id(request))


async def approve_generation(request: web.Request) -> web.Response:
    """Approve what was made: its job, where one was wanted, is made now."""
    await generating.approve(request.app[FARM], its_id(request), *who(request))
    return await _shown(request, its_id(request))


async def reject_generation(request: web.Request) -> web.Response:
    """Reject what was made: no job comes of it."""
    reason = taken(request, RejectForm).reason
    await generating.reject(request.app[FARM], its_id(request), *who(request), reason=reason)
    return await _shown(request, its_id(request))


async def settle_generation(request: web.Request) -> web.Response:
    """Say what became of a paid call whose answer was lost, after a look at the provider."""
    form = taken(request, SettleGenerationForm)
    await generating.settle(
        request.app[FARM], its_id(request), form.outcome, *who(request), task_id=form.task_id
    )
    return await _shown(request, its_id(request))


def wanted_by(request: web.Request) -> Wanted:
    """Return who asks, and what they may; what they ask for is still open."""
    caller, (actor, origin) = request[CALLER], who(request)
    return Wanted(
        provider="",
        asked=Asked(kind=Kind.TEXT, name=""),
        actor=actor,
        origin=origin,
        owner=caller.owner,
        approved=caller.may(Permission.JOBS_MANAGE),
        only_of=caller.steers_only,
    )


def limit(request: web.Request) -> None:
    """Count a request that may cost money.

    Raises:
        BadRequest: 429.
    """
    caller: Caller = request[CALLER]
    if caller is not ROOT:
        whose = caller.owner or caller.actor
        request[LIMIT_HEADERS] = request.app[LIMITER].take(OF_GENERATIONS, whose)


async def made_once(
    request: web.Request, make: Callable[[str], Awaitable[web.Response]]
) -> web.Response:
    """Return what `make` answers of a fresh id, once for the same request with the same key."""

    async def made(generation_id: str) -> web.Response | None:
        try:
            return _new(request, await _seen(request, generation_id))
        except NotFound:
            return None

    fresh = request.app[FARM].ids.new("gen")
    return await once(request, await fingerprint_of_body(request), fresh, made, make)


async def created(request: web.Request, generation: Generation) -> web.Response:
    """Return a generation that is new, as it was stored; of one that is made already, what is."""
    if generation.versions:
        return _new(request, await _seen(request, generation.generation_id))
    return _new(request, GenerationView(generation=generation))


def _new(request: web.Request, view: GenerationView) -> web.Response:
    response = tagged(request, generation_document(view), status=201)
    response.headers["Location"] = f"{GENERATIONS}/{view.generation.generation_id}"
    return response


async def _shown(request: web.Request, generation_id: str) -> web.Response:
    return tagged(request, generation_document(await _seen(request, generation_id)))


async def _seen(request: web.Request, generation_id: str) -> GenerationView:
    only_of = request[CALLER].steers_only
    return await generation_views.view(request.app[FARM], generation_id, only_of=only_of)


def its_id(request: web.Request) -> str:
    """Return which generation the address names."""
    return request.match_info["generation_id"]


_UNKNOWN = ("unknown_generation",)
WISH = (
    "copies_out_of_range",
    "input_gone",
    "provider_needed",
    "not_a_picture",
    "not_your_model",
    "size_needed",
    "too_many_generations",
    "unknown_model",
    "unknown_project",
    "unknown_provider",
    "wish_not_met",
)
_UPLOAD = (
    "broken_form",
    "compressed",
    "field_too_large",
    "no_file",
    "not_a_form",
    "repeated_field",
    "too_large",
    "too_many_fields",
    "two_files",
)
_SUBMIT, _MANAGE = Permission.JOBS_SUBMIT, Permission.JOBS_MANAGE

ROUTES = (
    Route(
        method="POST",
        path=GENERATIONS,
        handler=create_generation,
        needs=_SUBMIT,
        takes=NewGenerationForm,
        gives=GenerationDocument,
        status=201,
        problems=WISH,
        once=True,
        versioned=True,
    ),
    Route(
        method="GET",
        path=GENERATIONS,
        handler=list_generations,
        needs=_SUBMIT,
        asks=GenerationsQuery,
        gives=Page[GenerationDocument],
        versioned=True,
    ),
    Route(
        method="GET",
        path=GENERATION,
        handler=show_generation,
        needs=_SUBMIT,
        gives=GenerationDocument,
        problems=_UNKNOWN,
        versioned=True,
    ),
    Route(
        method="POST",
        path=f"{GENERATION}/messages",
        handler=say,
        needs=_SUBMIT,
        takes=MessageForm,
        gives=GenerationDocument,
        status=201,
        problems=(
            *_UNKNOWN,
            *WISH,
            "generation_open",
            "no_conversation",
            "not_your_generation",
        ),
        once=True,
        versioned=True,
    ),
    Route(
        method="POST",
        path=f"{GENERATION}/cancel",
        handler=cancel_generation,
        needs=_SUBMIT,
        gives=GenerationDocument,
        problems=(*_UNKNOWN, "generation_ended", "not_your_generation"),
        versioned=True,
    ),
    Route(
        method="POST",
        path=f"{GENERATION}/approve",
        handler=approve_generation,
        needs=_MANAGE,
        gives=GenerationDocument,
        problems=(*_UNKNOWN, "generation_not_waiting"),
        versioned=True,
    ),
    Route(
        method="POST",
        path=f"{GENERATION}/reject",
        handler=reject_generation,
        needs=_MANAGE,
        takes=RejectForm,
        gives=GenerationDocument,
        problems=(*_UNKNOWN, "generation_not_waiting"),
        versioned=True,
    ),
    Route(
        method="POST",
        path=f"{GENERATION}/settle",
        handler=settle_generation,
        needs=_MANAGE,
        takes=SettleGenerationForm,
        gives=GenerationDocument,
        problems=(*_UNKNOWN, "generation_not_unsure", "task_id_needed", "task_taken"),
        versioned=True,
    ),
    Route(
        method="POST",
        path=f"{API_ROOT}/generation-pictures",
        handler=bring_picture,
        needs=_SUBMIT,
        form=PictureForm,
        gives=NewSheetDocument,
        status=201,
        problems=("not_a_picture", *_UPLOAD),
    ),
)
