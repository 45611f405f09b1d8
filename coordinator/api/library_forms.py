"""What requests about projects, models and versions bring, checked."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from coordinator.api.names import NAME_CHARACTERS_MAX
from coordinator.api.queries import (
    LIMIT,
    LIMIT_MAX,
    Query,
    Word,
    cursor_of,
    place_of,
    wrong,
)
from coordinator.api.times import time_of
from coordinator.domain.library import Place

DESCRIPTION_CHARACTERS_MAX = 4000
TAGS_MAX = 100  # the use case says how many there may be; this only bounds what is read
URL_CHARACTERS_MAX = 2000

_Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS_MAX)]
_Text = Annotated[str, Field(max_length=DESCRIPTION_CHARACTERS_MAX)]
_Id = Annotated[str, Field(max_length=64)]
_Tags = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=TAGS_MAX)]


class ProjectForm(BaseModel):
    """What somebody wants of a project; what is not said stays as it is."""

    model_config = ConfigDict(
        extra="forbid", strict=True, str_strip_whitespace=True, defer_build=True
    )

    name: _Name | None = None
    description: _Text | None = None
    archived: bool | None = None


class NewProjectForm(BaseModel):
    """A new project."""

    model_config = ConfigDict(
        extra="forbid", strict=True, str_strip_whitespace=True, defer_build=True
    )

    name: _Name = Field(examples=["Rover"])
    description: _Text = ""


class ModelForm(BaseModel):
    """What somebody wants of a model; an empty `project_id` takes it out of its project."""

    model_config = ConfigDict(
        extra="forbid", strict=True, str_strip_whitespace=True, defer_build=True
    )

    name: _Name | None = None
    description: _Text | None = None
    project_id: _Id | None = None
    tags: _Tags | None = None
    archived: bool | None = None


class NewModelForm(BaseModel):
    """A new model; its versions are brought afterwards."""

    model_config = ConfigDict(
        extra="forbid", strict=True, str_strip_whitespace=True, defer_build=True
    )

    name: _Name = Field(examples=["Wheel hub"])
    description: _Text = ""
    project_id: _Id = ""
    tags: _Tags = Field(default_factory=list)


class VersionForm(BaseModel):
    """What comes beside a version's file; where it is from, and what its owner wants told."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)

    note: str = Field(default="", max_length=DESCRIPTION_CHARACTERS_MAX)
    source_url: str = Field(default="", max_length=URL_CHARACTERS_MAX)
    author: str = Field(default="", max_length=NAME_CHARACTERS_MAX)
    licence: str = Field(default="", max_length=NAME_CHARACTERS_MAX)


class ProjectsQuery(Query):
    """Which projects, and which page of them."""

    text: str = Field(default="", max_length=NAME_CHARACTERS_MAX, description="in the name")
    owner: Word = Field(default="", description="as history names them: user:anna")
    archived: bool = Field(default=False, description="those too")
    limit: int = Field(default=LIMIT, ge=1, le=LIMIT_MAX)
    cursor: str = Field(default="", max_length=200, description="`next` of the page before")


class ModelsQuery(ProjectsQuery):
    """Which models, and which page of them."""

    project_id: Word = ""
    tag: Word = ""


def place_cursor(place: Place | None) -> str | None:
    """Return the cursor behind a place, None for none."""
    if place is None:
        return None
    return cursor_of({"at": place.created_at.isoformat(), "id": place.its_id})


def library_place(cursor: str) -> Place | None:
    """Return where a page begins, None at the beginning.

    Raises:
        BadRequest: 422.
    """
    if not cursor:
        return None
    found = place_of(cursor)
    try:
        return Place(time_of(found["at"]), found["id"])
    except (KeyError, ValueError) as error:
        raise wrong("cursor", "is none that was given") from error
