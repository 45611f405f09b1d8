"""Pictures in G-code, as slicers put them there: PNGs in comments, for screens and for us.

`; thumbnail begin 220x124 15684`, the picture in base64 in lines of 78 characters, and `; thumbnail
end`; the number counts the characters. `protocols.gcode.headers` reads them back.
"""

import binascii
import os
import shutil
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_ROW_CHARACTERS = 78
_HEAD_BYTES = 256 * 1024  # pictures stand before the first command


def put(path: Path, pictures: Sequence[bytes]) -> None:
    """Put PNGs into a file of G-code, behind its first line, where slicers have them.

    The first line stays first, because it tells who sliced.

    Raises:
        ValueError: a picture is no PNG.
    """
    text = b"".join(comments(picture, *size_px(picture)) for picture in pictures)
    if not text:
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".farmhand-thumbnails-")
    try:
        with os.fdopen(handle, "wb") as made, path.open("rb") as file:
            first = file.readline()
            own = not first.startswith(b";")  # a command: the pictures go above it
            made.write(text + first if own else first + text)
            shutil.copyfileobj(file, made, 1 << 20)
        shutil.copymode(path, name)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def present(path: Path) -> bool:
    """Return whether a file of G-code has pictures already."""
    with path.open("rb") as file:
        return b"; thumbnail begin " in file.read(_HEAD_BYTES)


def comments(picture: bytes, width_px: int, height_px: int) -> bytes:
    """Return a picture as lines of comments."""
    text = binascii.b2a_base64(picture, newline=False)
    rows = [text[at : at + _ROW_CHARACTERS] for at in range(0, len(text), _ROW_CHARACTERS)]
    return b"".join(
        (
            b";\n; thumbnail begin %dx%d %d\n" % (width_px, height_px, len(text)),
            *(b"; %b\n" % row for row in rows),
            b"; thumbnail end\n;\n",
        )
    )


def size_px(picture: bytes) -> tuple[int, int]:
    """Return width and height of a PNG, from its first chunk.

    Raises:
        ValueError: it is none.
    """
    if not picture.startswith(_PNG_MAGIC) or picture[12:16] != b"IHDR":
        raise ValueError("the picture is no PNG")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height
