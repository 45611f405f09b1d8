"""What every `Store` keeps to with projects, models and their versions."""

from dataclasses import replace

from coordinator.domain.history import row_of, thing_of
from coordinator.domain.library import ModelsWanted, Origin, Place, ProjectsWanted
from coordinator.ports import Store
from tests.fakes.library_values import LATER, MODEL, NOW, PROJECT, VERSION


async def test_projects_come_back_as_they_were_saved_last(store: Store) -> None:
    changed = replace(PROJECT, name="Rover 2", description="moon", archived=True, version=1)
    async with store.write() as unit:
        await unit.save_project(PROJECT)
        assert await unit.project("project-1") == PROJECT
        await unit.save_project(changed)
    async with store.read() as unit:
        assert await unit.project("project-1") == changed
        assert await unit.project("project-2") is None


async def test_models_and_versions_come_back_as_they_were(store: Store) -> None:
    bare = replace(VERSION, number=2, origin=Origin(kind="upload"), pictures={}, parameters={})
    async with store.write() as unit:
        await unit.save_model(replace(MODEL, latest=0))
        await unit.add_model_version(bare)
        await unit.add_model_version(VERSION)
        await unit.save_model(MODEL)
    async with store.read() as unit:
        assert await unit.model("model-1") == MODEL
        assert await unit.model("model-2") is None
        assert await unit.model_versions("model-1") == [VERSION, bare]
        assert await unit.model_versions("model-2") == []
        assert await unit.model_version("model-1", 2) == bare
        assert await unit.model_version("model-1", 3) is None


async def test_a_version_never_changes(store: Store) -> None:
    async with store.write() as unit:
        await unit.save_model(MODEL)
        await unit.add_model_version(VERSION)
        await unit.add_model_version(replace(VERSION, sha256="e" * 64))
    async with store.read() as unit:
        assert await unit.model_versions("model-1") == [VERSION]


async def test_pages_of_models_are_narrowed_and_follow_each_other(store: Store) -> None:
    second = replace(MODEL, model_id="model-2", name="100%_Cap", tags=("spare part",), owner="x")
    third = replace(MODEL, model_id="model-0", created_at=LATER, project_id="", tags=())
    gone = replace(MODEL, model_id="model-3", created_at=LATER, archived=True)
    async with store.write() as unit:
        for model in (third, second, gone, MODEL):
            await unit.save_model(model)

    async def ids(**wanted: object) -> list[str]:
        found = ModelsWanted(**wanted)  # type: ignore[arg-type]
        async with store.read() as unit:
            return [each.model_id for each in await unit.models_page(found, after=None, limit=9)]

    assert await ids() == ["model-1", "model-2", "model-0"]
    assert await ids(archived=True) == ["model-1", "model-2", "model-0", "model-3"]
    assert await ids(text="hUb") == ["model-1", "model-0"]
    assert await ids(text="0%_c") == ["model-2"]
    assert await ids(text="_") == ["model-2"]
    assert await ids(owner="x") == ["model-2"]
    assert await ids(project_id="project-1") == ["model-1", "model-2"]
    assert await ids(tag="spare") == ["model-1"]
    assert await ids(tag="für draußen") == ["model-1"]
    assert await ids(tag="spar") == []
    async with store.read() as unit:
        after = Place(NOW, "model-1")
        page = await unit.models_page(ModelsWanted(), after=after, limit=1)
        assert [each.model_id for each in page] == ["model-2"]
        assert await unit.models_count(ModelsWanted(tag="spare", archived=True)) == 2
        page = await unit.models_page(ModelsWanted(), after=Place(NOW, "model-2"), limit=9)
        assert [each.model_id for each in page] == ["model-0"]


async def test_pages_of_projects_are_narrowed_and_follow_each_other(store: Store) -> None:
    second = replace(PROJECT, project_id="project-2", name="Boat", owner="x", created_at=LATER)
    gone = replace(second, project_id="project-3", archived=True)
    async with store.write() as unit:
        for project in (gone, second, PROJECT):
            await unit.save_project(project)
    async with store.read() as unit:
        every = ProjectsWanted(archived=True)
        assert await unit.projects_page(every, after=None, limit=9) == [PROJECT, second, gone]
        shown = ProjectsWanted()
        assert await unit.projects_page(shown, after=None, limit=1) == [PROJECT]
        after = Place(NOW, "project-1")
        assert await unit.projects_page(shown, after=after, limit=9) == [second]
        assert await unit.projects_count(shown) == 2
        boats = ProjectsWanted(text="boa", owner="x")
        assert await unit.projects_page(boats, after=None, limit=9) == [second]


async def test_history_tells_of_the_library(store: Store) -> None:
    values = (PROJECT, MODEL, VERSION)
    async with store.write() as unit:
        await unit.save_project(PROJECT)
        await unit.save_model(MODEL)
        await unit.add_model_version(VERSION)
    async with store.read() as unit:
        found = dict([told async for page in unit.rows() for told in page])
    assert found == {thing_of(value): row_of(value) for value in values}
    assert found["version", "model-1/1"]["origin_prompt"] == "a hub ⚙"
