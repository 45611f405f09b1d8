"""The printer's own card: files, and one that may be printed from it.

The wording is that of Marlin 2.1. Lines come from here into the command queue wherever the host
leaves room, and no `ok` follows them.
"""

from collections.abc import Callable, Iterator, Mapping

from protocols.gcode.lines import strip_comment


class Card:
    """A card, in or out.

    Attributes:
        printing: lines are taken from the selected file; not while it is paused.
        report_s: interval of status lines without being asked, 0 for none.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Have a card with these files."""
        self.printing = False
        self.report_s = 0.0
        self.report_at_s = 0.0
        self._files = files
        self._inserted = True
        self._selected: bytes | None = None
        self._read = 0

    @property
    def names(self) -> Iterator[str]:
        """Return what is on it, as M20 tells."""
        for name, data in sorted(self._files.items()):
            yield f"{name} {len(data)}"

    def insert(self, inserted: bool) -> str:
        """Take it in or out (M21, M22); returns what is said."""
        self._inserted = inserted
        if not inserted:
            self.stop()
        return "echo:SD card ok" if inserted else "echo:SD card released"

    def select(self, name: str) -> list[str]:
        """Open a file (M23); returns what is said."""
        data = self._files.get(name) if self._inserted else None
        self.stop()
        if data is None:
            return [f"open failed, File: {name}."]
        self._selected = data
        return [f"File opened: {name} Size: {len(data)}", "File selected"]

    def start(self) -> bool:
        """Print the selected file, or go on with it (M24); returns whether there is one."""
        self.printing = self._selected is not None
        return self.printing

    def pause(self) -> None:
        """Print no further for now (M25)."""
        self.printing = False

    def stop(self) -> None:
        """Forget the selected file (M524)."""
        self.printing, self._selected, self._read = False, None, 0

    @property
    def status(self) -> str:
        """What M27 answers."""
        if self._selected is None or (not self.printing and not self._read):
            return "Not SD printing"
        return f"SD printing byte {self._read}/{len(self._selected)}"

    def begin(self, name: str, say: Callable[[str], None]) -> bool:
        """Print a file as a person at the panel does; returns whether there is one."""
        for text in self.select(name):
            say(text)
        return self.start()

    def take(self, count: int, say: Callable[[str], None]) -> list[str]:
        """Return the next commands of the file being printed; its end is said."""
        texts: list[str] = []
        while len(texts) < count and self.printing:
            if text := self._next_line():
                texts.append(text)
            else:
                say("Done printing file")
        return texts

    def _next_line(self) -> str | None:
        """Return the next command of the file being printed, None at its end, which stops it."""
        data = self._selected
        while data is not None and self._read < len(data):
            end = data.find(b"\n", self._read) + 1 or len(data)
            line = data[self._read : end].decode("latin-1")
            self._read = end
            if text := strip_comment(line):
                return text
        self.stop()
        return None
