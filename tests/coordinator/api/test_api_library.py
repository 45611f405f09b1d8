"""Projects, models and versions over HTTP."""

from typing import Any

import aiohttp
import pytest

from coordinator.domain.access import Role
from tests.coordinator.api.test_api_jobs import form
from tests.coordinator.api.test_api_users import add
from tests.fakes.fake_farm import MODEL
from tests.fakes.served_farm import ServedFarm


async def ask(
    session: aiohttp.ClientSession, method: str, path: str, said: Any = None, **headers: str
) -> tuple[int, Any]:
    """Return status and document; a form is sent as one, anything else as JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"data": said} if isinstance(said, aiohttp.FormData) else {"json": said}
    async with session.request(method, f"/api/v1/{path}", headers=named, **sent) as response:
        return response.status, await response.json(content_type=None)


def stl(data: bytes = MODEL, **fields: str) -> aiohttp.FormData:
    return form(file=data, file_name="cube.stl", **fields)


async def test_spaces_around_a_name_are_taken_off_but_make_it_no_longer_than_it_may_be(
    session: aiohttp.ClientSession,
) -> None:
    longest = "x" * 120
    status, project = await ask(session, "POST", "projects", {"name": longest})
    assert (status, project["name"]) == (201, longest)
    for wrong in (f" {longest}", "   "):
        status, problem = await ask(session, "POST", "projects", {"name": wrong})
        assert (status, problem["errors"][0]["pointer"]) == (422, "/name")


async def test_a_model_is_made_gets_versions_and_gives_them_back(
    session: aiohttp.ClientSession,
) -> None:
    _, project = await ask(session, "POST", "projects", {"name": " Rover "})
    wanted = {"name": "Cube", "project_id": project["id"], "tags": ["Spare", "spare "]}
    status, model = await ask(session, "POST", "models", wanted)
    assert (status, project["name"], model["tags"]) == (201, "Rover", ["spare"])
    assert (model["latest"], model["newest"]) == (0, None)
    path = f"models/{model['id']}/versions"
    said = stl(note="first", author="Bert", licence="CC0", source_url="https://example.org/cube")
    status, version = await ask(session, "POST", path, said)
    assert (status, version["number"], version["note"]) == (201, 1, "first")
    assert (version["size_mm"], version["triangles"]) == ([20.0, 20.0, 20.0], 12)
    origin = version["origin"]
    assert (origin["kind"], origin["author"], origin["licence"]) == ("upload", "Bert", "CC0")
    await ask(session, "POST", path, stl(MODEL + b"two\n"))
    _, listed = await ask(session, "GET", path)
    assert [each["number"] for each in listed["items"]] == [1, 2]
    _, shown = await ask(session, "GET", f"models/{model['id']}")
    assert shown["newest"] == listed["items"][1]
    assert await ask(session, "GET", f"{path}/latest") == (200, listed["items"][1])
    async with session.get(version["url"]) as response:
        assert await response.read() == MODEL
        assert "cube.stl" in response.headers["Content-Disposition"]
    for wrong in ("3", "x", "9999999999999"):
        status, problem = await ask(session, "GET", f"{path}/{wrong}")
        assert (status, problem["code"]) == (404, "unknown_version")
    _, about = await ask(session, "GET", "events")
    assert "version.added" in [event["name"] for event in about["items"]]


async def test_lists_are_narrowed_and_come_in_pages(session: aiohttp.ClientSession) -> None:
    _, project = await ask(session, "POST", "projects", {"name": "Rover"})
    for name in ("Hub", "Cap", "Hub 2"):
        said = {"name": name, "tags": [name.lower()], "project_id": project["id"]}
        await ask(session, "POST", "models", said)
    _, page = await ask(session, "GET", "models?text=hub&limit=1")
    assert ([each["name"] for each in page["items"]], page["total"]) == (["Hub"], 2)
    _, page = await ask(session, "GET", f"models?text=hub&limit=1&cursor={page['next']}")
    assert ([each["name"] for each in page["items"]], page["next"]) == (["Hub 2"], None)
    _, page = await ask(session, "GET", f"models?project_id={project['id']}&tag=CAP")
    assert [each["name"] for each in page["items"]] == ["Cap"]
    _, page = await ask(session, "GET", "projects?text=rov&owner=user:admin&limit=1")
    assert (page["items"], page["next"], page["total"]) == ([project], None, 1)
    for cursor in ("nonsense", "e30"):
        for path in ("models", "projects"):
            status, problem = await ask(session, "GET", f"{path}?cursor={cursor}")
            assert (status, problem["code"]) == (422, "invalid_query")


async def test_a_change_heeds_if_match_and_leaves_what_is_not_said(
    session: aiohttp.ClientSession,
) -> None:
    _, project = await ask(session, "POST", "projects", {"name": "Rover", "description": "d"})
    _, model = await ask(session, "POST", "models", {"name": "Hub", "project_id": project["id"]})
    for path, name in ((f"projects/{project['id']}", "Boat"), (f"models/{model['id']}", "Cap")):
        async with session.get(f"/api/v1/{path}") as response:
            tag = response.headers["ETag"]
        status, changed = await ask(session, "PATCH", path, {"name": name}, If_Match=tag)
        assert (status, changed["name"], changed["version"]) == (200, name, 1)
        status, problem = await ask(session, "PATCH", path, {"name": "x"}, If_Match=tag)
        assert (status, problem["code"]) == (412, "changed_meanwhile")
    _, gone = await ask(session, "PATCH", f"models/{model['id']}", {"archived": True})
    assert (gone["archived"], gone["project_id"]) == (True, project["id"])
    assert (await ask(session, "GET", "models"))[1]["items"] == []
    assert (await ask(session, "GET", "models?archived=true"))[1]["items"] == [gone]
    _, lone = await ask(session, "PATCH", f"models/{model['id']}", {"project_id": ""})
    assert lone["project_id"] is None


async def test_the_same_key_makes_one_thing(session: aiohttp.ClientSession) -> None:
    key = {"Idempotency_Key": "one"}
    first = await ask(session, "POST", "models", {"name": "Hub"}, **key)
    assert await ask(session, "POST", "models", {"name": "Hub"}, **key) == first
    path = f"models/{first[1]['id']}/versions"
    version = await ask(session, "POST", path, stl(), **key)
    assert await ask(session, "POST", path, stl(), **key) == version
    assert (await ask(session, "GET", "models"))[1]["total"] == 1
    assert len((await ask(session, "GET", path))[1]["items"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "said", "status", "code"),
    [
        ("POST", "models", {"name": ""}, 422, "invalid_fields"),
        ("POST", "models", {"name": "a", "project_id": "p"}, 422, "unknown_project"),
        ("POST", "models", {"name": "a", "tags": ["x" * 65]}, 422, "tags_out_of_range"),
        ("POST", "projects", {"name": "a", "color": "b"}, 422, "invalid_fields"),
        ("GET", "projects/p", None, 404, "unknown_project"),
        ("PATCH", "projects/p", {}, 404, "unknown_project"),
        ("GET", "models/m", None, 404, "unknown_model"),
        ("PATCH", "models/m", {}, 404, "unknown_model"),
        ("GET", "models/m/versions", None, 404, "unknown_model"),
        ("POST", "models/m/versions", stl, 404, "unknown_model"),
        ("POST", "models/m/versions", lambda: stl(color="red"), 422, "invalid_fields"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    session: aiohttp.ClientSession, method: str, path: str, said: Any, status: int, code: str
) -> None:
    answered = await ask(session, method, path, said() if callable(said) else said)
    assert (answered[0], answered[1]["code"]) == (status, code)


async def test_a_submitter_changes_only_what_is_theirs(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    anna = {"Authorization": f"Bearer {await add(farm, 'anna', Role.SUBMITTER)}"}
    viewer = {"Authorization": f"Bearer {await add(farm, 'vera', Role.VIEWER)}"}
    _, mine = await ask(session, "POST", "models", {"name": "Hub"}, **anna)
    _, other = await ask(session, "POST", "models", {"name": "Cap"})
    _, project = await ask(session, "POST", "projects", {"name": "Rover"})
    assert mine["owner"] == "user:anna"
    status, _ = await ask(session, "PATCH", f"models/{mine['id']}", {"name": "H"}, **anna)
    assert status == 200
    for method, path, said, code in (
        ("PATCH", f"models/{other['id']}", {"name": "H"}, "not_your_model"),
        ("POST", f"models/{other['id']}/versions", stl(), "not_your_model"),
        ("PATCH", f"projects/{project['id']}", {"name": "H"}, "not_your_project"),
    ):
        status, problem = await ask(session, method, path, said, **anna)
        assert (status, problem["code"]) == (403, code)
    status, _ = await ask(session, "PATCH", f"models/{mine['id']}", {"name": "H"})
    assert status == 200  # an operator may
    assert (await ask(session, "POST", "models", {"name": "a"}, **viewer))[0] == 403
    assert (await ask(session, "GET", "models", **viewer))[0] == 200
