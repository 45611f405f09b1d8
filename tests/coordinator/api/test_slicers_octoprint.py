"""PrusaSlicer, OrcaSlicer and Cura send to the farm as to an OctoPrint, with their own bytes."""

import json
from dataclasses import replace

import aiohttp
import pytest

from coordinator.domain.jobs import Job
from coordinator.usecases.absorbing import absorb
from protocols.gcode.rules import Finding, Severity
from protocols.wire.vocabulary import PrinterId
from tests.fakes.served_farm import TOKEN, UPLOAD_BYTES_MAX, ServedFarm
from tests.fakes.slicer_bytes import Heard, cura_request, cura_upload, curl_get, curl_post, send

GCODE = b"G28\nG1 X10 E1\n; printer_model = MK4\n"
UNSAID = b"G28\nG1 X10 E1\n"
FLAGS = {
    "error", "closedOrError", "paused", "pausing", "printing", "cancelling", "ready", "operational",
}  # fmt: skip
PRINTS, KEEPS = {"print": "true", "path": ""}, {"print": "false", "path": ""}


@pytest.fixture
async def port(farm: ServedFarm, session: aiohttp.ClientSession) -> int:
    """Where a farm listens that has an MK4 and an XL."""
    await farm.printers_arrive("mk4-07", "xl-01")
    kinds = {"mk4-07": "prusa-mk4", "xl-01": "prusa-xl"}
    described = tuple(
        replace(each, printer_class=kinds[each.printer_id]) for each in farm.presence.printers
    )
    farm.presence = replace(farm.presence, printers=described)
    await absorb(farm.farm, farm.presence)
    found = session._build_url("/").port
    assert found is not None
    return found


def the_job(farm: ServedFarm) -> Job:
    (job,) = farm.store.tables.jobs.values()
    return job


def told(heard: Heard) -> dict:
    assert heard.headers["Content-Type"].startswith("application/json"), heard.text
    return json.loads(heard.body)


@pytest.mark.parametrize("base", ["", "/octoprint", "/octoprint/farm", "/octoprint/prusa-mk4"])
@pytest.mark.parametrize("agent", ["PrusaSlicer/2.9.4", "OrcaSlicer/2.3.0"])
async def test_prusaslicer_and_orcaslicer_test_the_connection_and_order_a_copy(
    farm: ServedFarm, port: int, base: str, agent: str
) -> None:
    version = told(await send(port, curl_get(f"{base}/api/version", agent=agent)))
    assert version["api"]
    assert version["text"].startswith("OctoPrint")
    heard = await send(port, curl_post(f"{base}/api/files/local", PRINTS, GCODE))
    assert heard.status == 201
    assert told(heard)["done"] is True
    assert told(heard)["effectivePrint"] is True
    job = the_job(farm)
    assert (job.name, job.copies, job.held) == ("Shape-Box_0.2mm_PLA_MK4_1h2m.gcode", 1, False)
    assert farm.slicer.verified == ["prusa-mk4"]
    assert job.printer_class == ("prusa-mk4" if base.endswith("prusa-mk4") else "")
    assert {line.actor for line in farm.store.tables.lines if line.subject == "job"} == {
        "user:admin"
    }


async def test_what_is_sent_without_print_is_kept_until_somebody_says_so(
    farm: ServedFarm, port: int
) -> None:
    heard = await send(port, curl_post("/octoprint/farm/api/files/local", KEEPS, GCODE))
    assert told(heard)["effectivePrint"] is False
    assert the_job(farm).held
    path = told(heard)["files"]["local"]["refs"]["resource"].partition(":8150")[2]
    command = json.dumps({"command": "select", "print": False}).encode()
    assert (await send(port, cura_request("POST", path, command))).status == 204
    assert the_job(farm).held
    command = json.dumps({"command": "select", "print": True}).encode()
    assert (await send(port, cura_request("POST", path, command))).status == 204
    assert not the_job(farm).held
    assert (await send(port, cura_request("POST", path, command))).status == 204


async def test_what_is_sent_to_a_printer_goes_to_this_one(farm: ServedFarm, port: int) -> None:
    heard = await send(port, curl_post("/octoprint/xl-01/api/files/local", PRINTS, UNSAID))
    assert heard.status == 201
    assert the_job(farm).printer_id == PrinterId("xl-01")
    assert farm.slicer.verified == ["prusa-xl"]


async def test_gcode_of_which_nobody_says_for_what_it_is_is_refused_by_the_farm_only(
    farm: ServedFarm, port: int
) -> None:
    heard = await send(port, curl_post("/octoprint/farm/api/files/local", PRINTS, UNSAID))
    assert heard.status == 422
    assert "does not say for which printers" in heard.text
    assert not farm.artifacts.kept
    heard = await send(port, curl_post("/octoprint/prusa-xl/api/files/local", PRINTS, UNSAID))
    assert heard.status == 201


async def test_a_refusal_is_plain_text_with_line_and_reason(farm: ServedFarm, port: int) -> None:
    hot = Finding(12, "temperature", Severity.REFUSE, "it heats the nozzle to 400 °C")
    farm.slicer.findings["prusa-mk4"] = (hot,)
    heard = await send(port, curl_post("/octoprint/farm/api/files/local", PRINTS, GCODE))
    assert (heard.status, heard.headers["Content-Type"]) == (422, "text/plain")
    assert "line 12: it heats the nozzle to 400 °C" in heard.text
    assert not farm.store.tables.jobs


@pytest.mark.parametrize(
    ("path", "key", "status", "words"),
    [
        ("/octoprint/farm/api/version", "", 401, "X-Api-Key"),
        ("/octoprint/farm/api/version", TOKEN + "x", 401, "X-Api-Key"),
        ("/api/version", "", 401, "X-Api-Key"),
        ("/octoprint/mk3/api/version", TOKEN, 404, "farm, prusa-mk4, prusa-xl"),
        ("/octoprint/farm/api/files/local/nothing.gcode", TOKEN, 404, "nothing.gcode"),
        ("/octoprint/farm/api/nothing", TOKEN, 404, "nothing at this address"),
    ],
)
async def test_whatever_is_wrong_is_said_in_plain_text(
    port: int, path: str, key: str, status: int, words: str
) -> None:
    heard = await send(port, curl_get(path, key=key))
    assert (heard.status, heard.headers["Content-Type"]) == (status, "text/plain")
    assert words in heard.text


async def test_a_file_above_the_limit_is_refused_in_plain_text(farm: ServedFarm, port: int) -> None:
    long = b";" * (UPLOAD_BYTES_MAX + 1)
    heard = await send(port, curl_post("/octoprint/farm/api/files/local", PRINTS, long))
    assert (heard.status, heard.headers["Content-Type"]) == (413, "text/plain")
    assert "upload_bytes_max" in heard.text
    assert not farm.artifacts.left_behind


@pytest.mark.parametrize("base", ["/octoprint/farm", "/octoprint/xl-01"])
async def test_cura_looks_around_and_sends_a_plate(farm: ServedFarm, port: int, base: str) -> None:
    settings = told(await send(port, cura_request("GET", f"{base}/api/settings")))
    assert settings["feature"]["sdSupport"] is False
    assert "streamUrl" in settings["webcam"]
    assert settings["plugins"] == {}
    assert told(await send(port, cura_request("GET", f"{base}/api/version")))["server"]
    login = cura_request("POST", f"{base}/api/login", b'{"passive": true}')
    assert told(await send(port, login))["name"] == "admin"
    profiles = told(await send(port, cura_request("GET", f"{base}/api/printerprofiles")))
    assert [each["current"] for each in profiles["profiles"].values()] == [True]
    printer = told(await send(port, cura_request("GET", f"{base}/api/printer")))
    assert printer["state"]["flags"].keys() >= FLAGS
    assert printer["state"]["flags"]["ready"] is True
    job = told(await send(port, cura_request("GET", f"{base}/api/job")))
    assert (job["state"], job["progress"]["completion"]) == ("Operational", None)
    heard = await send(port, cura_upload(f"{base}/api/files/local", GCODE))
    assert heard.status == 201
    location = heard.headers["Location"]
    assert location.startswith(f"http://farm.local:8150{base}/api/files/local/")
    # This is how the plugin makes out where its file is.
    end_point = location.split("api/", 1)[1]
    found = told(await send(port, cura_request("GET", f"{base}/api/{end_point}")))
    assert found["name"] == "part.gcode"
    assert not the_job(farm).held


async def test_a_printer_shows_its_temperatures_and_a_queue_has_none(port: int) -> None:
    printer = told(await send(port, cura_request("GET", "/octoprint/xl-01/api/printer")))
    assert printer["temperature"]["tool0"] == {"actual": 21.5, "target": 0.0, "offset": 0}
    queue = told(await send(port, cura_request("GET", "/octoprint/farm/api/printer")))
    assert queue["temperature"] == {}


async def test_a_printer_that_is_gone_is_not_operational_but_takes_orders(
    farm: ServedFarm, port: int
) -> None:
    await farm.agent_leaves()
    heard = await send(port, cura_request("GET", "/octoprint/xl-01/api/printer"))
    assert (heard.status, heard.headers["Content-Type"]) == (409, "text/plain")
    job = told(await send(port, cura_request("GET", "/octoprint/xl-01/api/job")))
    assert job["state"] == "Offline"
    heard = await send(port, cura_request("GET", "/octoprint/farm/api/printer"))
    assert told(heard)["state"]["flags"]["operational"] is True
    heard = await send(port, cura_upload("/octoprint/xl-01/api/files/local", GCODE))
    assert heard.status == 201


@pytest.mark.parametrize(("method", "what"), [("GET", "probe"), ("POST", "request")])
async def test_cura_hears_that_no_keys_are_given_out(port: int, method: str, what: str) -> None:
    path = f"/octoprint/farm/plugin/appkeys/{what}"
    heard = await send(port, cura_request(method, path, b"", key=""))
    assert (heard.status, heard.headers["Content-Type"]) == (404, "text/plain")


async def test_userdata_stays_with_the_file_and_in_the_history(
    farm: ServedFarm, session: aiohttp.ClientSession, port: int
) -> None:
    fields = {**PRINTS, "userdata": '{"order": "A-17"}'}
    heard = await send(port, curl_post("/octoprint/farm/api/files/local", fields, GCODE))
    assert told(heard)["files"]["local"]["userdata"] == {"order": "A-17"}
    async with session.get("/api/v1/events", params={"job": the_job(farm).job_id}) as response:
        events = (await response.json())["items"]
    assert '{"order": "A-17"}' in [event["facts"].get("userdata") for event in events]


@pytest.mark.parametrize("userdata", ["{", "[1]", '{"a": "' + "x" * 5000 + '"}'])
async def test_userdata_that_is_no_object_or_too_long_is_refused(
    farm: ServedFarm, port: int, userdata: str
) -> None:
    fields = {**PRINTS, "userdata": userdata}
    heard = await send(port, curl_post("/octoprint/farm/api/files/local", fields, GCODE))
    assert heard.status == 400
    assert not farm.store.tables.jobs


@pytest.mark.parametrize("path", ["/octoprint", "/octoprint/farm", "/octoprint/farm/"])
async def test_the_address_itself_shows_the_farms_page(
    session: aiohttp.ClientSession, path: str
) -> None:
    async with session.get(path, headers={"Authorization": ""}) as response:
        assert response.status == 200
        assert response.url.path == "/"


async def test_a_file_that_was_printed_or_cancelled_has_to_be_sent_again(
    session: aiohttp.ClientSession, farm: ServedFarm, port: int
) -> None:
    heard = await send(port, curl_post("/octoprint/farm/api/files/local", KEEPS, GCODE))
    path = told(heard)["files"]["local"]["refs"]["resource"].partition(":8150")[2]
    async with session.post(f"/api/v1/jobs/{the_job(farm).job_id}/cancel") as response:
        assert response.status == 200
    heard = await send(port, cura_request("POST", path, b'{"command": "print"}'))
    assert (heard.status, heard.headers["Content-Type"]) == (409, "text/plain")
    for body in (b"", b"[]", b'{"command": "move"}'):
        assert (await send(port, cura_request("POST", path, body))).status == 400
