"""The routes of projects and models; `model_versions.py` has those of their versions."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from coordinator.api.asking import CALLER, FARM, asked, taken, who
from coordinator.api.documents import Page
from coordinator.api.library_documents import (
    ModelDocument,
    ProjectDocument,
    model_document,
    project_document,
)
from coordinator.api.library_forms import (
    ModelForm,
    ModelsQuery,
    NewModelForm,
    NewProjectForm,
    ProjectForm,
    ProjectsQuery,
    library_place,
    place_cursor,
)
from coordinator.api.once import fingerprint_of_body, once
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.api.versions import expecting, tagged
from coordinator.domain.access import Permission
from coordinator.domain.library import ModelsWanted, ProjectsWanted
from coordinator.errors import NotFound
from coordinator.ports import Unit
from coordinator.usecases import browsing, library
from coordinator.usecases.library import ModelWish, ProjectWish

_PROJECTS = f"{API_ROOT}/projects"
_PROJECT = f"{_PROJECTS}/{{project_id}}"
_MODELS = f"{API_ROOT}/models"
_MODEL = f"{_MODELS}/{{model_id}}"


async def list_projects(request: web.Request) -> web.Response:
    """Return a page of projects, in order of arrival."""
    query = asked(request, ProjectsQuery)
    wanted = ProjectsWanted(text=query.text, owner=query.owner, archived=query.archived)
    shelf = await browsing.projects_page(
        request.app[FARM], wanted, after=library_place(query.cursor), limit=query.limit
    )
    document: Page[ProjectDocument] = {
        "items": [project_document(project) for project in shelf.items],
        "next": place_cursor(shelf.next),
        "total": shelf.total,
    }
    return tagged(request, document)


async def create_project(request: web.Request) -> web.Response:
    """Make a project; it belongs to who asks."""
    farm, form = request.app[FARM], taken(request, NewProjectForm)
    wish = ProjectWish(name=form.name, description=form.description)

    async def make(project_id: str) -> web.Response:
        await library.make_project(
            farm, wish, *who(request), owner=request[CALLER].owner, project_id=project_id
        )
        return await _shown_project(request, project_id, status=201)

    return await _once(request, farm.ids.new("project"), _shown_project, make)


async def show_project(request: web.Request) -> web.Response:
    """Return one project."""
    return await _shown_project(request, request.match_info["project_id"])


async def change_project(request: web.Request) -> web.Response:
    """Change a project; what is not said stays as it is."""
    project_id, form = request.match_info["project_id"], taken(request, ProjectForm)

    async def version(unit: Unit) -> str:
        return str((await browsing.the_project(unit, project_id)).version)

    wish = ProjectWish(name=form.name, description=form.description, archived=form.archived)
    farm, only_of = expecting(request, version), request[CALLER].steers_only
    await library.change_project(farm, project_id, wish, *who(request), only_of=only_of)
    return await _shown_project(request, project_id)


async def list_models(request: web.Request) -> web.Response:
    """Return a page of models, each with its newest version, in order of arrival."""
    query = asked(request, ModelsQuery)
    wanted = ModelsWanted(
        text=query.text,
        owner=query.owner,
        archived=query.archived,
        project_id=query.project_id,
        tag=query.tag.lower(),
    )
    shelf = await browsing.models_page(
        request.app[FARM], wanted, after=library_place(query.cursor), limit=query.limit
    )
    document: Page[ModelDocument] = {
        "items": [model_document(view) for view in shelf.items],
        "next": place_cursor(shelf.next),
        "total": shelf.total,
    }
    return tagged(request, document)


async def create_model(request: web.Request) -> web.Response:
    """Make a model, as yet without a version; it belongs to who asks."""
    farm, form = request.app[FARM], taken(request, NewModelForm)
    wish = ModelWish(**form.model_dump())

    async def make(model_id: str) -> web.Response:
        await library.make_model(
            farm, wish, *who(request), owner=request[CALLER].owner, model_id=model_id
        )
        return await _shown_model(request, model_id, status=201)

    return await _once(request, farm.ids.new("model"), _shown_model, make)


async def show_model(request: web.Request) -> web.Response:
    """Return one model with its newest version."""
    return await _shown_model(request, request.match_info["model_id"])


async def change_model(request: web.Request) -> web.Response:
    """Change a model; what is not said stays as it is."""
    model_id, form = request.match_info["model_id"], taken(request, ModelForm)

    async def version(unit: Unit) -> str:
        return str((await browsing.the_model(unit, model_id)).version)

    farm, only_of = expecting(request, version), request[CALLER].steers_only
    wish = ModelWish(**form.model_dump())
    await library.change_model(farm, model_id, wish, *who(request), only_of=only_of)
    return await _shown_model(request, model_id)


async def _shown_project(request: web.Request, project_id: str, status: int = 200) -> web.Response:
    project = await browsing.project_of(request.app[FARM], project_id)
    document = project_document(project)
    return _located(request, document, str(project.version), f"{_PROJECTS}/{project_id}", status)


async def _shown_model(request: web.Request, model_id: str, status: int = 200) -> web.Response:
    view = await browsing.model_view(request.app[FARM], model_id)
    document, written = model_document(view), str(view.model.version)
    return _located(request, document, written, f"{_MODELS}/{model_id}", status)


def _located(
    request: web.Request,
    document: ProjectDocument | ModelDocument,
    written: str,
    address: str,
    status: int,
) -> web.Response:
    response = tagged(request, document, written=written, status=status)
    if status == 201:
        response.headers["Location"] = address
    return response


async def _once(
    request: web.Request,
    its_id: str,
    shown: Callable[[web.Request, str, int], Awaitable[web.Response]],
    make: Callable[[str], Awaitable[web.Response]],
) -> web.Response:
    async def made(its_id: str) -> web.Response | None:
        try:
            return await shown(request, its_id, 201)
        except NotFound:
            return None

    return await once(request, await fingerprint_of_body(request), its_id, made, make)


_READ, _BRING = Permission.FARM_READ, Permission.JOBS_SUBMIT

ROUTES = (
    Route(
        method="GET",
        path=_PROJECTS,
        handler=list_projects,
        needs=_READ,
        asks=ProjectsQuery,
        gives=Page[ProjectDocument],
        versioned=True,
    ),
    Route(
        method="POST",
        path=_PROJECTS,
        handler=create_project,
        needs=_BRING,
        takes=NewProjectForm,
        gives=ProjectDocument,
        status=201,
        once=True,
        versioned=True,
    ),
    Route(
        method="GET",
        path=_PROJECT,
        handler=show_project,
        needs=_READ,
        gives=ProjectDocument,
        problems=("unknown_project",),
        versioned=True,
    ),
    Route(
        method="PATCH",
        path=_PROJECT,
        handler=change_project,
        needs=_BRING,
        takes=ProjectForm,
        gives=ProjectDocument,
        problems=("unknown_project", "not_your_project"),
        versioned=True,
        guarded=True,
    ),
    Route(
        method="GET",
        path=_MODELS,
        handler=list_models,
        needs=_READ,
        asks=ModelsQuery,
        gives=Page[ModelDocument],
        versioned=True,
    ),
    Route(
        method="POST",
        path=_MODELS,
        handler=create_model,
        needs=_BRING,
        takes=NewModelForm,
        gives=ModelDocument,
        status=201,
        problems=("422:unknown_project", "tags_out_of_range"),
        once=True,
        versioned=True,
    ),
    Route(
        method="GET",
        path=_MODEL,
        handler=show_model,
        needs=_READ,
        gives=ModelDocument,
        problems=("unknown_model",),
        versioned=True,
    ),
    Route(
        method="PATCH",
        path=_MODEL,
        handler=change_model,
        needs=_BRING,
        takes=ModelForm,
        gives=ModelDocument,
        problems=("unknown_model", "not_your_model", "422:unknown_project", "tags_out_of_range"),
        versioned=True,
        guarded=True,
    ),
)
