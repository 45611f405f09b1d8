"""Words become code, code becomes geometry, and what was wrong goes back to who wrote it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from coordinator.adapters.providers.coding.options import OpenScadOptions
from coordinator.adapters.providers.coding.provider import CodeProvider, openscad
from coordinator.adapters.providers.options import options_of
from coordinator.domain.providing import Blame, Kind, Look, Phase, ProviderFault, Said, Wish
from coordinator.errors import SettingsInvalid
from coordinator.ports_providers import Tools
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.fake_llm import FakeLlm, Reply
from tests.fakes.fake_renderer import FakeRenderer
from tests.fakes.manual_clock import ManualClock
from tests.fakes.paid_service import Trouble, served

GOOD = "A cube.\n```openscad\n// how wide\nwidth = 10; // [1:20]\ncube(width);\n```"
BROKEN = "A cube.\n```openscad\nbroken();\n```"
CUBE = Wish(kind=Kind.TEXT, prompt="a cube")
PRICES = {"price_in": 1, "price_out": 2}


@dataclass
class Desk:
    """A provider with a model that says what a test tells it; nothing is really rendered."""

    server: FakeLlm
    folder: Path
    renderer: FakeRenderer = field(default_factory=FakeRenderer)
    stages: list[tuple[float | None, str]] = field(default_factory=list)

    def provider(self, **options: Any) -> CodeProvider:
        given = {
            "base_url": self.server.base_url,
            "api_key": self.server.key,
            "model": self.server.model,
            **options,
        }
        tools = Tools(clock=ManualClock(), artifacts=FakeArtifacts(self.folder), folder=self.folder)
        chosen = options_of(OpenScadOptions, "writer", given)
        return CodeProvider("writer", "openscad", chosen, self.renderer, tools)

    async def look(self, wish: Wish, *replies: str | Reply, **options: Any) -> Look:
        for each in replies:
            self.server.replies.append(Reply(text=each) if isinstance(each, str) else each)
        provider = self.provider(**options)
        try:
            submitted = await provider.submit(
                wish, "gen-1", lambda part, stage: self.stages.append((part, stage))
            )
        finally:
            await provider.close()
        assert submitted.look is not None
        return submitted.look

    def asked(self, number: int) -> list[dict[str, str]]:
        messages: list[dict[str, str]] = self.server.bodies[number]["messages"]
        return messages


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with served(FakeLlm()) as server:
        yield Desk(server, tmp_path)


async def test_words_become_a_mesh_and_its_code(desk: Desk) -> None:
    look = await desk.look(CUBE, GOOD)
    assert look.phase is Phase.SUCCEEDED
    assert [(each.role, each.suffix) for each in look.pieces] == [
        ("mesh", ".stl"),
        ("code", ".scad"),
    ]
    assert look.pieces[0].data == b"mesh"
    assert look.pieces[1].data.decode() == "// how wide\nwidth = 10; // [1:20]\ncube(width);\n"
    assert look.said == "A cube."
    assert look.charged is None
    assert look.told["service_model"] == "writer-1"
    assert look.told["tool"] == "a renderer of the tests"
    assert look.told["parameters"] == [
        {
            "name": "width",
            "type": "integer",
            "default": 10,
            "minimum": 1.0,
            "maximum": 20.0,
            "words": "how wide",
        }
    ]
    parts = [part for part, _ in desk.stages if part is not None]
    assert parts == sorted(parts)
    assert {stage for _, stage in desk.stages} == {"writing, round 1", "rendering, round 1"}


async def test_what_was_wrong_is_told_to_the_model_with_its_line(desk: Desk) -> None:
    look = await desk.look(CUBE, BROKEN, GOOD)
    assert look.phase is Phase.SUCCEEDED
    assert look.told["rounds"] == 2
    first, second = desk.asked(0), desk.asked(1)
    assert second[: len(first)] == first
    assert second[-2] == {"role": "assistant", "content": "```openscad\nbroken();\n```"}
    assert "model.scad, line 3: it is broken" in second[-1]["content"]


async def test_only_the_last_attempt_is_told_again(desk: Desk) -> None:
    await desk.look(CUBE, BROKEN, BROKEN, BROKEN, GOOD, tokens_max=4096)
    assert len(desk.asked(3)) == len(desk.asked(0)) + 2


async def test_after_so_many_rounds_it_is_given_up_with_what_it_cost(desk: Desk) -> None:
    look = await desk.look(CUBE, BROKEN, BROKEN, BROKEN, rounds_max=3, **PRICES)
    assert look.phase is Phase.FAILED
    assert look.fault is not None
    assert look.fault.blame is Blame.PROVIDER_FAILED
    assert "after 3 rounds" in look.fault.message
    assert "line 3: it is broken" in look.fault.message
    assert [each.role for each in look.pieces] == ["code"]
    assert look.charged is not None
    assert look.charged.amount == desk.server.till.taken
    assert len(desk.server.bodies) == 3


async def test_an_answer_that_was_cut_is_asked_for_shorter(desk: Desk) -> None:
    look = await desk.look(CUBE, Reply(text=GOOD, finish="length"), GOOD)
    assert look.phase is Phase.SUCCEEDED
    assert "cut off" in desk.asked(1)[-1]["content"]
    assert [code for code, _ in desk.renderer.asked] == [look.pieces[1].data.decode()]


async def test_a_server_that_fails_at_once_has_cost_nothing(desk: Desk) -> None:
    desk.server.misbehave("submit", Trouble(status=503))
    with pytest.raises(ProviderFault) as caught:
        await desk.look(CUBE)
    assert caught.value.blame is Blame.RETRY_SAFE


async def test_a_server_that_fails_later_leaves_what_was_charged(desk: Desk) -> None:
    look = await desk.look(CUBE, BROKEN, Reply(text="", refusal="no"), **PRICES)
    assert look.phase is Phase.FAILED
    assert look.fault is not None
    assert look.fault.blame is Blame.CONTENT_BLOCKED
    assert look.charged is not None
    assert look.charged.amount > 0


async def test_a_conversation_changes_the_code_that_stands(desk: Desk) -> None:
    wish = Wish(
        kind=Kind.TEXT,
        prompt="make it wider",
        conversation=(
            Said(speaker="user", text="a cube"),
            Said(speaker="assistant", text="A cube."),
        ),
        code="cube(10);",
    )
    await desk.look(wish, GOOD)
    rules, *said = desk.asked(0)
    assert rules["role"] == "system"
    assert said == [
        {"role": "user", "content": "a cube"},
        {"role": "assistant", "content": "A cube."},
        {
            "role": "user",
            "content": "The program as it stands:\n```openscad\ncube(10);\n```\n"
            "Change it: make it wider",
        },
    ]


async def test_a_size_is_told_so_that_the_codes_own_measures_are_true(desk: Desk) -> None:
    await desk.look(Wish(kind=Kind.TEXT, prompt="a hook", size_mm=60.0), GOOD)
    assert desk.asked(0)[-1]["content"] == "a hook\nIts longest side is to be 60 mm."


async def test_code_is_rendered_with_its_parameters_and_nobody_is_asked(desk: Desk) -> None:
    code = "width = 10;\ncube(width);"
    look = await desk.look(Wish(kind=Kind.CODE, code=code, parameters={"width": 12}), **PRICES)
    assert look.phase is Phase.SUCCEEDED
    assert desk.renderer.asked == [(code, {"width": 12})]
    assert desk.server.asked == []
    assert look.charged is None


async def test_code_that_does_not_render_is_the_fault_of_who_wrote_it(desk: Desk) -> None:
    with pytest.raises(ProviderFault) as caught:
        await desk.look(Wish(kind=Kind.CODE, code="broken();"))
    assert (caught.value.blame, caught.value.field) == (Blame.INVALID_INPUT, "code")
    assert "model.scad, line 3: it is broken" in caught.value.message


async def test_without_a_model_only_code_is_taken(desk: Desk) -> None:
    provider = desk.provider(model="")
    assert provider.offer.kinds == {Kind.CODE}
    assert not provider.offer.converses
    assert provider.objection(CUBE)
    health = await provider.health()
    assert health.ready
    assert "no language model" in health.words


async def test_the_libraries_that_are_there_are_told_within_the_room(desk: Desk) -> None:
    await desk.look(CUBE, GOOD)
    assert "BOSL2/std.scad" in desk.asked(0)[0]["content"]
    assert "MCAD/boxes.scad" not in desk.asked(0)[0]["content"]
    await desk.look(CUBE, GOOD, prompt_tokens_max=700)
    assert "BOSL2/std.scad" not in desk.asked(1)[0]["content"]
    assert "millimetres" in desk.asked(1)[0]["content"]


async def test_what_is_too_long_for_the_model_is_refused_before_it_is_asked(desk: Desk) -> None:
    wish = Wish(kind=Kind.TEXT, prompt="wider", code="cube(1);\n" * 4000)
    provider = desk.provider(context_tokens=16_000)
    assert "too long for the language model" in provider.objection(wish)
    with pytest.raises(ProviderFault):
        await provider.submit(wish, "gen-1", lambda _part, _stage: None)
    assert desk.server.bodies == []


async def test_no_generation_costs_more_than_its_limit(desk: Desk) -> None:
    options = {**PRICES, "tokens_max": 1000, "cost_max": "0.007"}
    cost = await desk.provider(**options).estimate(CUBE)
    assert cost is not None
    assert cost.amount == Decimal("0.007")
    look = await desk.look(CUBE, *[BROKEN] * 4, **options)
    assert look.phase is Phase.FAILED
    assert look.fault is not None
    assert "cost_max" in look.fault.message
    assert 1 <= len(desk.server.bodies) < 4


async def test_what_a_server_says_that_it_took_is_what_was_charged(desk: Desk) -> None:
    look = await desk.look(CUBE, Reply(text=GOOD, cost=0.125))
    assert look.charged is not None
    assert (look.charged.amount, look.charged.unit) == (Decimal("0.125"), "USD")


async def test_a_machine_without_a_renderer_says_so(desk: Desk) -> None:
    desk.renderer.trouble = "there is no OpenSCAD: sudo apt-get install openscad"
    provider = desk.provider()
    assert provider.objection(CUBE) == desk.renderer.trouble
    health = await provider.health()
    assert (health.ready, health.words) == (False, desk.renderer.trouble)
    with pytest.raises(ProviderFault) as caught:
        await desk.look(CUBE)
    assert caught.value.blame is Blame.AUTH_CONFIG


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"modell": "x"}, "modell"),
        ({"engine": "gpu"}, "engine"),
        ({"api_key": "a", "api_key_file": "/b"}, "both set"),
    ],
)
def test_settings_that_can_t_be_used_are_named(
    tmp_path: Path, options: dict[str, str], words: str
) -> None:
    tools = Tools(clock=ManualClock(), artifacts=FakeArtifacts(tmp_path), folder=tmp_path)
    with pytest.raises(SettingsInvalid, match=words):
        openscad("writer", options, tools)
