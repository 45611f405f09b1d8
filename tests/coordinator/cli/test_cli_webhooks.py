"""`farmhand webhook` against a served farm."""

from coordinator.cli.exits import Exit
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.fake_outside import answers
from tests.fakes.served_farm import ServedFarm

URL = "https://hooks.test/farm"


async def test_an_endpoint_is_added_and_its_secret_shown_once(farmhand: Farmhand) -> None:
    assert "farmhand webhook add" in (await farmhand("webhook", "ls")).out
    added = await farmhand("webhook", "add", URL, "--event", "job.*", "--event", "run.lost")
    assert added.code == Exit.OK, added.err
    assert "whsec_" in added.out
    listed = await farmhand("webhook", "ls")
    assert URL in listed.out
    assert "job.* run.lost" in listed.out
    assert "whsec_" not in listed.out


async def test_an_endpoint_is_steered(farm: ServedFarm, farmhand: Farmhand) -> None:
    made = (await farmhand("webhook", "add", URL, "--json")).json
    its_id = made["id"]
    assert (await farmhand("webhook", "rotate", its_id, "--json")).json["secret"] != made["secret"]
    assert "taken in" in (await farmhand("webhook", "test", its_id)).out
    farm.outside.answer = answers(404)
    failed = await farmhand("webhook", "test", its_id)
    assert failed.code == Exit.FAILED
    assert "it answered 404" in failed.err
    off = await farmhand("webhook", "change", its_id, "--switch", "off", "--to", f"{URL}/2")
    assert "state: disabled" in off.out
    assert f"{URL}/2" in off.out
    assert (await farmhand("webhook", "change", its_id, "--switch", "on", "--json")).json["enabled"]
    replayed = await farmhand("webhook", "replay", its_id, "--after", "0", "--json")
    assert replayed.json["cursor"] == 0
    assert (await farmhand("webhook", "replay", its_id, "--since", "1h")).code == Exit.OK
    assert (await farmhand("webhook", "replay", its_id)).code == Exit.USAGE
    assert "nothing was sent" in (await farmhand("webhook", "deliveries", its_id)).out
    assert "is removed" in (await farmhand("webhook", "rm", its_id)).out
    assert (await farmhand("webhook", "rm", its_id)).code == Exit.FAILED


async def test_the_types_are_listed(farmhand: Farmhand) -> None:
    assert "printer.needs_clearing" in (await farmhand("webhook", "types")).out
