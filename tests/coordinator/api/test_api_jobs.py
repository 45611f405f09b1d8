"""Jobs over HTTP: from the upload to the end, and everything that is wrong with a request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from coordinator.api.uploads import FIELD_BYTES_MAX, FIELDS_MAX
from tests.fakes.fake_artifacts import FakeStaged
from tests.fakes.served_farm import TOKEN, UPLOAD_BYTES_MAX, ServedFarm

GCODE = b"G28\nG1 X10 E1\n"


def form(
    *, file: bytes | None = GCODE, file_name: str = "part.gcode", after: bool = False, **fields: str
) -> aiohttp.FormData:
    """A form with the file first or last."""
    made = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
    if file is not None and not after:
        made.add_field("file", file, filename=file_name)
    for key, value in fields.items():
        made.add_field(key, value)
    if file is not None and after:
        made.add_field("file", file, filename=file_name)
    return made


async def submitted(session: aiohttp.ClientSession, **given: str) -> dict:
    async with session.post("/api/v1/jobs", data=form(**given)) as response:
        assert response.status == 201, await response.text()
        return await response.json()


@pytest.mark.parametrize("after", [False, True])
async def test_an_upload_becomes_a_job_wherever_the_file_stands_in_the_form(
    farm: ServedFarm, session: aiohttp.ClientSession, after: bool
) -> None:
    data = form(after=after, copies="3", material="PLA", priority="-2", name="Bracket")
    async with session.post("/api/v1/jobs", data=data) as response:
        job = await response.json()
        assert response.status == 201
        assert response.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    assert (job["name"], job["copies"], job["material"], job["priority"], job["state"]) == (
        "Bracket", 3, "PLA", -2, "ready",
    )  # fmt: skip
    assert farm.artifacts.kept[job["plates"][0]["sha256"]] == GCODE
    assert not farm.artifacts.left_behind
    async with session.get(f"/api/v1/jobs/{job['id']}") as response:
        assert await response.json() == job


async def test_settings_reach_the_job_as_they_are(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    settings = '{"layer_height": 0.2, "brim": true, "perimeters": 3, "note": "x"}'
    job = await submitted(session, settings=settings)
    assert job["settings"] == {"layer_height": 0.2, "brim": True, "perimeters": 3, "note": "x"}


async def test_a_refused_file_leaves_nothing_behind(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    for name, content, code in (
        ("part.gcode", b"", "empty_file"),
        ("part.txt", b"G28", "unknown_file_type"),
        ("part.gcode", b"\x00\x01", "not_gcode"),
        ("part.stl", b"no model", "model_unsupported"),
    ):
        async with session.post(
            "/api/v1/jobs", data=form(file=content, file_name=name)
        ) as response:
            assert response.status == 422, name
            assert (await response.json())["code"] == code
    assert not farm.artifacts.left_behind
    assert not farm.artifacts.kept
    assert not farm.store.tables.jobs


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"copies": "many"}, "/copies"),
        ({"copies": "0"}, "/copies"),
        ({"copies": "1e99"}, "/copies"),
        ({"priority": "10000"}, "/priority"),
        ({"settings": "{"}, "/settings"),
        ({"settings": '{"a": {"b": 1}}'}, "/settings/a/bool"),
        ({"colour": "red"}, "/colour"),
        ({"material": "x" * 100}, "/material"),
        ({"printer_id": "nobody"}, "/printer_id"),
    ],
)
async def test_a_wrong_field_is_named_with_a_pointer(
    session: aiohttp.ClientSession, fields: dict[str, str], pointer: str
) -> None:
    async with session.post("/api/v1/jobs", data=form(**fields)) as response:
        problem = await response.json(content_type="application/problem+json")
    assert response.status == problem["status"] == 422
    assert problem["errors"][0]["pointer"] == pointer
    assert problem["detail"]


async def test_a_file_above_the_limit_is_refused_whether_or_not_its_length_was_declared(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    too_long = b";" * (UPLOAD_BYTES_MAX + 1)

    async def slowly() -> aiohttp.FormData:
        made = aiohttp.FormData()

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(too_long), 100_000):
                yield too_long[start : start + 100_000]
                await asyncio.sleep(0)

        made.add_field("file", chunks(), filename="part.gcode")
        return made

    for data in (form(file=too_long), await slowly()):
        async with session.post("/api/v1/jobs", data=data) as response:
            assert response.status == 413
            assert (await response.json())["code"] == "too_large"
    assert not farm.artifacts.left_behind


async def test_a_file_of_just_the_limit_is_taken(session: aiohttp.ClientSession) -> None:
    content = GCODE + b";" * (UPLOAD_BYTES_MAX - len(GCODE))
    async with session.post("/api/v1/jobs", data=form(file=content)) as response:
        assert response.status == 201


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (form(file=None, copies="1"), 422, "no_file"),
        (form(material="x" * (FIELD_BYTES_MAX + 1)), 413, "field_too_large"),
        (form(**{f"f{number}": "" for number in range(FIELDS_MAX + 1)}), 413, "too_many_fields"),
        ({"copies": "1"}, 415, "not_a_form"),
        (b"nothing", 415, "not_a_form"),
    ],
)
async def test_a_form_that_is_none_of_ours_is_refused(
    session: aiohttp.ClientSession, data: object, status: int, code: str
) -> None:
    async with session.post("/api/v1/jobs", data=data) as response:
        assert response.status == status
        assert (await response.json())["code"] == code


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x\r\n",
        b"--x\r\nContent-Disposition: form-data; name=file; filename=a.gcode\r\n\r\nG28",
        b"--x\r\nno header\r\n\r\nG28\r\n--x--\r\n",
        b"--x\r\nContent-Disposition: form-data\r\n\r\nG28\r\n--x--\r\n",
        b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\xfe\r\n--x--\r\n',
    ],
)
async def test_a_broken_form_is_the_callers_fault_and_leaves_nothing(
    farm: ServedFarm, session: aiohttp.ClientSession, body: bytes
) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    async with session.post("/api/v1/jobs", data=body, headers=headers) as response:
        assert 400 <= response.status < 500, await response.text()
        assert response.content_type == "application/problem+json"
    assert not farm.artifacts.left_behind
    assert not farm.store.tables.jobs


async def test_a_compressed_file_is_not_unpacked(session: aiohttp.ClientSession) -> None:
    body = (
        b"--x\r\nContent-Disposition: form-data; name=file; filename=a.gcode\r\n"
        b"Content-Encoding: gzip\r\n\r\nG28\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    async with session.post("/api/v1/jobs", data=body, headers=headers) as response:
        assert response.status == 415
        assert (await response.json())["code"] == "compressed"


@pytest.mark.parametrize("name", ["../../../etc/cron.d/x.gcode", "C:\\temp\\x.gcode"])
async def test_a_name_with_folders_loses_them(session: aiohttp.ClientSession, name: str) -> None:
    async with session.post("/api/v1/jobs", data=form(file_name=name)) as response:
        job = await response.json()
    assert job["name"] == "x.gcode"
    async with session.get(job["plates"][0]["url"]) as response:
        assert 'filename="x.gcode"' in response.headers["Content-Disposition"]


async def test_an_upload_that_breaks_off_leaves_nothing(
    farm: ServedFarm, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    stage = farm.artifacts.stage

    @asynccontextmanager
    async def watched(suffix: str = "") -> AsyncIterator[FakeStaged]:
        try:
            async with stage(suffix) as staged:
                begun.set()
                yield staged
        finally:
            ended.set()

    monkeypatch.setattr(farm.artifacts, "stage", watched)
    url = session._build_url("/")
    _, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n"
        b"Authorization: Bearer " + TOKEN.encode() + b"\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        b"--x\r\nContent-Disposition: form-data; name=file; filename=a.gcode\r\n\r\nG28\n"
    )
    async with asyncio.timeout(5):
        await begun.wait()
        writer.close()
        await ended.wait()
    assert not farm.artifacts.left_behind
    assert not farm.store.tables.jobs


async def test_a_job_is_paused_resumed_and_cancelled(session: aiohttp.ClientSession) -> None:
    job = await submitted(session)
    for verb, held, state in (
        ("pause", True, "ready"),
        ("resume", False, "ready"),
        ("cancel", False, "cancelled"),
    ):
        async with session.post(f"/api/v1/jobs/{job['id']}/{verb}") as response:
            changed = await response.json()
            assert response.status == 200
        assert (changed["held"], changed["state"]) == (held, state)
    async with session.post(f"/api/v1/jobs/{job['id']}/cancel") as response:
        assert response.status == 409
        assert (await response.json())["code"] == "job_ended"


async def test_what_is_done_to_a_job_is_remembered_with_who_did_it(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await submitted(session)
    assert {line.actor for line in farm.store.tables.lines} == {"user:admin"}


async def test_jobs_are_listed_in_order_and_by_state(session: aiohttp.ClientSession) -> None:
    first, second = await submitted(session, name="first"), await submitted(session, name="second")
    async with session.post(f"/api/v1/jobs/{first['id']}/cancel"):
        pass
    for query, names in (
        ("", ["first", "second"]),
        ("?state=ready", [second["name"]]),
        ("?state=ready&state=cancelled", ["first", "second"]),
        ("?state=lost", []),
    ):
        async with session.get(f"/api/v1/jobs{query}") as response:
            assert [job["name"] for job in (await response.json())["items"]] == names
    async with session.get("/api/v1/jobs?state=happy") as response:
        assert response.status == 422
        assert "printing" in (await response.json())["detail"]


async def test_a_job_tells_why_it_waits(farm: ServedFarm, session: aiohttp.ClientSession) -> None:
    job = await submitted(session)
    await farm.printers_arrive("p-1")
    async with session.get(f"/api/v1/jobs/{job['id']}/why") as response:
        waits = (await response.json())["items"]
    assert [wait["printer_id"] for wait in waits] == ["p-1"]
    assert "bed" in waits[0]["words"]


async def test_a_job_that_is_not_there_is_a_problem_with_a_code(
    session: aiohttp.ClientSession,
) -> None:
    for method, path in (("GET", "jobs/x"), ("GET", "jobs/x/why"), ("POST", "jobs/x/cancel")):
        async with session.request(method, f"/api/v1/{path}") as response:
            assert response.status == 404
            assert (await response.json())["code"] == "unknown_job"
