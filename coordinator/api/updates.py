"""The routes of releases and rollouts: how agents get a new version."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coordinator.api.artifacts import PROBLEMS as ARTIFACT
from coordinator.api.artifacts import sent
from coordinator.api.asking import FARM, UPLOAD_BYTES_MAX, taken, who
from coordinator.api.codes import UPLOAD
from coordinator.api.documents import Items
from coordinator.api.forms import field_errors, refused
from coordinator.api.once import fingerprint_of_body, once
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.api.update_documents import (
    ReleaseDocument,
    RolloutDocument,
    release_document,
    rollout_document,
)
from coordinator.api.uploads import received
from coordinator.domain.access import Permission
from coordinator.errors import NotFound
from coordinator.usecases import updating
from coordinator.usecases.updating import RolloutWish
from protocols.release.manifest import RELEASE_BYTES_MAX
from protocols.release.signing import SIGNATURE_CHARACTERS_MAX

AGENTS_MAX = 10_000
_Agent = Annotated[str, Field(min_length=1, max_length=63)]
_Seconds = Annotated[float, Field(ge=1, le=3600, allow_inf_nan=False)]


class ReleaseForm(BaseModel):
    """What goes with a release's file."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    signature: str = Field(
        min_length=1,
        max_length=SIGNATURE_CHARACTERS_MAX,
        description="as minisign writes it, four lines",
    )


class RolloutForm(BaseModel):
    """How a release is to be rolled out."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    version: str = Field(max_length=63, examples=["0.2.0"])
    agents: list[_Agent] | None = Field(
        default=None, max_length=AGENTS_MAX, description="which; all where nothing is said"
    )
    canaries: list[_Agent] | None = Field(
        default=None, max_length=AGENTS_MAX, description="of these, who is first; else one"
    )
    wave_size: int = Field(default=0, ge=0, le=AGENTS_MAX, description="0: a quarter of the rest")
    soak_s: _Seconds = Field(default=60.0, description="an agent has to be well for so long")
    start_s: _Seconds = Field(default=120.0, description="it has so long to become so")
    troubles_max: int = Field(default=0, ge=0, le=AGENTS_MAX, description="before all halts")


async def list_releases(request: web.Request) -> web.Response:
    """Return all releases of the agent, the last one first."""
    found = await updating.all_releases(request.app[FARM])
    return web.json_response({"items": [release_document(each) for each in found]})


async def add_release(request: web.Request) -> web.Response:
    """Take in a release with its signature; the same again is answered the same."""
    farm = request.app[FARM]
    limit = min(request.app[UPLOAD_BYTES_MAX], RELEASE_BYTES_MAX)
    async with received(request, farm.artifacts, file_bytes_max=limit) as upload:
        try:
            form = ReleaseForm.model_validate(upload.fields)
        except ValidationError as error:
            raise refused(field_errors(ReleaseForm, error)) from error
        release = await updating.add_release(farm, upload.file, form.signature, *who(request))
    return web.json_response(release_document(release), status=201)


async def drop_release(request: web.Request) -> web.Response:
    """Hand a release to nobody any more; who has it keeps it."""
    version = request.match_info["version"]
    release = await updating.drop_release(request.app[FARM], version, *who(request))
    return web.json_response(release_document(release))


async def serve_release(request: web.Request) -> web.StreamResponse:
    """Answer GET and HEAD of a release's file."""
    async with request.app[FARM].store.read() as unit:
        release = await updating.the_release(unit, request.match_info["version"])
    return await sent(request, release.sha256)


async def list_rollouts(request: web.Request) -> web.Response:
    """Return the last rollouts, the last one first."""
    found = await updating.rollouts(request.app[FARM])
    return web.json_response({"items": [rollout_document(each) for each in found]})


async def begin_rollout(request: web.Request) -> web.Response:
    """Begin to bring a release to agents: canaries first, then wave by wave, never mid-print."""
    farm, form = request.app[FARM], taken(request, RolloutForm)
    said = form.model_dump(exclude={"agents", "canaries"})
    wish = RolloutWish(
        **said,
        agents=tuple(form.agents) if form.agents is not None else None,
        canaries=tuple(form.canaries) if form.canaries is not None else None,
    )

    async def made(rollout_id: str) -> web.Response | None:
        try:
            return await _shown(request, rollout_id, status=201)
        except NotFound:
            return None

    async def make(rollout_id: str) -> web.Response:
        await updating.begin_rollout(farm, wish, *who(request), rollout_id=rollout_id)
        return await _shown(request, rollout_id, status=201)

    fingerprint = await fingerprint_of_body(request)
    return await once(request, fingerprint, farm.ids.new("rollout"), made, make)


async def show_rollout(request: web.Request) -> web.Response:
    """Return one rollout, agent by agent."""
    return await _shown(request, request.match_info["rollout_id"])


async def halt_rollout(request: web.Request) -> web.Response:
    """Ask no other agent; who has not begun its trial lets it be."""
    rollout_id = request.match_info["rollout_id"]
    rollout = await updating.halt_rollout(request.app[FARM], rollout_id, *who(request))
    return web.json_response(rollout_document(rollout))


async def resume_rollout(request: web.Request) -> web.Response:
    """Go on with a rollout that was halted; who went wrong is asked once more."""
    rollout_id = request.match_info["rollout_id"]
    rollout = await updating.resume_rollout(request.app[FARM], rollout_id, *who(request))
    return web.json_response(rollout_document(rollout))


async def _shown(request: web.Request, rollout_id: str, *, status: int = 200) -> web.Response:
    async with request.app[FARM].store.read() as unit:
        rollout = await updating.the_rollout(unit, rollout_id)
    response = web.json_response(rollout_document(rollout), status=status)
    if status == 201:
        response.headers["Location"] = f"{_ROLLOUTS}/{rollout_id}"
    return response


_RELEASES = f"{API_ROOT}/releases"
_RELEASE = f"{_RELEASES}/{{version}}"
_ROLLOUTS = f"{API_ROOT}/rollouts"
_ROLLOUT = f"{_ROLLOUTS}/{{rollout_id}}"
_ADMIN = Permission.FARM_ADMIN

ROUTES = (
    Route(
        method="GET",
        path=_RELEASES,
        handler=list_releases,
        needs=_ADMIN,
        gives=Items[ReleaseDocument],
    ),
    Route(
        method="POST",
        path=_RELEASES,
        handler=add_release,
        needs=_ADMIN,
        form=ReleaseForm,
        gives=ReleaseDocument,
        status=201,
        problems=("release_invalid", "release_protocol", "release_exists", *UPLOAD),
    ),
    Route(
        method="DELETE",
        path=_RELEASE,
        handler=drop_release,
        needs=_ADMIN,
        gives=ReleaseDocument,
        problems=("unknown_release", "rollout_live"),
    ),
    *(
        Route(
            method=method,
            path=f"{_RELEASE}/file",
            handler=serve_release,
            needs=Permission.PLATES_FETCH,
            content_type="application/octet-stream",
            also=(206,) if method == "GET" else (),
            versioned=True,
            problems=(*ARTIFACT, "unknown_release"),
        )
        for method in ("GET", "HEAD")
    ),
    Route(
        method="GET",
        path=_ROLLOUTS,
        handler=list_rollouts,
        needs=_ADMIN,
        gives=Items[RolloutDocument],
    ),
    Route(
        method="POST",
        path=_ROLLOUTS,
        handler=begin_rollout,
        needs=_ADMIN,
        takes=RolloutForm,
        gives=RolloutDocument,
        status=201,
        problems=(
            "unknown_release",
            "unknown_agent",
            "rollout_live",
            "no_agents",
            "canary_elsewhere",
        ),
        once=True,
    ),
    Route(
        method="GET",
        path=_ROLLOUT,
        handler=show_rollout,
        needs=_ADMIN,
        gives=RolloutDocument,
        problems=("unknown_rollout",),
    ),
    Route(
        method="POST",
        path=f"{_ROLLOUT}/halt",
        handler=halt_rollout,
        needs=_ADMIN,
        gives=RolloutDocument,
        problems=("unknown_rollout", "rollout_over"),
    ),
    Route(
        method="POST",
        path=f"{_ROLLOUT}/resume",
        handler=resume_rollout,
        needs=_ADMIN,
        gives=RolloutDocument,
        problems=("unknown_rollout", "unknown_release", "rollout_over", "rollout_live"),
    ),
)
