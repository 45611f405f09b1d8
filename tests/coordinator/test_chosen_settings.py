"""Settings that people change while the coordinator runs, from the request to what heeds them."""

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from coordinator.api.app import build_app
from coordinator.api.operating import Machine
from coordinator.chosen import ChosenSettings
from coordinator.domain.choices import Choice
from coordinator.setting_origins import origins
from coordinator.settings import Settings, load
from coordinator.usecases.choosing import heed
from tests.coordinator.api.test_api_library import ask
from tests.fakes.served_farm import ServedFarm, served
from tests.fakes.story import names_in_history
from tests.fakes.values import NOW

FLAGS = ["--port", "0", "--leases-ahead", "1"]


@pytest.fixture
def chosen() -> ChosenSettings:
    made = ChosenSettings(load(FLAGS), origins(FLAGS))
    made.begin()
    return made


@pytest.fixture
def farm(farm_folder: ServedFarm, chosen: ChosenSettings) -> ServedFarm:
    machine = Machine(settings=origins(FLAGS), choices=chosen)
    farm_folder.app = build_app(farm_folder.gate, upload_bytes_max=1, version="", machine=machine)
    return farm_folder


@pytest.fixture
def farm_folder(tmp_path) -> ServedFarm:  # type: ignore[no-untyped-def]
    return ServedFarm(tmp_path)


@pytest.fixture
async def session(farm: ServedFarm) -> AsyncIterator[aiohttp.ClientSession]:
    async with served(farm) as session:
        yield session


async def setting(session: aiohttp.ClientSession, name: str) -> dict[str, object]:
    _, told = await ask(session, "GET", "settings")
    [found] = [each for each in told["items"] if each["name"] == name]
    return dict(found)


async def test_a_setting_is_changed_heeded_told_and_taken_back(
    farm: ServedFarm, session: aiohttp.ClientSession, chosen: ChosenSettings
) -> None:
    heard: list[Settings] = []
    chosen.heard(heard.append)
    status, told = await ask(session, "PUT", "settings/approve_jobs", {"value": True})
    assert (status, told["value"], told["origin"]) == (200, True, "page")
    assert (told["changed_by"], told["change"]["waits"]) == ("user:admin", False)
    assert await setting(session, "approve_jobs") == told
    assert [each.approve_jobs for each in heard] == [False, True]
    status, told = await ask(session, "DELETE", "settings/approve_jobs")
    assert (status, told["value"], told["origin"]) == (200, False, "default")
    assert not chosen.now.approve_jobs
    names = await names_in_history(farm.farm, "setting", "approve_jobs")
    assert names == ["setting.changed", "setting.reset"]


async def test_what_is_the_same_again_is_no_change(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    for _ in range(2):
        await ask(session, "PUT", "settings/quiet_hours", {"value": "22:00-07:00"})
    await ask(session, "DELETE", "settings/notices")
    assert len(await names_in_history(farm.farm, "setting", "quiet_hours")) == 1
    assert await names_in_history(farm.farm, "setting", "notices") == []


@pytest.mark.parametrize(
    ("name", "value", "status", "code"),
    [
        ("token", "mine", 404, "unknown_setting"),
        ("no_such", 1, 404, "unknown_setting"),
        ("leases_ahead", 2, 409, "setting_fixed"),
        ("quiet_hours", "at night", 422, "setting_invalid"),
        ("backups_kept", 0, 422, "setting_invalid"),
        ("backups_kept", True, 422, "setting_invalid"),
        ("approve_jobs", "true", 422, "setting_invalid"),
        ("budget_per_day", {"USD": -1.0}, 422, "setting_invalid"),
        ("notices", "x" * 2000, 422, "setting_invalid"),
        ("notices", ["a"], 422, "invalid_fields"),
    ],
)
async def test_what_can_t_be_chosen_says_why(
    session: aiohttp.ClientSession, name: str, value: object, status: int, code: str
) -> None:
    answered, problem = await ask(session, "PUT", f"settings/{name}", {"value": value})
    assert (answered, problem["code"]) == (status, code)


async def test_what_needs_a_restart_waits_for_it(session: aiohttp.ClientSession) -> None:
    _, told = await ask(session, "PUT", "settings/slicings_at_once", {"value": 3})
    assert (told["value"], told["change"]["waits"]) == (3, True)
    assert (told["change"]["minimum"], told["change"]["maximum"]) == (1, 64)
    _, told = await ask(session, "PUT", "settings/slicings_at_once", {"value": 2})
    assert not told["change"]["waits"]


async def test_amounts_are_kept_by_unit(
    session: aiohttp.ClientSession, chosen: ChosenSettings
) -> None:
    _, told = await ask(session, "PUT", "settings/budget_per_day", {"value": {"USD": 2.5}})
    assert told["value"] == {"USD": 2.5}
    assert str(chosen.now.budget_per_day["USD"]) == "2.5"


async def test_no_choice_is_about_a_secret(session: aiohttp.ClientSession) -> None:
    _, told = await ask(session, "GET", "settings")
    assert not [each["name"] for each in told["items"] if each["is_secret"] and each["change"]]


async def test_what_another_coordinator_stored_is_heeded_and_what_is_unusable_left_alone(
    farm: ServedFarm, chosen: ChosenSettings
) -> None:
    choice = Choice(name="approve_jobs", value=True, chosen_by="user:anna", chosen_at=NOW)
    unusable = replace(choice, name="backups_kept", value=-1)
    pinned = replace(choice, name="leases_ahead", value=4)
    async with farm.store.write() as unit:
        for each in (choice, unusable, pinned, replace(choice, name="gone_since")):
            await unit.save_choice(each)
    await heed(farm.farm, chosen)
    now = chosen.now
    assert (now.approve_jobs, now.backups_kept, now.leases_ahead) == (True, 7, 1)
