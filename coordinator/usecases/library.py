"""The library: projects and models are made and changed, versions added; who may, and what is kept.

Whose a project or model is may change it, and add versions; an operator may for everybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from coordinator.domain import library
from coordinator.domain.effects import Effects, Save
from coordinator.domain.library import Model, ModelVersion, Origin, Project
from coordinator.domain.plates import Artifact, ArtifactKind
from coordinator.domain.tags import tags_of
from coordinator.errors import NotPermitted, Refused
from coordinator.ports import StagedFile, Unit
from coordinator.usecases.browsing import the_model, the_project
from coordinator.usecases.farm import Farm
from coordinator.usecases.orders import MODEL_SUFFIXES
from coordinator.usecases.performing import Writing, writing
from coordinator.usecases.storing import keep, let_go
from coordinator.usecases.tracing import traced
from protocols.wire.to_agent import Scalar

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectWish:
    """What a project is to be; None leaves what is."""

    name: str | None = None
    description: str | None = None
    archived: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelWish:
    """What a model is to be; None leaves what is.

    Attributes:
        project_id: empty takes it out of its project.
    """

    name: str | None = None
    description: str | None = None
    project_id: str | None = None
    tags: Sequence[str] | None = None
    archived: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """What is known of a version beside its mesh; as in `ModelVersion`.

    Attributes:
        artifacts: what it refers to beside its mesh, code and pictures; stored along with it. Who
            gives them has kept their bytes (`storing.keep`), and lets them go afterwards.
    """

    file_name: str
    origin: Origin
    triangles: int = 0
    size_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    source_sha256: str = ""
    language: str = ""
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    pictures: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    artifacts: tuple[Artifact, ...] = ()


async def make_project(
    farm: Farm,
    wish: ProjectWish,
    actor: str,
    origin: str = "",
    *,
    owner: str = "",
    project_id: str = "",
) -> Project:
    """Make a project.

    Args:
        owner: whose it is to be; empty for the actor.
        project_id: what it is to be called; a fresh id where it is empty.
    """
    async with writing(farm, actor, origin) as transaction:
        now = transaction.now
        project = Project(
            project_id=project_id or farm.ids.new("project"),
            name=wish.name or "",
            description=wish.description or "",
            owner=owner or actor,
            created_at=now,
            updated_at=now,
        )
        await transaction.perform(library.made(project))
    return project


async def change_project(
    farm: Farm,
    project_id: str,
    wish: ProjectWish,
    actor: str,
    origin: str = "",
    *,
    only_of: str | None = None,
) -> Project:
    """Change a project.

    Args:
        only_of: whose it must be; None for anybody's.

    Raises:
        NotFound: there is none.
        NotPermitted: it is somebody else's.
    """
    async with writing(farm, actor, origin) as transaction:
        known = await the_project(transaction.unit, project_id)
        _check_owns(known, only_of)
        said = {
            name: value
            for name in ("name", "description", "archived")
            if (value := getattr(wish, name)) is not None
        }
        project = replace(known, **said, updated_at=transaction.now, version=known.version + 1)
        await transaction.perform(library.made(project, "changed"))
    return project


async def make_model(
    farm: Farm,
    wish: ModelWish,
    actor: str,
    origin: str = "",
    *,
    owner: str = "",
    model_id: str = "",
) -> Model:
    """Make a model, as yet without a version; `owner` and `model_id` as in `make_project`.

    Raises:
        Refused: there is no such project, or there are too many tags.
    """
    async with writing(farm, actor, origin) as transaction:
        now = transaction.now
        bare = Model(
            model_id=model_id or farm.ids.new("model"),
            name="",
            owner=owner or actor,
            created_at=now,
            updated_at=now,
        )
        model = await _with(transaction.unit, bare, wish)
        await transaction.perform(library.made(model))
    return model


async def change_model(
    farm: Farm,
    model_id: str,
    wish: ModelWish,
    actor: str,
    origin: str = "",
    *,
    only_of: str | None = None,
) -> Model:
    """Change a model; `only_of` as in `change_project`.

    Raises:
        NotFound: there is none.
        NotPermitted: it is somebody else's.
        Refused: as in `make_model`.
    """
    async with writing(farm, actor, origin) as transaction:
        known = await the_model(transaction.unit, model_id)
        _check_owns(known, only_of)
        model = await _with(transaction.unit, known, wish)
        model = replace(model, updated_at=transaction.now, version=known.version + 1)
        await transaction.perform(library.made(model, "changed"))
    return model


@traced
async def upload_version(
    farm: Farm,
    model_id: str,
    staged: StagedFile,
    new: NewVersion,
    actor: str,
    origin: str = "",
    *,
    only_of: str | None = None,
) -> ModelVersion:
    """Add a version that somebody brings as a file; it is looked at before it is kept.

    Args:
        new: its triangles and size are found out here.

    Raises:
        NotFound: there is no such model.
        NotPermitted: it is somebody else's.
        Refused: it is no model, or broken.
        Unavailable: the slicer or the disk does not answer now.
    """
    async with farm.store.read() as unit:  # before the slicer looks at it for long
        _check_owns(await the_model(unit, model_id), only_of)
    if Path(new.file_name).suffix.lower() not in MODEL_SUFFIXES:
        known = " ".join(MODEL_SUFFIXES)
        raise Refused("unknown_file_type", f"{new.file_name!r} is no model; known endings: {known}")
    if staged.size_bytes == 0:
        raise Refused("empty_file", f"{new.file_name!r} is empty")
    found = await farm.slicer.inspect(
        staged.path, printer_classes=(), material="", quality="", overrides={}
    )
    looked_at = replace(
        new,
        triangles=found.triangles,
        size_mm=found.size_mm,
        remarks=(*new.remarks, *found.warnings),
    )
    return await add_version(farm, model_id, staged, looked_at, actor, origin, only_of=only_of)


async def add_version(
    farm: Farm,
    model_id: str,
    mesh: StagedFile,
    new: NewVersion,
    actor: str,
    origin: str = "",
    *,
    only_of: str | None = None,
) -> ModelVersion:
    """Add a version of which all is known, and keep its mesh.

    Raises:
        NotFound, NotPermitted: as `upload_version`.
        Unavailable: the disk is full.
    """
    artifact = Artifact(
        sha256=mesh.sha256,
        kind=ArtifactKind.MODEL,
        name=new.file_name,
        size_bytes=mesh.size_bytes,
        created_at=farm.clock.now(),
    )
    await keep(farm, mesh)
    try:
        async with writing(farm, actor, origin) as transaction:
            _check_owns(await the_model(transaction.unit, model_id), only_of)
            return await put_version(transaction, model_id, artifact, new)
    finally:
        await let_go(farm, artifact.sha256)


async def put_version(
    transaction: Writing, model_id: str, mesh: Artifact, new: NewVersion
) -> ModelVersion:
    """Add a version within a transaction; the mesh's bytes are in the store already.

    Raises:
        NotFound: there is no such model.
    """
    model = await the_model(transaction.unit, model_id)
    version = ModelVersion(
        model_id=model_id,
        number=model.latest + 1,
        sha256=mesh.sha256,
        file_name=new.file_name,
        size_bytes=mesh.size_bytes,
        triangles=new.triangles,
        size_mm=new.size_mm,
        source_sha256=new.source_sha256,
        language=new.language,
        parameters=new.parameters,
        remarks=new.remarks,
        pictures=new.pictures,
        origin=new.origin,
        note=new.note,
        author=transaction.actor,
        created_at=transaction.now,
    )
    _, effects = library.added(model, version)
    kept: Effects = tuple(Save(each) for each in (mesh, *new.artifacts))
    await transaction.perform((*kept, *effects))
    log.info("version.added", model_id=model_id, number=version.number)
    return version


async def _with(unit: Unit, model: Model, wish: ModelWish) -> Model:
    """Return a model as it is wished, but for its version."""
    if wish.project_id and await unit.project(wish.project_id) is None:
        raise Refused("unknown_project", f"there is no project {wish.project_id!r}")
    tags = model.tags if wish.tags is None else tags_of(wish.tags)
    said = {
        name: value
        for name in ("name", "description", "project_id", "archived")
        if (value := getattr(wish, name)) is not None
    }
    return replace(model, **said, tags=tags)


def _check_owns(thing: Project | Model, only_of: str | None) -> None:
    if only_of is not None and thing.owner != only_of:
        kind = "project" if isinstance(thing, Project) else "model"
        raise NotPermitted(f"not_your_{kind}", f"this {kind} is not yours: ask an operator")
