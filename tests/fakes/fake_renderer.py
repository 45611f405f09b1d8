"""A renderer that makes what it was told of any code, but for code that says it is broken."""

from collections.abc import Mapping

from coordinator.adapters.rendering.openscad_form import form_of
from coordinator.adapters.rendering.values import (
    Complaint,
    Made,
    Parameter,
    Rendered,
    Scalar,
    Unrendered,
)
from coordinator.adapters.sandbox.limits import Limits


class FakeRenderer:
    """Renders nothing; keeps what it was asked."""

    language = "openscad"
    libraries = ("BOSL2",)
    tool = "a renderer of the tests"

    def __init__(self, mesh: bytes = b"mesh", trouble: str = "") -> None:
        self.mesh = mesh
        self.trouble = trouble
        self.asked: list[tuple[str, dict[str, Scalar]]] = []

    def parameters(self, code: str) -> tuple[Parameter, ...]:
        return form_of(code)

    async def render(
        self, code: str, parameters: Mapping[str, Scalar], limits: Limits
    ) -> Rendered | Unrendered:
        del limits
        self.asked.append((code, dict(parameters)))
        if "broken" in code:
            complaint = Complaint(message="it is broken", file="model.scad", line=3)
            return Unrendered(fault="OpenSCAD could not make it", complaints=(complaint,))
        return Rendered(
            files=(Made(role="mesh", suffix=".stl", data=self.mesh),),
            triangles=12,
            size_mm=(1.0, 2.0, 3.0),
            tool=self.tool,
            wall_s=0.1,
        )
