"""What an order would take, over HTTP: told before it is one, and no job comes of it."""

import asyncio

import aiohttp
import pytest

from tests.coordinator.api.test_api_jobs import GCODE, form
from tests.coordinator.api.test_api_library import ask, stl
from tests.fakes.fake_farm import MODEL
from tests.fakes.served_farm import ServedFarm


async def test_what_a_model_would_take_is_told_and_nothing_of_it_is_kept(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1", "p-2")
    await ask(session, "POST", "printers/p-1/clear")
    status, told = await ask(session, "POST", "estimates", stl(copies="3", name="Hub"))
    assert (status, told["name"], told["copies"]) == (200, "Hub", 3)
    assert told["plate"]["printer_class"] == "farmhand-220"
    assert (told["plate"]["material"], told["plate"]["reason"]) == ("PLA", "")
    assert told["estimate"]["seconds"] == 3 * told["plate"]["estimate"]["seconds"] == 180
    assert told["cost"] == pytest.approx(0.03)
    assert told["size_mm"] == [20, 20, 20]
    assert [(each["fits"], each["free"]) for each in told["printers"]] == [
        (True, True),
        (True, False),
    ]
    assert told["printers"][1]["busy_with"] == [
        "nobody knows what lies on its bed: look, and declare it clear"
    ]
    assert not farm.artifacts.kept
    assert not farm.artifacts.left_behind
    assert not farm.store.tables.jobs


async def test_printers_that_do_not_suit_an_order_say_why(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1", "p-2")
    _, told = await ask(session, "POST", "estimates", stl(printer_id="p-2"))
    assert [each["why_not"] for each in told["printers"]] == [["the job is for p-2 only"], []]
    _, told = await ask(session, "POST", "estimates", stl(material="PETG"))
    assert (told["plate"], told["reason"]) == (None, "no printer holds PETG")
    assert told["estimate"] is None
    farm.slicer.refused["farmhand-220"] = "it is 300 mm long"
    _, told = await ask(session, "POST", "estimates", stl())
    assert told["plate"]["reason"] == "it is 300 mm long"
    assert not any(each["fits"] for each in told["printers"])


async def test_a_ready_plate_and_a_model_of_the_farm_are_told_of_as_well(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    _, told = await ask(session, "POST", "estimates", form(file=GCODE))
    assert (told["plate"]["reason"], told["size_mm"]) == ("", None)
    assert told["printers"][0]["fits"]
    _, model = await ask(session, "POST", "models", {"name": "Wheel hub"})
    await ask(session, "POST", f"models/{model['id']}/versions", stl())
    _, told = await ask(session, "POST", "estimates", form(file=None, model_id=model["id"]))
    assert (told["name"], told["estimate"]["seconds"]) == ("Wheel hub", 60)
    [wish] = farm.slicer.wishes
    assert wish.provenance["model"] == "Wheel hub", "the order's plate is the one in the cache"


async def test_what_no_order_would_be_taken_for_is_refused_alike(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    for given, status, code in (
        (form(file=b"no model", file_name="part.stl"), 422, "model_unsupported"),
        (form(file=b"G28", file_name="part.txt"), 422, "unknown_file_type"),
        (stl(copies="0"), 422, "copies_out_of_range"),
        (form(file=None, model_id="model-none"), 404, "unknown_model"),
    ):
        answer, problem = await ask(session, "POST", "estimates", given)
        assert (answer, problem["code"]) == (status, code)
    assert not farm.artifacts.left_behind


async def test_estimates_take_turns_and_end_when_who_asked_is_gone(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    at_it, ended = asyncio.Event(), asyncio.Event()

    async def takes_for_ever() -> None:
        at_it.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    farm.slicer.meanwhile = takes_for_ever
    asking = asyncio.ensure_future(ask(session, "POST", "estimates", stl(MODEL)))
    await asyncio.wait_for(at_it.wait(), 10)
    assert farm.farm.live.estimates == 1
    asking.cancel()
    await asyncio.wait_for(ended.wait(), 10)
    farm.slicer.meanwhile = None
    assert (await ask(session, "POST", "estimates", stl(MODEL)))[0] == 200
