"""What settings say of a server of one's own, and what of it is refused."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.adapters.providers.own_server.filling import headers_of, path_of
from coordinator.adapters.providers.own_server.options import Call
from coordinator.adapters.providers.own_server.presets import PRESETS
from coordinator.adapters.providers.own_server.server import OwnServer
from coordinator.domain.providing import Again, Cancels, Kind, Wish
from coordinator.errors import SettingsInvalid
from coordinator.ports_providers import Tools
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.manual_clock import ManualClock

HERE = {"base_url": "http://gpu.local:8081", "api_key": "word-of-mine"}
BY_HAND: dict[str, Any] = {
    **HERE,
    "submit": {"path": "/jobs", "body": {"text": "${prompt}", "fine": "${option.fine}"}},
    "status": {"path": "/jobs/${task_id}", "phases": {"ok": "succeeded"}},
    "result": {"url": "/file"},
    "options": {"fine": {"type": "integer", "words": "how fine", "choices": ["1", "2"]}},
}


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    return Tools(clock=ManualClock(), artifacts=FakeArtifacts(tmp_path), folder=tmp_path)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_needs_an_address_and_no_more(tools: Tools, preset: str) -> None:
    offer = OwnServer("box", {**HERE, "preset": preset}, tools).offer
    assert (offer.service, offer.title) == (preset, "box")


def test_what_a_preset_says_is_changed_key_by_key(tools: Tools) -> None:
    more = {"kinds": ["text"], "submit": {"within_s": 5}, "cost": {"fixed": "0.1"}}
    offer = OwnServer("box", {**HERE, "preset": "farm-gen-v1", **more}, tools).offer
    assert (offer.kinds, offer.again, offer.cancels) == (
        {Kind.TEXT},
        Again.SAME_KEY,
        Cancels.ALWAYS,
    )


def test_a_server_by_hand_offers_what_is_configured(tools: Tools) -> None:
    box = OwnServer("box", BY_HAND, tools)
    assert (box.offer.service, box.offer.again) == ("http", Again.COSTS_ONLY)
    assert [option.name for option in box.offer.options] == ["fine"]
    for wish in (
        Wish(kind=Kind.TEXT, prompt=" "),
        Wish(kind=Kind.TEXT, prompt="x" * 2001),
        Wish(kind=Kind.TEXT, prompt="x", options={"coarse": 1}),
        Wish(kind=Kind.TEXT, prompt="x", options={"fine": 3}),
        Wish(kind=Kind.IMAGE),
    ):
        assert box.objection(wish)
    assert box.objection(Wish(kind=Kind.TEXT, prompt="x", options={"fine": 2})) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"preset": "farm-gen-v9"}, "no preset"),
        ({"colour": "red"}, "providers.box.colour"),
        ({"base_url": "gpu.local"}, "providers.box.base_url"),
        ({"status": None}, "status has to say"),
        ({"submit": {"path": "jobs"}}, "providers.box.submit.path"),
        ({"submit": {"path": "/jobs", "body": "${promt}"}}, "${promt}"),
        ({"submit": {"path": "/jobs", "body": "${option.coarse}"}}, "${option.coarse}"),
        ({"status": {"path": "/jobs/${prompt}"}}, "status asks for ${prompt}"),
        ({"status": {"path": "/x", "phase": "status"}}, "JSON pointer"),
        ({"status": {"path": "/x", "phases": {"ok": "fine"}}}, "providers.box.status.phases.ok"),
        ({"kinds": ["code"]}, "text, image and multiview"),
        ({"again": "listed"}, "again is"),
        ({"result": {"format": ".exe"}}, "format is one of"),
        ({"auth": "bearer", "api_key": ""}, "needs an api_key"),
    ],
)
def test_what_can_not_work_is_refused_by_its_name_and_without_the_key(
    tools: Tools, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        OwnServer("box", {**BY_HAND, **change}, tools)
    assert words in caught.value.reason
    assert "word-of-mine" not in caught.value.reason


@given(st.text(max_size=40))
def test_what_is_filled_into_a_path_stays_within_its_level(value: str) -> None:
    path = path_of("/jobs/${task_id}/file", {"task_id": value})
    assert path.startswith("/jobs/")
    assert path.endswith("/file")
    assert path.count("/") == 3
    assert path.split("/")[2] not in (".", "..")
    assert not {"?", "#", "\n", " "} & set(path)


@given(st.text(max_size=40))
def test_what_is_filled_into_a_header_ends_no_line(value: str) -> None:
    call = Call(path="/", headers={"X-Said": "say ${prompt}"})
    assert headers_of(call, {"prompt": value})["X-Said"].isprintable()
