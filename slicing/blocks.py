"""G-code as arrays: a file in blocks of whole lines, and the words of a block's commands at once.

Nearly all lines are capitals with plain numbers, a blank between them. Those are read here by
arithmetic on whole arrays; every other line is `odd` and read by `protocols.gcode`, one by one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Bytes: TypeAlias = NDArray[np.uint8]
Flags: TypeAlias = NDArray[np.bool_]
_Longs: TypeAlias = NDArray[np.uint64]

# Some 5,000 lines: their arrays fit into the caches, and the calls cost next to nothing.
BLOCK_BYTES = 1 << 17
_PAD = bytes(40)

_NEWLINE, _RETURN, _BLANK, _DOT, _MINUS, _PLUS, _SEMICOLON = b"\n\r .-+;"
# Digits that one load of eight bytes holds.
_DIGITS_MAX = 8
# With a line number of nine digits and a checksum, this many bytes still are a line.
_SHORT_BYTES = 70
# No word that is read here is longer.
_WORD_BYTES = 20
_POWERS = 10.0 ** np.arange(_DIGITS_MAX + 1)


@dataclass(slots=True, eq=False)
class Block:
    """Some lines of a file. Arrays with one item a line, unless told otherwise.

    Attributes:
        data: the bytes, ending with a newline, added where the file has none.
        size_bytes: those of them that are the file's.
        offset: of the first byte in the file.
        line: number of the first line in the file, 1 the file's first.
        starts, ends: where in `data` each line begins, and where its newline is.
        letters, numbers: of the line's command, as `G` and 1 for `G1`; letter 0: no command.
        odd: lines (their indices) that have to be read one by one; no command is set for them.
        comments: indices of lines that are a comment from their first byte.
        word_lines, word_letters, word_values: one item a word, in the order of the file, the
            command itself left out.
    """

    data: bytes
    size_bytes: int
    offset: int
    line: int
    starts: Ints
    ends: Ints
    letters: Bytes
    numbers: Floats
    odd: Ints
    comments: Ints
    word_lines: Ints
    word_letters: Bytes
    word_values: Floats

    def text(self, index: int) -> bytes:
        """Return a line with its end."""
        return self.data[self.starts[index] : self.ends[index] + 1]


def read_blocks(file: BinaryIO, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield a file from its beginning to its end.

    A line longer than two blocks is no G-code; its parts are lines of their own then.
    """
    offset, line, rest = 0, 1, b""
    while True:
        chunk = file.read(block_bytes)
        data = rest + chunk
        cut = data.rfind(b"\n") + 1
        added = not cut and (not chunk or len(data) >= 2 * block_bytes)
        if added and data:
            cut = len(data)
        if not chunk and cut < len(data):
            added, cut = True, len(data)
        rest = data[cut:]
        if cut:
            block = take_apart(data[:cut] + b"\n" * added, offset=offset, line=line)
            block.size_bytes = cut
            yield block
            offset += cut
            line += len(block.starts)
        if not chunk:
            return


def take_apart(data: bytes, *, offset: int = 0, line: int = 1) -> Block:
    """Return the lines and words in bytes that end with a newline."""
    text = np.frombuffer(data + _PAD, np.uint8)
    marked = (text - 65) < 26
    for byte in (_NEWLINE, _DOT, _SEMICOLON):
        marked |= text == byte
    marks = np.flatnonzero(marked)
    kinds = text[marks]
    is_end = kinds == _NEWLINE
    ends = marks[is_end]
    starts = np.concatenate(([0], ends[:-1] + 1))
    words, lines = _words(marks, kinds, is_end, ends)
    at = marks[words]
    letters = kinds[words]
    first = np.ones(len(words), np.bool_)
    np.not_equal(lines[1:], lines[:-1], out=first[1:])
    values, bad = _all_values(text, marks, words, at, first)
    first_lines = lines[first]
    is_odd = np.zeros(len(ends), np.bool_)
    is_odd[lines[bad]] = True
    is_odd[first_lines[at[first] != starts[first_lines]]] = True
    heads = text[starts]
    wordless = (heads != _SEMICOLON) & (heads != _NEWLINE) & (heads != _RETURN)
    wordless[first_lines] = False
    is_odd |= wordless
    if (ends - starts).max(initial=0) > _SHORT_BYTES:
        is_odd[lines[at - starts[lines] > _SHORT_BYTES - _WORD_BYTES]] = True

    line_letters = np.zeros(len(ends), np.uint8)
    line_numbers = np.zeros(len(ends))
    line_letters[first_lines] = letters[first]
    line_numbers[first_lines] = values[first]
    kept = ~first
    if is_odd.any():
        line_letters[is_odd] = 0
        kept &= ~is_odd[lines]
    return Block(
        data=data,
        size_bytes=len(data),
        offset=offset,
        line=line,
        starts=starts,
        ends=ends,
        letters=line_letters,
        numbers=line_numbers,
        odd=np.flatnonzero(is_odd),
        comments=np.flatnonzero(heads == _SEMICOLON),
        word_lines=lines[kept],
        word_letters=letters[kept],
        word_values=values[kept],
    )


def _words(marks: Ints, kinds: Bytes, is_end: Flags, ends: Ints) -> tuple[Ints, Ints]:
    """Return which marks are letters outside comments, and the index of the line of each."""
    words: Ints = np.flatnonzero((kinds - 65) < 26)
    lines: Ints = np.cumsum(is_end, dtype=np.int64)[words]
    semicolons = marks[kinds == _SEMICOLON]
    if len(semicolons):
        comment = ends.copy()
        # Of several in a line the first counts, so it comes last here.
        comment[np.searchsorted(ends, semicolons)[::-1]] = semicolons[::-1]
        outside: Flags = marks[words] < comment[lines]
        words, lines = words[outside], lines[outside]
    return words, lines


def _all_values(
    text: Bytes, marks: Ints, words: Ints, at: Ints, first: Flags
) -> tuple[Floats, Flags]:
    """Return what `_values` does; nearly all first words are `G1`, which needs no arithmetic."""
    digit = text[at + 1] - 48
    plain = first & (digit < 10) & (text[at + 2] == _BLANK)
    values, bad = digit.astype(np.float64), np.zeros(len(words), np.bool_)
    rest = ~plain
    values[rest], bad[rest] = _values(text, marks, words[rest], at[rest])
    # Another blank, or what is no letter, would stand where the next word has to.
    odd = plain & (marks[words + 1] != at + 3) & (text[at + 3] != _SEMICOLON)
    return values, bad | odd


def _values(text: Bytes, marks: Ints, words: Ints, at: Ints) -> tuple[Floats, Flags]:
    """Return the number behind each letter, and whether it is none that can be read here.

    Args:
        words, at: which marks the letters are, and where they stand.
    """
    # The last mark is a newline, so that behind a word, and behind a point, there is one.
    behind = words + 1
    dot = marks[behind]
    dotted = text[dot] == _DOT
    behind += dotted
    end = marks[behind]
    mark, before = text[end], text[end - 1]
    bad = dotted & (mark == _DOT)
    end -= (before == _BLANK) | ((before == _RETURN) & (mark == _NEWLINE))
    sign = text[at + 1]
    negative = sign == _MINUS
    start = at + 1
    start += negative | (sign == _PLUS)
    np.minimum(dot, end, out=dot)
    # Of the digits and the point, eight bytes are looked at; longer numbers are made of two parts.
    size = end - start
    size -= dotted
    places = end - dot
    places -= dotted
    long = np.flatnonzero(size >= _DIGITS_MAX)
    value, wrong = _number(text, start, dot - start, size)
    value /= _POWERS.take(places, mode="clip")
    if len(long):
        value[long], wrong[long] = _long_number(
            text, start[long], dot[long], end[long], dotted[long]
        )
    np.negative(value, out=value, where=negative)
    return value, bad | wrong


def _long_number(
    text: Bytes, start: Ints, dot: Ints, end: Ints, dotted: Flags
) -> tuple[Floats, Flags]:
    """Return numbers of up to eight digits on each side of the point."""
    whole, whole_bad = _number(text, start, dot - start, dot - start)
    places = end - dot - dotted
    fraction, fraction_bad = _number(text, dot + 1, places, places)
    power = _POWERS.take(places, mode="clip")
    # One division of whole numbers is rounded like the text itself would be.
    return (whole * power + fraction) / power, (
        whole_bad & (dot > start) | fraction_bad & (places > 0)
    )


_EACH = 0x0101010101010101


def _number(text: Bytes, start: Ints, dot: Ints, size: Ints) -> tuple[Floats, Flags]:
    """Return the digits of a number as a whole one, and whether they are not one to eight digits.

    Eight digits in a word of 64 bits become a number in three multiplications, pairs first.

    Args:
        start: where it begins.
        dot: how many digits stand before the point; the byte after them is left out.
        size: how many digits there are.
    """
    aligned = text[: len(text) // 8 * 8].view("<u8")
    index = start >> 3
    shift = ((start & 7) << 3).view(np.uint64)
    word: _Longs = aligned[index] >> shift
    index += 1
    word |= aligned[index] << (np.uint64(64) - shift)
    # Where a count makes no sense, a shift by too much leaves 0, and the size tells it is bad.
    before: _Longs = (np.uint64(1) << (dot << 3).view(np.uint64)) - np.uint64(1)
    after = word >> np.uint64(8)
    word &= before
    after &= ~before
    word |= after
    word ^= np.uint64(0x30 * _EACH)
    # Digits move to the upper end; zeros fill the lower one.
    word <<= ((_DIGITS_MAX - size) << 3).view(np.uint64)
    bad: Flags = ((word | (word + np.uint64(0x06 * _EACH))) & np.uint64(0xF0 * _EACH)) != 0
    bad |= (size < 1) | (size > _DIGITS_MAX)
    word *= np.uint64(10 * 256 + 1)
    word >>= np.uint64(8)
    word &= np.uint64(0x00FF00FF00FF00FF)
    word *= np.uint64(100 * 65536 + 1)
    word >>= np.uint64(16)
    word &= np.uint64(0x0000FFFF0000FFFF)
    word *= np.uint64(10000 * 4294967296 + 1)
    word >>= np.uint64(32)
    return word.astype(np.float64), bad
