import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coordinator.adapters.homeassistant.listening import Listener
from coordinator.domain.access import Permission, Role
from coordinator.domain.automation.topics import Topics
from coordinator.ports_outward import Answer, Question
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.admitting import ROOT
from coordinator.usecases.updating import rollouts
from coordinator.usecases.users import add_user, create_key
from protocols.wire.from_agent import CommandResult
from protocols.wire.to_agent import Command
from tests.fakes.fake_farm import GCODE, order_gcode
from tests.fakes.recording_automation import RecordingAutomation
from tests.fakes.served_farm import AGENT, TOKEN, UPLOAD_BYTES_MAX, ServedFarm
from tests.fakes.values import RELEASE

TOPICS = Topics("farmhand/farm")
BORN = "homeassistant/status"


class Asked:
    """A farm that programs ask."""

    def __init__(self, folder: Path) -> None:
        self.served = ServedFarm(folder)
        self.farm, self.link = self.served.farm, RecordingAutomation()
        self.born = 0
        self.listener = Listener(
            self.served.gate,
            self.link,
            TOPICS,
            born=BORN,
            armed=frozenset({"clear", "cancel", "heat", "update"}),
            is_born=self._is_born,
            file_bytes_max=UPLOAD_BYTES_MAX,
        )
        self.link.connect()

    def _is_born(self) -> None:
        self.born += 1

    async def answer(self, **said: Any) -> Any:
        """Return the answer to a request."""
        said = {"id": "req-1", "key": TOKEN, **said}
        topic = TOPICS.answer(said["id"])
        before = len(self.link.on(topic))
        self.link.ask(TOPICS.requests, said)
        return (await self.link.until(lambda: self.link.on(topic)[before:]))[-1]

    async def history(self) -> list[tuple[str, str, str]]:
        async with self.farm.store.read() as unit:
            lines = await unit.events(limit=1000)
        return [(line.name, line.actor, line.origin) for line in lines]

    async def happens(self, name: str) -> tuple[str, str]:
        """Return who did something, once it is in the history."""
        async with asyncio.timeout(5):
            while True:
                for its_name, actor, origin in await self.history():
                    if its_name == name:
                        return actor, origin
                await asyncio.sleep(0.005)

    async def settled(self) -> None:
        """Return once everything that was said before was taken in."""
        assert (await self.answer(id="last", do="job", job_id="none"))["code"] == "not_found"


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    farm = Asked(tmp_path)
    await farm.served.printers_arrive("p1")
    task = asyncio.create_task(farm.listener.run())
    yield farm
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_press_is_done_and_stands_in_the_history_as_home_assistants(asked: Asked) -> None:
    asked.link.ask(TOPICS.press("p1", "clear"), "PRESS")
    actor, origin = await asked.happens("bed.clear")
    assert (actor, origin) == ("homeassistant", "clear of p1 over MQTT")


@pytest.mark.parametrize(
    ("verb", "payload"),
    [
        ("service", "ON"),  # not armed
        ("emergency_stop", "PRESS"),  # likewise
        ("nozzle", "9000"),  # out of range
        ("nozzle", "M112"),
        ("self_destruct", "PRESS"),
        ("clear/x", "PRESS"),
    ],
)
async def test_what_home_assistant_may_not_ask_is_not_done(
    asked: Asked, verb: str, payload: str
) -> None:
    before = await asked.history()
    asked.link.ask(TOPICS.press("p1", verb), payload)
    await asked.settled()
    assert await asked.history() == before


async def test_a_retained_press_is_removed_and_not_done(asked: Asked) -> None:
    """It would be done anew at each start."""
    before = await asked.history()
    asked.link.ask(TOPICS.press("p1", "clear"), "PRESS", retained=True)
    await asked.settled()
    assert await asked.history() == before
    assert asked.link.said[0].topic == TOPICS.press("p1", "clear")
    assert (asked.link.said[0].payload, asked.link.said[0].retain) == (b"", True)


async def test_a_number_becomes_a_line_that_the_printers_agent_says(asked: Asked) -> None:
    asked.link.ask(TOPICS.press("p1", "nozzle"), "215")
    actor, _ = await asked.happens("printer.send")
    assert actor == "homeassistant"
    command: Command = (await asked.link.until(lambda: asked.served.link.commands))[-1]
    assert (command.name, command.arguments["line"]) == ("send", "M104 S215")
    await absorb(asked.farm, CommandResult(id=command.id, agent_id=AGENT, ok=True))


async def test_home_assistants_birth_counts_but_not_a_retained_one(asked: Asked) -> None:
    asked.link.ask(BORN, "online", retained=True)
    asked.link.ask(BORN, "offline")
    asked.link.ask(BORN, "online")
    await asked.settled()
    assert asked.born == 1


async def test_an_order_by_address_becomes_a_job_of_whose_key_it_is(asked: Asked) -> None:
    async def gives(question: Question) -> Answer:
        return Answer(status=200, headers={}, body=GCODE)

    asked.served.outside.answer = gives
    anna = await add_user(asked.served.gate, "anna", Role.SUBMITTER, "user:admin")
    scopes = (Permission.JOBS_SUBMIT, Permission.FARM_READ)
    _, _, key = await create_key(asked.farm, ROOT, "node-red", of=anna.name, scopes=scopes)
    said = {"do": "submit", "url": "http://files/lid%20v2.gcode", "copies": 3}
    told = await asked.answer(key=key, **said)
    assert told["ok"], told
    assert (told["result"]["name"], told["result"]["copies"]) == ("lid v2.gcode", 3)
    assert await asked.happens("job.received") == ("key:anna/node-red", "request req-1 over MQTT")
    # The answer was lost, and the program asks again.
    again = await asked.answer(key=key, **said)
    assert again["result"]["job_id"] == told["result"]["job_id"]
    assert [name for name, *_ in await asked.history()].count("job.received") == 1
    other = await asked.answer(key=key, **{**said, "copies": 4})
    assert other["code"] == "request_id_reused"
    refused = await asked.answer(key=key, do="clear", printer_id="p1")
    assert (refused["code"], "printers:operate" in refused["message"]) == ("not_permitted", True)


async def test_an_order_by_artifact_prints_what_the_farm_has(asked: Asked) -> None:
    job = await order_gcode(asked.farm)
    async with asked.farm.store.read() as unit:
        (plate,) = await unit.plates(job.job_id)
    told = await asked.answer(do="submit", sha256=plate.sha256, name="again")
    assert told["ok"], told
    assert (told["result"]["name"], told["result"]["state"]) == ("again", "ready")


async def test_a_job_is_steered_and_looked_at(asked: Asked) -> None:
    job = await order_gcode(asked.farm)
    paused = await asked.answer(do="pause_job", job_id=job.job_id)
    assert paused["result"]["held"]
    cancelled = await asked.answer(id="req-2", do="cancel_job", job_id=job.job_id)
    assert cancelled["result"]["state"] == "cancelled"
    assert (await asked.answer(id="3", do="job", job_id=job.job_id))["result"][
        "state"
    ] == "cancelled"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"key": "farm_no_such"}, "unauthorized"),
        ({"key": ""}, "unauthorized"),
        ({"do": "format_disk"}, "invalid_fields"),
        ({"printer": "p1"}, "invalid_fields"),
        ({"printer_id": 7}, "invalid_fields"),
        ({"do": "submit"}, "invalid_fields"),
        ({"do": "submit", "url": "http://a/b.gcode", "sha256": "0" * 64}, "invalid_fields"),
        ({"printer_id": "p9"}, "not_found"),
        ({"do": "submit", "sha256": "0" * 64}, "not_found"),
    ],
)
async def test_a_request_that_is_wrong_is_told_so(
    asked: Asked, said: dict[str, Any], code: str
) -> None:
    whole = {"do": "clear", "printer_id": "p1", **said}
    if whole["do"] == "submit":
        del whole["printer_id"]
    told = await asked.answer(**whole)
    assert (told["ok"], told["code"]) == (False, code)
    assert TOKEN not in str(told)


async def test_a_key_in_a_retained_request_is_removed_and_opens_nothing(asked: Asked) -> None:
    said = {"id": "r", "key": TOKEN, "do": "clear", "printer_id": "p1"}
    asked.link.ask(TOPICS.requests, said, retained=True)
    await asked.settled()
    (told,) = asked.link.on(TOPICS.answer("r"))
    assert told["code"] == "retained"
    assert asked.link.said[0].topic == TOPICS.requests
    assert not asked.link.said[0].payload
    assert TOPICS.requests not in asked.link.retained


@pytest.mark.parametrize(
    "said", ["", "[]", "{}", '{"id": "../x"}', "[" * 5000, "\x00", "x" * 70_000]
)
async def test_rubbish_is_no_request(asked: Asked, said: str) -> None:
    asked.link.ask(TOPICS.requests, said)
    await asked.settled()
    answers = [each.topic for each in asked.link.said if each.payload]
    assert answers == [TOPICS.answer("last")]


async def test_an_update_that_is_pressed_is_a_rollout_of_the_newest_release_to_that_agent(
    asked: Asked,
) -> None:
    async with asked.farm.store.write() as unit:
        for version in ("0.9.0", "0.10.0"):
            await unit.save_release(replace(RELEASE, version=version))
    asked.link.ask(TOPICS.press("pi-1", "update"), "install")
    assert await asked.happens("rollout.planned") == ("homeassistant", "update of pi-1 over MQTT")
    (rollout,) = await rollouts(asked.farm)
    assert rollout.version == "0.10.0"
    assert [(each.agent_id, each.stage) for each in rollout.agents] == [("pi-1", 0)]
    # One at a time; and printers have no such verb, nor agents another.
    before = await asked.history()
    for pressed in ("pi-1/update", "p1/update", "pi-9/update", "pi-1/clear"):
        asked.link.ask(TOPICS.press(*pressed.split("/")), "install")
    await asked.settled()
    assert await asked.history() == before
