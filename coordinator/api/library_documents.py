"""What the API tells of projects, models and versions: shapes, and what makes them of values."""

from collections.abc import Mapping

from typing_extensions import TypedDict

from coordinator.api.documents import Facts, Moment
from coordinator.api.render import API_ROOT, artifact_url, moment
from coordinator.domain.library import ModelVersion, Origin, Project
from coordinator.usecases.browsing import ModelView


class ProjectDocument(TypedDict):
    """What models are gathered in."""

    id: str
    name: str
    description: str
    owner: str
    archived: bool
    created_at: Moment
    updated_at: Moment
    version: int


class OriginDocument(TypedDict):
    """Where a version came from: `upload`, `link`, `generated`, `edited`.

    Empty texts are what the source does not tell. Null: `seed` where there is none.
    """

    kind: str
    generation_id: str
    provider: str
    service: str
    service_model: str
    prompt: str
    seed: int | None
    url: str
    author: str
    licence: str
    cost: str
    tool: str
    parents: list[str]
    facts: Facts


class SourceDocument(TypedDict):
    """The code that a version was made of."""

    sha256: str
    url: str
    language: str
    parameters: Facts


class VersionDocument(TypedDict):
    """One state of a model's geometry; `url` is where its mesh is fetched.

    `pictures` are addresses by what they show and their width: `model-256`.
    Null: `triangles` and `size_mm` (x, y, z) where nobody looked, `source` where there is no code.
    """

    model_id: str
    number: int
    sha256: str
    url: str
    file_name: str
    size_bytes: int
    triangles: int | None
    size_mm: list[float] | None
    source: SourceDocument | None
    remarks: list[str]
    pictures: dict[str, str]
    origin: OriginDocument
    note: str
    author: str
    created_at: Moment


class ModelDocument(TypedDict):
    """Geometry that somebody wants printed.

    Null: `project_id` where it is in none, `newest` while it has no version.
    """

    id: str
    name: str
    description: str
    project_id: str | None
    owner: str
    tags: list[str]
    latest: int
    newest: VersionDocument | None
    archived: bool
    created_at: Moment
    updated_at: Moment
    version: int


def project_document(project: Project) -> ProjectDocument:
    """Return a project."""
    return {
        "id": project.project_id,
        "name": project.name,
        "description": project.description,
        "owner": project.owner,
        "archived": project.archived,
        "created_at": moment(project.created_at),
        "updated_at": moment(project.updated_at),
        "version": project.version,
    }


def model_document(view: ModelView) -> ModelDocument:
    """Return a model with its newest version."""
    model = view.model
    return {
        "id": model.model_id,
        "name": model.name,
        "description": model.description,
        "project_id": model.project_id or None,
        "owner": model.owner,
        "tags": list(model.tags),
        "latest": model.latest,
        "newest": version_document(view.newest) if view.newest is not None else None,
        "archived": model.archived,
        "created_at": moment(model.created_at),
        "updated_at": moment(model.updated_at),
        "version": model.version,
    }


def version_document(version: ModelVersion) -> VersionDocument:
    """Return a version with where it came from."""
    return {
        "model_id": version.model_id,
        "number": version.number,
        "sha256": version.sha256,
        "url": f"{API_ROOT}/models/{version.model_id}/versions/{version.number}/file",
        "file_name": version.file_name,
        "size_bytes": version.size_bytes,
        "triangles": version.triangles or None,
        "size_mm": list(version.size_mm) if any(version.size_mm) else None,
        "source": _source(version),
        "remarks": list(version.remarks),
        "pictures": _addresses(version.pictures),
        "origin": _origin(version.origin),
        "note": version.note,
        "author": version.author,
        "created_at": moment(version.created_at),
    }


def _source(version: ModelVersion) -> SourceDocument | None:
    if not version.source_sha256:
        return None
    return {
        "sha256": version.source_sha256,
        "url": artifact_url(version.source_sha256),
        "language": version.language,
        "parameters": dict(version.parameters),
    }


def _addresses(pictures: Mapping[str, str]) -> dict[str, str]:
    return {shows: artifact_url(sha256) for shows, sha256 in pictures.items()}


def _origin(origin: Origin) -> OriginDocument:
    return {
        "kind": origin.kind,
        "generation_id": origin.generation_id,
        "provider": origin.provider,
        "service": origin.service,
        "service_model": origin.service_model,
        "prompt": origin.prompt,
        "seed": origin.seed,
        "url": origin.url,
        "author": origin.author,
        "licence": origin.licence,
        "cost": origin.cost,
        "tool": origin.tool,
        "parents": list(origin.parents),
        "facts": dict(origin.facts),
    }
