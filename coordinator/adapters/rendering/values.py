"""What a renderer is given and what it gives back, the same for all languages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from coordinator.adapters.sandbox.limits import Limits
from coordinator.domain.code_forms import Parameter, Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What a tool has against code; `line` counts from 1, 0 where it does not tell."""

    message: str
    file: str = ""
    line: int = 0
    fatal: bool = True

    def __str__(self) -> str:
        """Return it as a line for people and language models."""
        place = f"line {self.line}: " if self.line else ""
        return f"{self.file + ', ' if self.file and self.line else ''}{place}{self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A file that was made: `mesh` or `step`."""

    role: str
    suffix: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """Geometry.

    Attributes:
        files: the mesh first.
        size_mm: in x, y and z.
        tool: and its version, with the level that it was shut in at.
        complaints: what is not fatal.
    """

    files: tuple[Made, ...]
    triangles: int
    size_mm: tuple[float, float, float]
    tool: str
    wall_s: float
    complaints: tuple[Complaint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrendered:
    """No geometry, and why.

    Attributes:
        fault: in one sentence.
        words: the end of what the tool said, where no complaint tells more.
        limited: a limit ended it; the same code may do with a simpler wish.
    """

    fault: str
    complaints: tuple[Complaint, ...] = ()
    words: str = ""
    limited: bool = False

    def __str__(self) -> str:
        """Return all of it, for a language model or a person who wrote the code."""
        lines = [str(each) for each in self.complaints] or self.words.splitlines()
        return "\n".join([self.fault, *lines])


class Renderer(Protocol):
    """Code in one language becomes geometry."""

    @property
    def language(self) -> str:
        """The language: `openscad`, `build123d`, `cadquery`, `freecad`."""

    @property
    def libraries(self) -> tuple[str, ...]:
        """The libraries of code that are there: `BOSL2`."""

    @property
    def trouble(self) -> str:
        """Why nothing can be rendered here, and what to install; empty where it can."""

    @property
    def tool(self) -> str:
        """What renders, with its version, for a person."""

    def parameters(self, code: str) -> tuple[Parameter, ...]:
        """Return the form that code asks for; it is read, not run."""

    async def render(
        self, code: str, parameters: Mapping[str, Scalar], limits: Limits
    ) -> Rendered | Unrendered:
        """Make geometry of code, with these values in place of its own.

        Raises:
            Unavailable: this machine can't; `trouble` tells.
        """
