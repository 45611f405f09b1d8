"""The routes of a model's versions: brought, looked at, fetched."""

from aiohttp import web
from pydantic import ValidationError

from coordinator.api.artifacts import PROBLEMS as ARTIFACT
from coordinator.api.artifacts import sent
from coordinator.api.asking import CALLER, FARM, UPLOAD_BYTES_MAX, who
from coordinator.api.codes import UPLOAD
from coordinator.api.documents import Items
from coordinator.api.forms import field_errors, refused
from coordinator.api.library_documents import VersionDocument, version_document
from coordinator.api.library_forms import VersionForm
from coordinator.api.once import once
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.api.uploads import Upload, fingerprint_of, received
from coordinator.api.versions import tagged
from coordinator.domain.access import Permission
from coordinator.domain.library import ModelVersion, Origin
from coordinator.errors import NotFound
from coordinator.usecases import browsing, library
from coordinator.usecases.library import NewVersion

_MODELS = f"{API_ROOT}/models"
_VERSIONS = f"{_MODELS}/{{model_id}}/versions"
_VERSION = f"{_VERSIONS}/{{number}}"

# More than any model has; a database's number holds them.
_DIGITS_MAX = 9


async def list_versions(request: web.Request) -> web.Response:
    """Return a model's versions, the first one first."""
    versions = await browsing.versions_of(request.app[FARM], request.match_info["model_id"])
    return tagged(request, {"items": [version_document(version) for version in versions]})


async def add_version(request: web.Request) -> web.Response:
    """Take a mesh as a model's next version; it is looked at first. 201 with the version."""
    farm, model_id = request.app[FARM], request.match_info["model_id"]
    limit, only_of = request.app[UPLOAD_BYTES_MAX], request[CALLER].steers_only
    async with received(request, farm.artifacts, file_bytes_max=limit) as upload:
        new, sha256 = _new_version(upload), upload.file.sha256

        async def made(_: str) -> web.Response | None:
            # A version has no id of its own: who just added these bytes added this version.
            newest = (await browsing.model_view(farm, model_id)).newest
            if newest is None or (newest.sha256, newest.author) != (sha256, who(request)[0]):
                return None
            return _added(request, newest)

        async def make(_: str) -> web.Response:
            said = upload.file, new, *who(request)
            return _added(
                request, await library.upload_version(farm, model_id, *said, only_of=only_of)
            )

        return await once(request, fingerprint_of(upload), farm.ids.new("version"), made, make)


def _added(request: web.Request, version: ModelVersion) -> web.Response:
    response = tagged(request, version_document(version), written="0", status=201)
    response.headers["Location"] = f"{_MODELS}/{version.model_id}/versions/{version.number}"
    return response


async def show_version(request: web.Request) -> web.Response:
    """Return one version of a model; `latest` is its newest."""
    version = await browsing.version_of(request.app[FARM], *_numbered(request))
    return tagged(request, version_document(version), written="0")


async def serve_version(request: web.Request) -> web.StreamResponse:
    """Answer with a version's mesh, as artifacts are answered."""
    version = await browsing.version_of(request.app[FARM], *_numbered(request))
    return await sent(request, version.sha256)


def _new_version(upload: Upload) -> NewVersion:
    """Return what a form says of a version.

    Raises:
        BadRequest: 422, with every field that is wrong.
    """
    try:
        form = VersionForm.model_validate(upload.fields)
    except ValidationError as error:
        raise refused(field_errors(VersionForm, error)) from error
    origin = Origin(kind="upload", url=form.source_url, author=form.author, licence=form.licence)
    return NewVersion(file_name=upload.file_name, origin=origin, note=form.note)


def _numbered(request: web.Request) -> tuple[str, int | None]:
    """Return which version the address names, None for the newest."""
    model_id, said = request.match_info["model_id"], request.match_info["number"]
    if said == "latest":
        return model_id, None
    if not (said.isascii() and said.isdigit() and len(said) <= _DIGITS_MAX):
        raise NotFound("version", f"{model_id}/{said}")
    return model_id, int(said)


_READ, _BRING = Permission.FARM_READ, Permission.JOBS_SUBMIT
_UNKNOWN_VERSION = ("unknown_model", "unknown_version")

ROUTES = (
    Route(
        method="GET",
        path=_VERSIONS,
        handler=list_versions,
        needs=_READ,
        gives=Items[VersionDocument],
        problems=("unknown_model",),
        versioned=True,
    ),
    Route(
        method="POST",
        path=_VERSIONS,
        handler=add_version,
        needs=_BRING,
        form=VersionForm,
        gives=VersionDocument,
        status=201,
        problems=("unknown_model", "not_your_model", *UPLOAD),
        once=True,
        versioned=True,
    ),
    Route(
        method="GET",
        path=_VERSION,
        handler=show_version,
        needs=_READ,
        gives=VersionDocument,
        problems=_UNKNOWN_VERSION,
        versioned=True,
    ),
    *(
        Route(
            method=method,
            path=f"{_VERSION}/file",
            handler=serve_version,
            needs=_READ,
            content_type="application/octet-stream",
            also=(206,) if method == "GET" else (),
            versioned=True,
            problems=(*_UNKNOWN_VERSION, *ARTIFACT),
        )
        for method in ("GET", "HEAD")
    ),
)
