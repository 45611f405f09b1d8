"""Run within the sandbox, by build123d's Python, CadQuery's, or FreeCAD: programs to STL and STEP.

    FARMHAND_LIBRARY=build123d python cad_runner.py
    FARMHAND_LIBRARY=freecad freecadcmd cad_runner.py

FreeCAD runs a file under a name of its own and takes arguments for documents, so the library is
told by the environment. It ends with 0 whatever happened: what counts is result.json.

It reads model.py and parameters.json, and writes model.stl, model.step and result.json. It is ours,
but shares its process with the program: whatever it writes is looked at as a stranger's. It
imports nothing of ours, because nothing of ours is there.
"""

import inspect
import json
import os
import sys
import traceback
import types
from pathlib import Path
from typing import Any

# In mm and radians: what a nozzle of 0.4 mm can't show.
_TOLERANCE, _ANGLE = 0.02, 0.2
_TRACE_LINES = 12


def main(library: str) -> None:
    """Make everything, or say at which step it failed."""
    phase = "parse"
    try:
        code = compile(Path("model.py").read_text(encoding="utf-8"), "model.py", "exec")
        values = json.loads(Path("parameters.json").read_text(encoding="utf-8"))
        phase = "run"
        made = _built(code, values)
        phase = "export"
        told = _EXPORTS[library](made)
    except BaseException as error:  # a program may raise anything, SystemExit too
        told = {"phase": phase, **_complaint(error)}
    Path("result.json").write_text(json.dumps(told), encoding="utf-8")


def _built(code: types.CodeType, values: dict[str, Any]) -> Any:
    module = types.ModuleType("model")
    # Dataclasses look their own module up.
    sys.modules["model"] = module
    exec(code, module.__dict__)
    params, build = getattr(module, "Params", None), getattr(module, "build", None)
    if build is None:
        if not hasattr(module, "result"):
            raise ValueError("there is neither a function build(params) nor a variable result")
        return module.result
    if not inspect.signature(build).parameters:
        return build()
    return build(params(**values) if params is not None else types.SimpleNamespace(**values))


def _export_build123d(made: Any) -> dict[str, Any]:
    import build123d

    made = getattr(made, "part", made)
    if isinstance(made, list | tuple):
        made = build123d.Compound(children=list(made))
    if not isinstance(made, build123d.Shape):
        raise TypeError(f"build gave a {type(made).__name__}, and not a part")
    _demand(made.volume, made.is_valid if isinstance(made.is_valid, bool) else made.is_valid())
    build123d.export_stl(made, "model.stl", tolerance=_TOLERANCE, angular_tolerance=_ANGLE)
    build123d.export_step(made, "model.step")
    return {"phase": "done", "volume_mm3": made.volume}


def _export_cadquery(made: Any) -> dict[str, Any]:
    import cadquery

    if isinstance(made, cadquery.Assembly):
        made = made.toCompound()
    if isinstance(made, cadquery.Workplane):
        shapes = [each for each in made.vals() if isinstance(each, cadquery.Shape)]
        made = shapes[0] if len(shapes) == 1 else cadquery.Compound.makeCompound(shapes)
    if not isinstance(made, cadquery.Shape):
        raise TypeError(f"build gave a {type(made).__name__}, and not a part")
    _demand(made.Volume(), made.isValid())
    made.exportStl("model.stl", tolerance=_TOLERANCE, angularTolerance=_ANGLE)
    made.exportStep("model.step")
    return {"phase": "done", "volume_mm3": made.Volume()}


def _export_freecad(made: Any) -> dict[str, Any]:
    import MeshPart
    import Part

    several = made if isinstance(made, list | tuple) else [made]
    shapes: list[Any] = [getattr(each, "Shape", each) for each in several]
    for each in shapes:
        if not isinstance(each, Part.Shape):
            raise TypeError(f"build gave a {type(each).__name__}, and not a part")
    shape = shapes[0] if len(shapes) == 1 else Part.makeCompound(shapes)
    _demand(shape.Volume, shape.isValid())
    mesh = MeshPart.meshFromShape(
        Shape=shape, LinearDeflection=_TOLERANCE, AngularDeflection=_ANGLE, Relative=False
    )
    mesh.write("model.stl")
    shape.exportStep("model.step")
    return {"phase": "done", "volume_mm3": shape.Volume}


def _demand(volume_mm3: float, valid: bool) -> None:
    if not volume_mm3 > 0:
        raise ValueError("what was built is no solid: it has no volume")
    if not valid:
        raise ValueError("what was built is not valid: faces cross each other or do not meet")


def _complaint(error: BaseException) -> dict[str, Any]:
    """Return what happened, with the last line of the program that took part in it."""
    lines = [
        each.lineno
        for each in traceback.extract_tb(error.__traceback__)
        if each.filename == "model.py"
    ]
    if isinstance(error, SyntaxError) and error.filename == "model.py":
        lines.append(error.lineno)
    trace = "".join(traceback.format_exception(error)).splitlines()
    return {
        "error_type": type(error).__name__,
        "message": str(getattr(error, "msg", "") or error)[:1000],
        "line": next((each for each in reversed(lines) if each), 0),
        "trace": trace[-_TRACE_LINES:],
    }


_EXPORTS = {
    "build123d": _export_build123d,
    "cadquery": _export_cadquery,
    "freecad": _export_freecad,
}

if library := os.environ.get("FARMHAND_LIBRARY"):
    main(library)
