"""Projects, models and versions are made and changed by who may; nothing half made stays."""

from dataclasses import replace

import pytest

from coordinator.domain.library import ModelVersion, Origin
from coordinator.domain.plates import Artifact, ArtifactKind
from coordinator.domain.tags import TAGS_MAX
from coordinator.errors import NotFound, NotPermitted, Refused
from coordinator.usecases import auditing, browsing, library
from coordinator.usecases.farm import Farm
from coordinator.usecases.library import ModelWish, NewVersion, ProjectWish
from coordinator.usecases.performing import writing
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.fake_farm import MODEL
from tests.fakes.story import names_in_history

ANNA = "user:anna"
UPLOAD = NewVersion(file_name="cube.stl", origin=Origin(kind="upload"), note="first")


async def upload(
    farm: Farm, model_id: str, data: bytes = MODEL, new: NewVersion = UPLOAD, **fields: str
) -> ModelVersion:
    async with farm.artifacts.stage() as staged:
        await staged.write(data)
        return await library.upload_version(farm, model_id, staged, new, ANNA, **fields)


async def test_a_model_grows_by_versions_that_are_looked_at(farm: Farm) -> None:
    project = await library.make_project(farm, ProjectWish(name="Rover"), ANNA)
    wish = ModelWish(name="Cube", project_id=project.project_id, tags=["B", "a  b", "b", " "])
    model = await library.make_model(farm, wish, ANNA)
    assert (model.owner, model.latest, model.tags) == (ANNA, 0, ("a b", "b"))
    first = await upload(farm, model.model_id)
    second = await upload(farm, model.model_id, MODEL + b"more\n")
    assert (first.number, second.number) == (1, 2)
    assert (first.triangles, first.size_mm, first.author) == (12, (20.0, 20.0, 20.0), ANNA)
    view = await browsing.model_view(farm, model.model_id)
    assert (view.model.latest, view.newest) == (2, second)
    assert await browsing.versions_of(farm, model.model_id) == [first, second]
    assert await browsing.version_of(farm, model.model_id) == second
    assert await farm.artifacts.size(first.sha256) == len(MODEL)
    about = await names_in_history(farm, "version", f"{model.model_id}/1")
    assert about == ["version.added"]
    about = await names_in_history(farm, "model", model.model_id)
    assert about == ["model.created", "model.grown", "model.grown"]
    assert not (await auditing.verify(farm)).faults


async def test_what_is_no_model_leaves_nothing(farm: Farm) -> None:
    model = await library.make_model(farm, ModelWish(name="Cube"), ANNA)
    gcode = replace(UPLOAD, file_name="part.gcode")
    for data, new, code in (
        (b"no model", UPLOAD, "model_unsupported"),
        (b"", UPLOAD, "empty_file"),
        (MODEL, gcode, "unknown_file_type"),
    ):
        with pytest.raises(Refused) as refused:
            await upload(farm, model.model_id, data, new)
        assert refused.value.code == code
    with pytest.raises(NotFound):
        await upload(farm, "model-none")
    assert isinstance(farm.artifacts, FakeArtifacts)
    assert (farm.artifacts.kept, farm.artifacts.left_behind) == ({}, [])
    assert await browsing.versions_of(farm, model.model_id) == []
    with pytest.raises(NotFound):
        await browsing.version_of(farm, model.model_id)


async def test_only_the_owner_or_an_operator_changes_things(farm: Farm) -> None:
    project = await library.make_project(farm, ProjectWish(name="Rover"), "key:anna/ci", owner=ANNA)
    model = await library.make_model(farm, ModelWish(name="Cube"), ANNA)
    gone = ProjectWish(archived=True)
    with pytest.raises(NotPermitted):
        await library.change_project(farm, project.project_id, gone, "user:b", only_of="user:b")
    mine = ModelWish(name="Mine")
    with pytest.raises(NotPermitted):
        await library.change_model(farm, model.model_id, mine, "user:b", only_of="user:b")
    with pytest.raises(NotPermitted):
        await upload(farm, model.model_id, only_of="user:b")
    changed = await library.change_project(
        farm, project.project_id, gone, ANNA, only_of=project.owner
    )
    assert (changed.name, changed.archived, changed.version) == ("Rover", True, 1)
    renamed = await library.change_model(farm, model.model_id, ModelWish(name="Box"), "user:b")
    assert (renamed.name, renamed.owner, renamed.version) == ("Box", ANNA, 1)
    assert not (await auditing.verify(farm)).faults


async def test_a_model_belongs_to_a_project_that_there_is(farm: Farm) -> None:
    with pytest.raises(Refused) as refused:
        await library.make_model(farm, ModelWish(name="Cube", project_id="project-9"), ANNA)
    assert refused.value.code == "unknown_project"
    tags = [f"tag {number}" for number in range(TAGS_MAX + 1)]
    with pytest.raises(Refused) as refused:
        await library.make_model(farm, ModelWish(name="Cube", tags=tags), ANNA)
    assert refused.value.code == "tags_out_of_range"


async def test_a_version_is_put_with_what_it_refers_to_in_one_transaction(farm: Farm) -> None:
    model = await library.make_model(farm, ModelWish(name="Cube"), ANNA)
    async with writing(farm, "farm", "generation") as transaction:
        mesh = Artifact(
            sha256="a" * 64,
            kind=ArtifactKind.MODEL,
            name="cube.3mf",
            size_bytes=9,
            created_at=transaction.now,
        )
        code = replace(mesh, sha256="b" * 64, name="cube.scad")
        origin = Origin(kind="generated", generation_id="generation-1", prompt="a cube")
        new = NewVersion(
            file_name="cube.3mf",
            origin=origin,
            source_sha256=code.sha256,
            artifacts=(code,),
        )
        version = await library.put_version(transaction, model.model_id, mesh, new)
    assert await browsing.version_of(farm, model.model_id, 1) == version
    async with farm.store.read() as unit:
        assert [await unit.artifact(each.sha256) for each in (mesh, code)] == [mesh, code]
    assert not (await auditing.verify(farm)).faults
