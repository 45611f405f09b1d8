"""The same move in fewer bytes, for slow links: no redundant zeros, no blanks that nobody needs.

Only G0 to G3 and G92 are touched, and only where every word is a letter with a number: nearly all
bytes of a file are theirs, and no firmware takes text, a file name or a macro behind them.

Forms that every firmware here reads, since all of them read numbers as C's `strtod` does or, as
Klipper, as Python's `float`: `X10` for `X10.000`, `X.5` for `X0.50`, `X-.5`, and `X0` for `X-0.0`.
Never written: `X10.` and `X.` (Marlin wants a digit behind a leading point, Klipper is not asked
to bear either), `G1` for `G01` (Klipper looks the word up), or a rounded value.

Blanks between words go only where the dialect says so, and even there stays

- the one before `E`: old Marlins and some commands of Prusa's read `Y20E5` as 20 * 10^5;
- the one before `X` behind a zero: `strtof` of 32-bit boards reads `Y0X10` as hexadecimal.
"""

import re

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)"
_MOVE = re.compile(rf"(G(?:[0-3]|92))((?:[ \t]*[A-Z]{_NUMBER})+)[ \t]*", re.ASCII)
_WORD = re.compile(r"([A-Z])([-+]?)0*(\d*)(?:\.(\d*?)0*)?(?![\d.])", re.ASCII)


def shorten(command: str, *, glued: bool = False) -> str:
    """Return a command that says the same in no more bytes; done twice, it changes nothing more.

    Args:
        command: as `program.command_in` returns it.
        glued: the firmware needs no blanks between words (`Dialect.reads_glued_words`).
    """
    move = _MOVE.fullmatch(command)
    if move is None:
        return command
    said, words = move.groups()
    number = ""
    for letter, sign, whole, fraction in _WORD.findall(words):
        if not glued or letter == "E" or (letter == "X" and number == "0"):
            said += " "
        number = f"{whole}.{fraction}" if fraction else whole or "0"
        said += f"{letter}-{number}" if sign == "-" and number != "0" else letter + number
    return said if len(said) < len(command) else command
