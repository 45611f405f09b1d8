"""Projects, models and their versions: the geometry that a farm keeps.

A project gathers models. A model's geometry is in its versions, numbered from 1 and never changed:
who mends a model adds a version. A version tells where it came from, down to who is owed for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from coordinator.domain.effects import Effects, Note, Save
from protocols.wire.to_agent import Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What models are gathered in.

    Attributes:
        owner: whose it is, as history names them: `user:anna`.
        archived: it is shown only to who asks for it.
        version: grows with every change.
    """

    project_id: str
    name: str
    description: str = ""
    owner: str = ""
    archived: bool = False
    created_at: datetime
    updated_at: datetime
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Geometry that somebody wants printed, through all its versions.

    Attributes:
        project_id: empty where it belongs to none.
        owner: whose it is, as history names them.
        tags: sorted, in lower case.
        latest: number of its newest version; 0 while it has none.
        archived: it is shown only to who asks for it.
        version: grows with every change of these fields.
    """

    model_id: str
    name: str
    description: str = ""
    project_id: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    latest: int = 0
    archived: bool = False
    created_at: datetime
    updated_at: datetime
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a version came from; it follows the part down to its G-code.

    Attributes:
        kind: `upload`, `link`, `generated`, `edited`.
        generation_id: of the request to a provider that it came of; empty where there was none.
        provider: its name in the settings, `meshy`; `service` is what it is: `meshy`, `fal`.
        service_model: which model of the service made it: `meshy-6`, `gpt-...`.
        prompt: what was asked for, in words.
        seed: None where the service has none, or does not tell.
        url: of what was linked to.
        author, licence: as the source tells them; empty where it does not.
        cost: what was charged, as `1.25 USD` or `20 credits`; empty where nothing was.
        tool: name and version of what made geometry of code: `openscad 2025.01.19`.
        parents: hashes of what it was made of: pictures, code, the mesh as it came.
        facts: what else the source tells.
    """

    kind: str
    generation_id: str = ""
    provider: str = ""
    service: str = ""
    service_model: str = ""
    prompt: str = ""
    seed: int | None = None
    url: str = ""
    author: str = ""
    licence: str = ""
    cost: str = ""
    tool: str = ""
    parents: tuple[str, ...] = ()
    facts: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One state of a model's geometry; never changed.

    Attributes:
        number: from 1.
        sha256: of the mesh that is printed, an artifact of kind `model`.
        file_name: with its suffix: `hook.3mf`.
        size_mm: extent in x, y and z; zeros where nobody looked.
        source_sha256: of the code that it was made of; empty where there is none.
        language: of that code: `openscad`, `build123d`, `cadquery`, `freecad`; empty for none.
        parameters: of that code, where they differ from what it says itself.
        remarks: what there is to say of it, for a person: a hole that was closed, a thin wall.
        pictures: PNGs of it as artifacts, as a plate has them: `model-256` -> sha256.
        author: who added it, as history names them.
    """

    model_id: str
    number: int
    sha256: str
    file_name: str
    size_bytes: int
    triangles: int = 0
    size_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    source_sha256: str = ""
    language: str = ""
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    pictures: Mapping[str, str] = field(default_factory=dict)
    origin: Origin
    note: str = ""
    author: str = ""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where a project or model stands in the order of arrival, which never changes."""

    created_at: datetime
    its_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectsWanted:
    """Which projects; empty means that any will do.

    Attributes:
        text: in the name; capitals or not is nothing, as far as a to z go.
        archived: those too.
    """

    text: str = ""
    owner: str = ""
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsWanted:
    """Which models; empty means that any will do, and else as `ProjectsWanted`."""

    text: str = ""
    owner: str = ""
    project_id: str = ""
    tag: str = ""
    archived: bool = False


def made(thing: Project | Model, verb: str = "created") -> Effects:
    """Store something new, or changed; `verb` is what happened."""
    subject = "project" if isinstance(thing, Project) else "model"
    its_id = thing.project_id if isinstance(thing, Project) else thing.model_id
    note = Note(subject=subject, subject_id=its_id, name=f"{subject}.{verb}")
    return (Save(thing), note)


def added(model: Model, version: ModelVersion) -> tuple[Model, Effects]:
    """Return the model with one more version, and what has to be done about it."""
    assert version.number == model.latest + 1, "versions are numbered without a gap"
    grown = replace(
        model,
        latest=version.number,
        updated_at=version.created_at,
        version=model.version + 1,
    )
    note = Note(
        subject="version",
        subject_id=f"{model.model_id}/{version.number}",
        name="version.added",
        cause=version.note,
    )
    return grown, (Save(version), note, *made(grown, "grown"))
