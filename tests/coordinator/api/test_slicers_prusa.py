"""PrusaSlicer with a host of type PrusaLink, Prusa Connect or Moonraker sends to the farm."""

import asyncio
import json
from datetime import UTC, datetime

import aiohttp
import pytest
import requests
from requests.auth import HTTPDigestAuth

from coordinator.api import digest
from coordinator.domain.jobs import Job
from protocols.gcode.rules import Finding, Severity
from tests.fakes.served_farm import TOKEN, ServedFarm
from tests.fakes.slicer_bytes import curl_get, curl_post, send

GCODE = b"G28\nG1 X10 E1\n"
NAME = "Shape-Box_0.2mm_PLA_MK4_1h2m.gcode"


@pytest.fixture
async def port(farm: ServedFarm, session: aiohttp.ClientSession) -> int:
    await farm.printers_arrive("mk4-07")
    found = session._build_url("/").port
    assert found is not None
    return found


def jobs(farm: ServedFarm) -> list[Job]:
    return list(farm.store.tables.jobs.values())


def put(path: str, content: bytes, extra: str, key: str = f"X-Api-Key: {TOKEN}\r\n") -> bytes:
    head = (
        f"PUT {path} HTTP/1.1\r\nHost: farm.local:8150\r\nUser-Agent: PrusaSlicer/2.9.4\r\n"
        f"Accept: */*\r\n{key}{extra}Content-Type: text/x.gcode\r\nOverwrite: ?1\r\n"
        f"Content-Length: {len(content)}\r\nExpect: 100-continue\r\n\r\n"
    )
    return head.encode() + content


@pytest.mark.parametrize(
    ("folder", "extra", "held"),
    [("", "Print-After-Upload: ?1\r\n", False), ("a/b/", "", True)],
)
async def test_prusalink_is_asked_for_its_storage_and_given_the_file_by_put(
    farm: ServedFarm, port: int, folder: str, extra: str, held: bool
) -> None:
    base = "/prusalink/farm"
    version = json.loads((await send(port, curl_get(f"{base}/api/version"))).body)
    assert version["text"].startswith("PrusaLink")
    assert version["capabilities"] == {"upload-by-put": True}
    storages = json.loads((await send(port, curl_get(f"{base}/api/v1/storage"))).body)
    assert next(iter(storages)) == "storage_list"  # the only key that PrusaSlicer looks at
    (storage,) = storages["storage_list"]
    assert (storage["read_only"], storage["available"]) == (False, True)
    path = f"{base}/api/v1/files{storage['path']}/{folder}Shape%20Box.gcode"
    heard = await send(port, put(path, GCODE, extra))
    assert heard.status == 201, heard.text
    (job,) = jobs(farm)
    assert (job.name, job.held) == ("Shape Box.gcode", held)
    assert list(farm.artifacts.kept.values()) == [GCODE]


async def test_an_older_prusaslicer_posts_to_prusalink(farm: ServedFarm, port: int) -> None:
    fields = {"print": "true", "path": ""}
    heard = await send(port, curl_post("/prusalink/farm/api/files/local", fields, GCODE))
    assert heard.status == 201
    assert [job.held for job in jobs(farm)] == [False]


async def test_a_put_that_is_too_long_or_elsewhere_is_refused_in_plain_text(
    farm: ServedFarm, port: int
) -> None:
    path = "/prusalink/farm/api/v1/files/local/x.gcode"
    heard = await send(port, put(path, b";" * 1_000_001, ""))
    assert (heard.status, heard.headers["Content-Type"]) == (413, "text/plain")
    heard = await send(port, put(path.replace("local", "usb"), GCODE, ""))
    assert (heard.status, heard.text) == (404, "There is one storage here, /local.")
    heard = await send(port, put(path.replace("x.gcode", "x.ufp"), GCODE, ""))
    assert heard.status == 422
    heard = await send(port, put(path, GCODE, "Content-Encoding: gzip\r\n"))
    assert 400 <= heard.status < 500
    assert not jobs(farm)
    assert not farm.artifacts.left_behind


async def test_a_name_and_the_token_as_password_open_prusalink(farm: ServedFarm, port: int) -> None:
    url = f"http://127.0.0.1:{port}/prusalink/farm/api"

    def talk(password: str) -> list[int]:
        auth = HTTPDigestAuth("maker", password)
        headers = {"Print-After-Upload": "?1", "Overwrite": "?1"}
        return [
            requests.get(f"{url}/version", auth=auth, timeout=10).status_code,
            requests.put(
                f"{url}/v1/files/local/a b.gcode",
                data=GCODE,
                auth=auth,
                headers=headers,
                timeout=10,
            ).status_code,
        ]

    assert await asyncio.to_thread(talk, TOKEN) == [200, 201]
    assert await asyncio.to_thread(talk, TOKEN + "x") == [401, 401]
    assert [job.name for job in jobs(farm)] == ["a b.gcode"]


async def test_a_password_is_asked_for_at_prusalink_only(port: int) -> None:
    for path, scheme in (("/prusalink/farm", "Digest"), ("/octoprint/farm", "Bearer")):
        heard = await send(port, curl_get(f"{path}/api/version", key=""))
        assert heard.status == 401
        assert heard.headers["WWW-Authenticate"].startswith(scheme)


def answer(**changed: str) -> str:
    """What Python's `requests` answers to a challenge of second 1000, with some of it changed."""
    auth = HTTPDigestAuth("maker", "secret")
    auth.init_per_thread_state()
    _, _, rest = digest.challenge("secret", 1000.0).partition(" ")
    auth._thread_local.chal = dict(
        part.strip().replace('"', "").split("=", 1) for part in rest.split(",")
    )
    said = auth.build_digest_header("GET", "http://farm/prusalink/farm/api/version")
    for old, new in changed.items():
        said = said.replace(old, new)
    return said


@pytest.mark.parametrize(
    ("authorization", "method", "uri", "password", "now_s", "proven"),
    [
        (answer(), "GET", "/prusalink/farm/api/version", "secret", 1000.0, True),
        (answer(), "GET", "/prusalink/farm/api/version", "secret", 1300.0, True),
        (answer(), "GET", "/prusalink/farm/api/version", "secret", 1301.0, False),
        (answer(), "GET", "/prusalink/farm/api/version", "secret", 999.0, False),
        (answer(), "GET", "/prusalink/farm/api/version", "other", 1000.0, False),
        (answer(), "PUT", "/prusalink/farm/api/version", "secret", 1000.0, False),
        (answer(), "GET", "/prusalink/farm/api/v1/storage", "secret", 1000.0, False),
        (answer(maker="other"), "GET", "/prusalink/farm/api/version", "secret", 1000.0, False),
        ("Digest", "GET", "/prusalink/farm/api/version", "secret", 1000.0, False),
        ("Digest nonsense", "GET", "/prusalink/farm/api/version", "secret", 1000.0, False),
        ("Bearer secret", "GET", "/prusalink/farm/api/version", "secret", 1000.0, False),
    ],
)
def test_a_digest_proves_the_password_for_one_request_and_a_short_time(
    authorization: str, method: str, uri: str, password: str, now_s: float, proven: bool
) -> None:
    assert (
        digest.proves(authorization, method=method, uri=uri, password=password, now_s=now_s)
        is proven
    )


@pytest.mark.parametrize("wish", ["to_queue", "to_print"])
async def test_prusa_connect_is_told_in_words_what_becomes_of_it(
    farm: ServedFarm, session: aiohttp.ClientSession, port: int, wish: str
) -> None:
    async with session.post("/api/v1/printers/mk4-07/clear") as response:
        assert response.status == 200
    base = "/prusaconnect/farm"
    version = json.loads((await send(port, curl_get(f"{base}/api/version"))).body)
    assert version["text"].startswith("PrusaLink")
    assert version["capabilities"] == {"upload-by-put": False}  # PUT knows no queue
    fields = {wish: "True", "path": ""}
    extra = "Accept-Language: en\r\n"
    data = curl_post(f"{base}/api/files/local", fields, GCODE, extra=extra)
    first, second = await send(port, data), await send(port, data)
    assert (first.status, first.headers["Content-Type"]) == (200, "text/plain")
    assert first.text == f"{NAME} is queued as number 1, starts now on MK4-07"
    # The first takes 120 s by its slicer, and then somebody has to clear the bed: 300 s.
    starts = farm.clock.now().astimezone().timestamp() + 420
    assert second.text.startswith(f"{NAME} is queued as number 2, starts about ")
    assert second.text.endswith(" on MK4-07")
    assert _clock(starts) in second.text
    assert [job.held for job in jobs(farm)] == [False, False]


def _clock(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).astimezone().strftime("%H:%M")


async def test_prusa_connect_hears_that_a_mere_upload_is_kept(farm: ServedFarm, port: int) -> None:
    data = curl_post("/prusaconnect/farm/api/files/local", {"path": ""}, GCODE)
    heard = await send(port, data)
    (job,) = jobs(farm)
    assert job.held
    assert heard.status == 200
    assert heard.text.endswith(f"farmhand job resume {job.job_id}")


async def test_prusa_connect_warns_where_nobody_can_tell_the_time_or_something_is_odd(
    farm: ServedFarm, session: aiohttp.ClientSession, port: int
) -> None:
    data = curl_post("/prusaconnect/farm/api/files/local", {"to_queue": "True"}, GCODE)
    await farm.agent_leaves()
    heard = await send(port, data)
    assert heard.status == 202
    assert "queued as number 1; nobody can tell when it starts" in heard.text
    farm.slicer.findings["farmhand-220"] = (Finding(3, "long", Severity.WARN, "it is odd"),)
    heard = await send(port, data)
    assert (heard.status, heard.text.endswith(". line 3: it is odd")) == (202, True)


@pytest.mark.parametrize(("fields", "held"), [({"print": "true"}, False), ({}, True)])
async def test_moonraker_is_asked_for_its_version_and_given_the_file(
    farm: ServedFarm, port: int, fields: dict[str, str], held: bool
) -> None:
    info = json.loads((await send(port, curl_get("/moonraker/farm/server/info"))).body)
    assert next(iter(info)) == "result"
    assert info["result"]["moonraker_version"]
    fields = {"root": "gcodes", **fields}
    heard = await send(port, curl_post("/moonraker/farm/server/files/upload", fields, GCODE))
    assert heard.status == 201
    assert json.loads(heard.body)["print_queued"] is not held
    (job,) = jobs(farm)
    assert (job.name, job.held) == (NAME, held)
    heard = await send(port, curl_get("/moonraker/farm/server/info", key="wrong"))
    assert (heard.status, heard.headers["Content-Type"]) == (401, "text/plain")
