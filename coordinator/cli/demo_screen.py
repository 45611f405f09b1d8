"""What the demo shows: bars on a terminal, a line at each change elsewhere."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from coordinator.cli import output
from coordinator.cli.client import Document
from coordinator.cli.watching import job_line, plain_lines, printers_table


class Screen:
    """Prints sentences as they come, and keeps the farm's state below them."""

    def __init__(self) -> None:
        self._console = output.console()
        self._live: Live | None = None
        self._said: set[str] = set()

    @property
    def is_terminal(self) -> bool:
        """Whether somebody looks on."""
        return self._console.is_terminal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.settle()

    def say(self, text: str, *, style: str = "") -> None:
        """Print a sentence above the moving part."""
        self._console.print(Text(text, style=style), soft_wrap=True)

    def show(self, job: Document, printers: Sequence[Document]) -> None:
        """Show how job and printers stand."""
        if not self.is_terminal:
            lines = plain_lines(job, printers)
            for line in lines:
                if line not in self._said:
                    self.say(line)
            self._said = set(lines)
            return
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
        self._live.update(Group("", job_line(job), printers_table(printers)), refresh=True)

    def settle(self) -> None:
        """Leave the moving part as it stands; later sentences come below it."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def table(self, rows: Sequence[tuple[str, str]]) -> None:
        """Print names and values."""
        table = Table.grid(padding=(0, 2))
        for name, value in rows:
            cells: tuple[RenderableType, ...] = (Text(name, style="bold"), value)
            table.add_row(*cells)
        self._console.print(table)
