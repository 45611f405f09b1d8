"""Which baud rate a board speaks, where nobody said: tried one by one, and remembered.

A board that prints answers at the rate that is remembered; only one that never answered is asked
at others, since what it hears at a wrong rate is noise.
"""

from contextlib import suppress
from pathlib import Path

# The commonest first: Marlin's two defaults, then what other boards and slow cables use.
BAUD_RATES = (115200, 250000, 57600, 230400, 500000, 1000000, 38400, 19200, 9600)
# A board that was reset by the opening of its port boots for some seconds, with a card for ten.
TRIAL_S = 12.0
# So often a rate that was right may bring no answer before others are tried: mostly it is off.
SILENCES_MAX = 3


class BaudRates:
    """The rate of one printer.

    Attributes:
        current: to open the port with.
        searching: nobody knows whether it is right.
    """

    def __init__(self, configured: int, path: Path | None) -> None:
        """Begin with a rate.

        Args:
            configured: what the settings say; 0: it is found out.
            path: where what was found is remembered; None: nowhere.
        """
        self._fixed = configured > 0
        self._path = path
        self._silences = 0
        known = configured or _remembered(path)
        self.searching = not known
        self.current = known or BAUD_RATES[0]

    def answered(self) -> None:
        """The printer is understood at the current rate."""
        self._silences = 0
        if self.searching:
            self.searching = False
            if self._path is not None:
                with suppress(OSError):  # then it is searched again
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    self._path.write_text(f"{self.current}\n")

    def silent(self) -> None:
        """Nobody was understood at the current rate though the port was open."""
        self._silences += 1
        if self._fixed or not (self.searching or self._silences >= SILENCES_MAX):
            return
        self.searching = True
        place = BAUD_RATES.index(self.current) + 1 if self.current in BAUD_RATES else 0
        self.current = BAUD_RATES[place % len(BAUD_RATES)]


def _remembered(path: Path | None) -> int:
    """Return the rate in a file, 0 where there is none."""
    with suppress(OSError, ValueError):
        if path is not None:
            return max(0, int(path.read_text()))
    return 0
