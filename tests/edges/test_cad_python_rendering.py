"""CAD Python becomes a mesh and STEP: the real build123d and the real CadQuery, in the sandbox."""

import os
from pathlib import Path

import pytest

from coordinator.adapters.rendering.cad_python import CadPython
from coordinator.adapters.rendering.values import Rendered, Unrendered
from coordinator.adapters.sandbox.levels import Found, Level
from coordinator.adapters.sandbox.limits import Limits
from coordinator.adapters.sandbox.sandbox import Sandbox
from coordinator.domain.code_forms import Scalar
from tests.edges.rendering import fetched, shut_in

LIMITS = Limits(wall_s=180.0, cpu_s=120, memory_mib=3072)
PARAMS = """\
from dataclasses import dataclass
@dataclass
class Params:
    width: float = 40.0  # [10:200] how wide, in mm
    hole: float = 6.0  # [2:10]
"""
PLATES = {
    "build123d": f"""\
from build123d import *
{PARAMS}
def build(params: Params):
    with BuildPart() as part:
        Box(params.width, 20, 5, align=(Align.CENTER, Align.CENTER, Align.MIN))
        fillet(part.edges().filter_by(Axis.Z), radius=2)
        Hole(params.hole / 2)
    return part.part
""",
    "cadquery": f"""\
import cadquery as cq
{PARAMS}
def build(params):
    plate = cq.Workplane("XY").box(params.width, 20, 5, centered=(True, True, False))
    return plate.edges("|Z").fillet(2).faces(">Z").workplane().hole(params.hole)
""",
    "freecad": f"""\
import Part
from FreeCAD import Vector
{PARAMS}
def build(params):
    plate = Part.makeBox(params.width, 20, 5, Vector(-params.width / 2, -10, 0))
    upright = [e for e in plate.Edges if abs(e.tangentAt(e.FirstParameter).z) > 0.99]
    return plate.makeFillet(2, upright).cut(Part.makeCylinder(params.hole / 2, 5))
""",
}


def renderer(library: str, folder: Path) -> CadPython:
    sandbox = shut_in()
    if library != "freecad":
        fetched(library)
    made = CadPython(sandbox, folder, library)
    if made.trouble:
        pytest.skip(made.trouble)
    return made


async def refused(
    folder: Path,
    code: str,
    parameters: dict[str, Scalar] | None = None,
    library: str = "build123d",
) -> Unrendered:
    made = renderer(library, folder)
    found = await made.render(code, parameters or {}, LIMITS)
    assert isinstance(found, Unrendered), found
    assert os.listdir(folder) == []
    return found


@pytest.mark.parametrize("library", sorted(PLATES))
async def test_a_program_becomes_a_mesh_and_step_with_its_parameters(
    library: str, tmp_path: Path
) -> None:
    found = await renderer(library, tmp_path).render(PLATES[library], {"width": 50}, LIMITS)
    assert isinstance(found, Rendered), found
    assert [round(each, 3) for each in found.size_mm] == [50.0, 20.0, 5.0]
    assert found.triangles > 100
    assert [(each.role, each.suffix) for each in found.files] == [
        ("mesh", ".stl"),
        ("step", ".step"),
    ]
    assert b"AUTOMOTIVE_DESIGN" in found.files[1].data
    assert library in found.tool.lower()
    assert os.listdir(tmp_path) == []


ERRORS = [
    ("x =", 1, "SyntaxError"),
    ("def build(params):\n    a = 1\n    return rounded(a)", 3, "NameError: name 'rounded'"),
    ("def build(params):\n    raise SystemExit(0)", 2, "SystemExit"),
    ("import nothing_like_it", 1, "ModuleNotFoundError"),
    ("x = 1", None, "neither a function build(params) nor a variable result"),
    ("open('/etc/passwd')", 1, "FileNotFoundError"),
    ("import socket\nsocket.create_connection(('127.0.0.1', 1))", 2, "OSError"),
    ("def f(): f()\nresult = f()", 1, "RecursionError"),
]


# FreeCAD ends well whatever a program did.
@pytest.mark.parametrize("library", ["build123d", "freecad"])
@pytest.mark.parametrize(("code", "line", "message"), ERRORS)
async def test_an_error_is_told_with_its_line(
    tmp_path: Path, library: str, code: str, line: int | None, message: str
) -> None:
    found = await refused(tmp_path, code, library=library)
    (complaint,) = found.complaints
    assert message in complaint.message
    assert line is None or complaint.line == line


async def test_what_is_no_part_is_refused(tmp_path: Path) -> None:
    found = await refused(tmp_path, "def build(params):\n    return 'a cube'")
    assert "build gave a str" in str(found)


async def test_a_parameter_that_does_not_fit_is_refused_before_anything_runs(
    tmp_path: Path,
) -> None:
    found = await refused(tmp_path, PLATES["build123d"], {"width": 1000})
    assert "width is above 200" in str(found)


FORGED = "import os\nopen('result.json', 'w').write('{\"phase\": \"done\"}')\nos._exit(0)"


@pytest.mark.parametrize(
    "code",
    [
        FORGED,
        "import os\nos.symlink('/usr/bin/env', 'model.stl')\n" + FORGED,
        "import os\nopen('result.json', 'w').write('[' * 90000)\nos._exit(0)",
        "import os\nos.mkfifo('result.json')\nos._exit(0)",
        "import os\nos._exit(0)",
    ],
    ids=["forged", "linked", "nested", "fifo", "silent"],
)
async def test_a_program_that_writes_the_answer_itself_gains_nothing(
    tmp_path: Path, code: str
) -> None:
    found = await refused(tmp_path, code)
    assert found.fault


def test_python_is_not_run_where_it_can_t_be_shut_in(tmp_path: Path) -> None:
    fetched("build123d")
    weak = Sandbox(Found(level=Level.RLIMITS, words="the kernel refuses"))
    assert "the kernel refuses" in CadPython(weak, tmp_path, "build123d").trouble


def test_a_freecad_that_is_not_there_is_named(tmp_path: Path) -> None:
    made = CadPython(Sandbox(Found(level=Level.BWRAP)), tmp_path, "freecad", "no-such-freecadcmd")
    assert made.trouble == "there is no no-such-freecadcmd: sudo apt-get install freecad"


def test_a_library_that_is_not_there_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("FARMHAND_ENGINES_FOLDER", str(tmp_path))
    weak = Sandbox(Found(level=Level.BWRAP))
    assert "farmhand setup cadquery" in CadPython(weak, tmp_path, "cadquery").trouble
