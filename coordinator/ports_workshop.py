"""What makes geometry that came from somewhere printable."""

from pathlib import Path
from typing import Protocol

from coordinator.domain.slicing import Making, Printable
from coordinator.errors import Unavailable
from coordinator.ports import Progress


class Workshop(Protocol):
    """Geometry that came from somewhere, made printable: in a child process, as slicing is."""

    async def make_printable(
        self, model: Path, making: Making, output: Path, progress: Progress
    ) -> Printable:
        """Scale, turn, mend and look at a model.

        Args:
            model: the file; its suffix tells the format.
            output: a folder; the mesh is written there as `model` with the format's suffix, and
                pictures beside it. Nothing is written where there are faults that leave no mesh.

        Raises:
            Refused: not a model, or beyond mending.
            Unavailable: the process crashed or took too long.
        """

    async def as_stl(self, model: Path, output: Path) -> None:
        """Write a model as a binary STL in millimetres, just as it is: nothing is mended.

        Args:
            model: the file; its content tells the format.
            output: the STL; it appears there once it is whole.

        Raises:
            Refused: not a model, or one that is no good.
            Unavailable: the process crashed or took too long.
        """


class NoWorkshop:
    """Implements `Workshop` for a farm that takes models as they are."""

    async def make_printable(
        self, model: Path, making: Making, output: Path, progress: Progress
    ) -> Printable:
        """Make nothing."""
        del model, making, output, progress
        raise Unavailable("no_workshop", "this farm has no workshop for models")

    async def as_stl(self, model: Path, output: Path) -> None:
        """Write nothing."""
        del model, output
        raise Unavailable("no_workshop", "this farm has no workshop for models")
