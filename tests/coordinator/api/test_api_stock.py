"""Materials and spools over HTTP."""

from typing import Any

import aiohttp
import pytest

from coordinator.domain.access import Role
from tests.coordinator.api.test_api_library import ask
from tests.coordinator.api.test_api_users import add
from tests.fakes.served_farm import ServedFarm

PLA: dict[str, Any] = {"material": "PLA", "weight_g": 1000, "colour": "red", "cost": 24.9}


async def test_a_spool_is_brought_loaded_weighed_and_put_away(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    status, spool = await ask(session, "POST", "spools", {**PLA, "material": "PETG"})
    path = f"spools/{spool['id']}"
    assert (status, spool["remaining_g"], spool["tool"]) == (201, 1000.0, None)
    _, loaded = await ask(session, "POST", f"{path}/load", {"printer_id": "p-1"})
    assert (loaded["printer_id"], loaded["tool"]) == ("p-1", 0)
    _, printer = await ask(session, "GET", "printers/p-1")
    assert (printer["material"], printer["spool_id"]) == ("PETG", spool["id"])
    status, problem = await ask(session, "PATCH", "printers/p-1", {"material": "ABS"})
    assert (status, problem["code"]) == (409, "spool_loaded")
    _, weighed = await ask(session, "PATCH", path, {"remaining_g": 420.5, "location": "shelf"})
    assert (weighed["remaining_g"], weighed["colour"]) == (420.5, "red")
    _, materials = await ask(session, "GET", "materials")
    petg = next(each for each in materials["items"] if each["name"] == "PETG")
    assert (petg["profile"], petg["printers"], petg["remaining_g"]) == (None, ["p-1"], 420.5)
    assert materials["items"][1]["profile"]["density_g_cm3"] == 1.24
    _, away = await ask(session, "POST", f"{path}/unload")
    assert (away["printer_id"], away["version"]) == (None, 3)
    await ask(session, "PATCH", path, {"archived": True})
    assert (await ask(session, "GET", "spools"))[1]["total"] == 0
    assert (await ask(session, "GET", "spools?archived=true"))[1]["total"] == 1


async def test_spools_are_listed_by_material_place_and_page(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    made = [(await ask(session, "POST", "spools", PLA))[1]["id"] for _ in range(3)]
    await ask(session, "POST", f"spools/{made[1]}/load", {"printer_id": "p-1", "tool": 2})

    async def found(query: str) -> list[str]:
        _, page = await ask(session, "GET", f"spools?{query}")
        return [each["id"] for each in page["items"]]

    assert await found("material=pla") == made
    assert await found("material=abs") == []
    assert await found("loaded=true") == await found("printer_id=p-1") == [made[1]]
    _, page = await ask(session, "GET", "spools?limit=2")
    assert await found(f"limit=2&cursor={page['next']}") == [made[2]]


@pytest.mark.parametrize(
    ("method", "path", "said", "status", "code"),
    [
        ("POST", "spools", {"material": "PLA"}, 422, "invalid_fields"),
        ("POST", "spools", {"material": "", "weight_g": 5}, 422, "invalid_fields"),
        ("POST", "spools", {"material": "PLA", "weight_g": 0}, 422, "invalid_fields"),
        ("POST", "spools", {**PLA, "remaining_g": 1001}, 422, "weight_out_of_range"),
        ("PATCH", "spools/SPOOL", {"weight_g": 999}, 422, "weight_out_of_range"),
        ("PATCH", "spools/SPOOL", {"weight_g": None}, 422, "invalid_fields"),
        ("PATCH", "spools/s", {}, 404, "unknown_spool"),
        ("GET", "spools/s", None, 404, "unknown_spool"),
        ("POST", "spools/s/unload", None, 404, "unknown_spool"),
        ("POST", "spools/SPOOL/load", {"printer_id": "p-9"}, 404, "unknown_printer"),
        ("POST", "spools/SPOOL/load", {"printer_id": "p-9", "tool": -1}, 422, "invalid_fields"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    session: aiohttp.ClientSession, method: str, path: str, said: Any, status: int, code: str
) -> None:
    _, spool = await ask(session, "POST", "spools", PLA)
    answered = await ask(session, method, path.replace("SPOOL", spool["id"]), said)
    assert (answered[0], answered[1]["code"]) == (status, code)
    assert await ask(session, "GET", f"spools/{spool['id']}") == (200, spool)


async def test_changes_heed_if_match_keys_and_who_may(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    key = {"Idempotency_Key": "one"}
    first = await ask(session, "POST", "spools", PLA, **key)
    assert await ask(session, "POST", "spools", PLA, **key) == first
    path = f"spools/{first[1]['id']}"
    async with session.get(f"/api/v1/{path}") as response:
        tag = response.headers["ETag"]
    assert (await ask(session, "PATCH", path, {"lot": "1"}, If_Match=tag))[0] == 200
    assert (await ask(session, "PATCH", path, {"lot": "2"}, If_Match=tag))[0] == 412
    anna = {"Authorization": f"Bearer {await add(farm, 'anna', Role.SUBMITTER)}"}
    assert (await ask(session, "GET", path, **anna))[0] == 200
    assert (await ask(session, "PATCH", path, {"lot": "3"}, **anna))[0] == 403
