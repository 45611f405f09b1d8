"""OpenSCAD code becomes a mesh: the system's OpenSCAD and the WebAssembly build, both real."""

import os
from pathlib import Path

import pytest

from coordinator.adapters.rendering.openscad import OpenScad
from coordinator.adapters.rendering.values import Rendered, Unrendered
from coordinator.adapters.sandbox.levels import Found, Level
from coordinator.adapters.sandbox.limits import Limits
from coordinator.adapters.sandbox.sandbox import Sandbox
from tests.edges.rendering import LIMITS, openscad

BOX = """\
// how wide, in mm
width = 20; // [10:100]
label = "a"; // [a, b, "x\\"; cube(500); //"]
height = 5;
round = false;
cube([width, label == "a" ? 10 : 12, round ? 1 : height]);
"""


@pytest.fixture(params=["native", "wasm"])
def renderer(request: pytest.FixtureRequest, tmp_path: Path) -> OpenScad:
    return openscad(request.param, tmp_path / "jobs")


async def made(
    renderer: OpenScad, code: str, parameters: dict[str, str | int | float | bool] | None = None
) -> Rendered:
    found = await renderer.render(code, parameters or {}, LIMITS)
    assert isinstance(found, Rendered), found
    return found


async def refused(renderer: OpenScad, code: str, limits: Limits = LIMITS) -> Unrendered:
    found = await renderer.render(code, {}, limits)
    assert isinstance(found, Unrendered), found
    return found


async def test_code_becomes_a_mesh_with_its_size(renderer: OpenScad) -> None:
    found = await made(renderer, BOX)
    assert found.size_mm == (20.0, 10.0, 5.0)
    assert found.triangles == 12
    assert len(found.files[0].data) == 84 + 12 * 50
    assert "OpenSCAD 20" in found.tool
    assert os.listdir(renderer._folder) == []


async def test_parameters_take_the_place_of_the_code_s_own(renderer: OpenScad) -> None:
    found = await made(renderer, BOX, {"width": 33, "label": "b", "height": 7.5, "round": True})
    assert found.size_mm == (33.0, 12.0, 1.0)


async def test_a_text_that_looks_like_code_stays_a_text(renderer: OpenScad) -> None:
    code = 'label = "a";\ncube(len(label));'
    found = await made(renderer, code, {"label": '"; cube(500); //'})
    assert found.size_mm == (16.0, 16.0, 16.0)


async def test_a_parameter_that_does_not_fit_is_refused_before_anything_runs(
    renderer: OpenScad,
) -> None:
    found = await renderer.render(BOX, {"width": 5, "nothing": 1}, LIMITS)
    assert isinstance(found, Unrendered)
    assert [each.message for each in found.complaints] == [
        "there is no parameter 'nothing'",
        "width is below 10 (integer)",
    ]


@pytest.mark.parametrize(
    ("code", "line", "message"),
    [
        ("cube(1);\ncube(;", 2, "syntax error"),
        ("foo();\ncube(1);", 1, "Ignoring unknown module"),
        ('cube(1);\nassert(1 == 2, "too thin");', 2, "too thin"),
        ("function f(x) = f(x + 1);\ncube(f(1));", 1, "Recursion"),
        ("include <nothere.scad>\ncube(1);", None, "Can't open"),
        ("square(3);", None, "not a 3D object"),
        ("", None, "is empty"),
    ],
)
async def test_an_error_is_told_with_its_line(
    renderer: OpenScad, code: str, line: int | None, message: str
) -> None:
    found = await refused(renderer, code)
    assert any(message in each.message for each in found.complaints), found
    if line is not None:
        assert line in {each.line for each in found.complaints}


async def test_code_does_not_see_files_of_this_machine(renderer: OpenScad, tmp_path: Path) -> None:
    secret = tmp_path / "secret.dat"
    secret.write_text("1 2 3\n4 5 6\n")
    found = await refused(renderer, f'surface("{secret}");')
    assert "couldn't be opened" in str(found)


async def test_code_that_takes_too_long_is_ended(renderer: OpenScad) -> None:
    code = "function f(n) = n < 2 ? n : f(n - 1) + f(n - 2);\ncube(f(60));"
    found = await refused(renderer, code, Limits(wall_s=2.0))
    assert found.limited
    assert "longer than 2 s" in found.fault


@pytest.mark.parametrize(
    "code",
    [
        "include <BOSL2/std.scad>\ncuboid([20, 20, 10], rounding = 2);",
        'linear_extrude(2) text("farm", size = 10);',
    ],
    ids=["BOSL2", "text"],
)
async def test_libraries_and_fonts_are_there(renderer: OpenScad, code: str) -> None:
    found = await made(renderer, code)
    assert found.triangles > 50


async def test_the_webassembly_build_needs_no_namespaces(tmp_path: Path) -> None:
    weak = Sandbox(Found(level=Level.RLIMITS, words="the kernel refuses"))
    found = await made(openscad("wasm", tmp_path, weak), BOX)
    assert found.tool.endswith("sandbox rlimits")


def test_the_system_s_openscad_is_not_run_without_namespaces(tmp_path: Path) -> None:
    weak = Sandbox(Found(level=Level.RLIMITS, words="the kernel refuses"))
    made = OpenScad(weak, tmp_path, engine="native")
    assert made.trouble
    assert "farmhand setup openscad" in made.trouble
