"""From words to a mesh: a stand-in says the code, the real OpenSCAD with BOSL2 makes the part."""

from pathlib import Path
from typing import Any

import pytest

from coordinator.adapters.providers.coding.provider import CodeProvider, cad_python
from coordinator.adapters.providers.coding.provider import openscad as openscad_provider
from coordinator.adapters.rendering import stl
from coordinator.domain.providing import Blame, Kind, Look, Phase, ProviderFault, Wish
from coordinator.ports_providers import Tools
from tests.edges.rendering import fetched, openscad, shut_in
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.fake_llm import FakeLlm
from tests.fakes.manual_clock import ManualClock
from tests.fakes.paid_service import served

BRACKET = """\
include <BOSL2/std.scad>
// how long, in mm
length = 60; // [30:150]
// thickness of the plate
thickness = 4; // [2:0.5:10]
/* [Holes] */
holes = 2; // [1:4]
hole_diameter = 4.3;
/* [Hidden] */
$fn = 32;
diff()
cuboid([length, 20, thickness], rounding = 3, edges = "Z", anchor = BOTTOM)
  tag("remove") xcopies(spacing = length / (holes + 1), n = holes)
    cyl(h = 3 * thickness, d = hole_diameter);
"""
# As models write it: they call what is not there, and forget a semicolon.
UNKNOWN = BRACKET.replace("cuboid(", "rounded_cuboid(")
UNCLOSED = BRACKET.replace("$fn = 32;", "$fn = 32")


PLATE = """\
import cadquery as cq
from dataclasses import dataclass
@dataclass
class Params:
    width: float = 40.0  # [10:200] how wide, in mm
def build(params: Params):
    return cq.Workplane("XY").box(params.width, 20, 5, centered=(True, True, False))
"""


def answered(code: str, mark: str = "openscad") -> str:
    return f"<think>A plate with holes.</think>A bracket.\n\n```{mark}\n{code}```\n"


@pytest.fixture(params=["native", "wasm"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    openscad(request.param, tmp_path)  # skips where it can't be had
    return str(request.param)


async def made(server: FakeLlm, folder: Path, wish: Wish, **options: Any) -> Look:
    given = {
        "base_url": server.base_url,
        "api_key": server.key,
        "model": server.model,
        "render_s": 180,
        **options,
    }
    tools = Tools(clock=ManualClock(), artifacts=FakeArtifacts(folder), folder=folder)
    return await look_of(openscad_provider("writer", given, tools), wish)


async def look_of(provider: CodeProvider, wish: Wish) -> Look:
    try:
        submitted = await provider.submit(wish, "gen-1", lambda _part, _stage: None)
    finally:
        await provider.close()
    assert submitted.look is not None
    return submitted.look


async def test_a_bracket_is_made_of_words_after_two_corrections(
    engine: str, tmp_path: Path
) -> None:
    async with served(FakeLlm(*map(answered, (UNCLOSED, UNKNOWN, BRACKET)))) as server:
        wish = Wish(kind=Kind.TEXT, prompt="a plate of 60 mm with two holes for M4")
        look = await made(server, tmp_path, wish, engine=engine)
        asked = [body["messages"][-1]["content"] for body in server.bodies]
    assert look.phase is Phase.SUCCEEDED
    assert "syntax error" in asked[1]
    assert "line 11" in asked[1]
    assert "Ignoring unknown module" in asked[2]
    assert "rounded_cuboid" in asked[2]
    assert look.told["rounds"] == 3
    measured = stl.measured(look.pieces[0].data)
    assert measured is not None
    assert [round(each, 2) for each in measured[1]] == [60.0, 20.0, 4.0]
    parameters = look.told["parameters"]
    assert isinstance(parameters, list)
    assert [each["name"] for each in parameters if isinstance(each, dict)] == [
        *("length", "thickness", "holes", "hole_diameter")
    ]
    assert look.said == "A bracket."


async def test_a_form_makes_the_same_part_in_another_size(engine: str, tmp_path: Path) -> None:
    async with served(FakeLlm()) as server:
        wish = Wish(
            kind=Kind.CODE, code=BRACKET, parameters={"length": 100, "thickness": 2.5, "holes": 4}
        )
        look = await made(server, tmp_path, wish, engine=engine)
        assert server.bodies == []
        beyond = Wish(kind=Kind.CODE, code=BRACKET, parameters={"length": 1000})
        with pytest.raises(ProviderFault) as caught:
            await made(server, tmp_path, beyond, engine=engine)
    measured = stl.measured(look.pieces[0].data)
    assert measured is not None
    assert [round(each, 2) for each in measured[1]] == [100.0, 20.0, 2.5]
    assert caught.value.blame is Blame.INVALID_INPUT
    assert "length is above 150" in caught.value.message


async def test_a_plate_is_made_of_words_in_python(tmp_path: Path) -> None:
    shut_in()
    fetched("cadquery")
    replies = [answered(code, "python") for code in (PLATE.replace("):", ")"), PLATE)]
    async with served(FakeLlm(*replies)) as server:
        given = {
            "base_url": server.base_url,
            "api_key": server.key,
            "model": server.model,
            "library": "cadquery",
        }
        tools = Tools(clock=ManualClock(), artifacts=FakeArtifacts(tmp_path), folder=tmp_path)
        look = await look_of(
            cad_python("writer", given, tools), Wish(kind=Kind.TEXT, prompt="a plate")
        )
        asked = [body["messages"] for body in server.bodies]
    assert look.phase is Phase.SUCCEEDED
    assert "CadQuery" in asked[0][0]["content"]
    assert "model.py, line 6: SyntaxError" in asked[1][-1]["content"]
    assert [each.role for each in look.pieces] == ["mesh", "step", "code"]
    assert look.told["size_mm"] == [40.0, 20.0, 5.0]
    assert look.pieces[-1].name == "model.py"
