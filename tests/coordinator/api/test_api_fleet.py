"""What printers are to people, over HTTP: groups, tags, places; and jobs that ask for them."""

from dataclasses import replace

import aiohttp
import pytest

from coordinator.domain.access import Role
from coordinator.usecases.absorbing import absorb
from tests.coordinator.api.test_api_jobs import form, submitted
from tests.coordinator.api.test_api_library import ask
from tests.coordinator.api.test_api_users import add
from tests.fakes.served_farm import ServedFarm


async def test_a_printer_is_described_and_found(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1", "p-2")
    said = {"printer_group": "lab", "tags": ["Enclosed", "fast"], "location": "room 1"}
    _, printer = await ask(session, "PATCH", "printers/p-1", said)
    assert (printer["printer_group"], printer["tags"]) == ("lab", ["enclosed", "fast"])
    _, printer = await ask(session, "PATCH", "printers/p-1", {"notes": "squeaks"})
    assert (printer["location"], printer["notes"]) == ("room 1", "squeaks")
    for query in ("printer_group=lab", "tag=fast&tag=ENCLOSED", "location=room%201"):
        _, found = await ask(session, "GET", f"printers?{query}")
        assert [each["id"] for each in found["items"]] == ["p-1"], query
    assert (await ask(session, "GET", "printers?tag=big"))[1]["items"] == []
    await absorb(farm.farm, farm.presence)  # its agent knows nothing of all that
    _, again = await ask(session, "GET", "printers/p-1")
    assert (again["tags"], again["notes"]) == (["enclosed", "fast"], "squeaks")
    _, about = await ask(session, "GET", "events?printer=p-1")
    described = [each for each in about["items"] if each["name"] == "printer.described"]
    assert described[-1]["changes"] == {"notes": "squeaks"}


async def test_a_change_heeds_if_match_and_wants_an_operator(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    async with session.get("/api/v1/printers/p-1") as response:
        tag = response.headers["ETag"]
    status, _ = await ask(session, "PATCH", "printers/p-1", {"notes": "a"}, If_Match=tag)
    assert status == 200
    status, problem = await ask(session, "PATCH", "printers/p-1", {"notes": "b"}, If_Match=tag)
    assert (status, problem["code"]) == (412, "changed_meanwhile")
    anna = {"Authorization": f"Bearer {await add(farm, 'anna', Role.SUBMITTER)}"}
    assert (await ask(session, "PATCH", "printers/p-1", {"notes": "c"}, **anna))[0] == 403
    status, problem = await ask(session, "PATCH", "printers/p-9", {"notes": "c"})
    assert (status, problem["code"]) == (404, "unknown_printer")
    for wrong, code in (
        ({"printer_group": "a/b"}, "invalid_fields"),
        ({"tags": ["x" * 65]}, "tags_out_of_range"),
    ):
        status, problem = await ask(session, "PATCH", "printers/p-1", wrong)
        assert (status, problem["code"]) == (422, code)


async def test_a_job_for_a_group_says_which_printers_are_not_in_it(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1", "p-2")
    await ask(session, "PATCH", "printers/p-1", {"printer_group": "lab", "tags": ["fast"]})
    job = await submitted(session, printer_group="lab", printer_tags="Fast, fast ,")
    assert (job["printer_group"], job["printer_tags"]) == ("lab", ["fast"])
    _, why = await ask(session, "GET", f"jobs/{job['id']}/why")
    codes = {(each["printer_id"], each["code"]) for each in why["items"]}
    assert {("p-2", "other_group"), ("p-2", "lacks_tag"), ("p-1", "bed_not_clear")} <= codes
    assert ("p-1", "other_group") not in codes
    for wrong in ({"printer_group": "hall"}, {"printer_group": "lab", "printer_tags": "big"}):
        status, problem = await ask(session, "POST", "jobs", form(**wrong))
        assert (status, problem["code"]) == (422, "no_such_printers")


@pytest.mark.parametrize("target", ["lab", "p-1"])
async def test_a_slicer_sends_to_a_group_as_to_a_printer(
    farm: ServedFarm, session: aiohttp.ClientSession, target: str
) -> None:
    await farm.printers_arrive("p-1", "p-2")
    farm.presence = replace(
        farm.presence,
        printers=tuple(replace(each, printer_class="mini") for each in farm.presence.printers[1:]),
    )
    await absorb(farm.farm, farm.presence)
    await ask(session, "PATCH", "printers/p-1", {"printer_group": "lab"})
    path = f"/octoprint/{target}/api/files/local"
    async with session.post(path, data=form(print="true")) as response:
        assert response.status == 201, await response.text()
    [job] = farm.store.tables.jobs.values()
    assert job.printer_group == ("lab" if target == "lab" else "")
    async with session.get(f"/octoprint/{target}/api/files") as response:
        assert len((await response.json())["files"]) == 1
