"""Where the nozzle goes, block by block: positions and filament of many lines at once.

Modes (`G90`, `M83`, `G20`), homing, tools and heat change seldom, and are followed one by one by
`protocols.gcode.modal`; moves only need arithmetic on arrays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from protocols.gcode.arcs import arc_middle
from protocols.gcode.lines import Command, parse, strip_comment
from protocols.gcode.modal import MM_PER_INCH, ModalState
from protocols.gcode.program import PAUSES
from slicing.arcs import Arcs, measure
from slicing.blocks import Block, Flags, Floats, Ints

Event = tuple[int, Command]
"""Index of a line in its block, and its command."""

_G, _M, _T = b"GMT"
_MOVES_MAX = 3  # G0 to G3
_SETS_PLACE = 92


def _table(*numbers: int) -> Flags:
    """Return what tells for the number of a command, up to 999, whether it is one of these."""
    table = np.zeros(1000, np.bool_)
    table[list(numbers)] = True
    return table


# Followed one by one.
_FOLLOWED_G = _table(10, 20, 21, 28, 90, 91)
_FOLLOWED_M = _table(82, 83, 104, 109, 140, 141, 190, 191, 568)


# What a host keeps to itself (`protocols.gcode.program.PAUSES`).
_PAUSES = _table(*(int(name[1:]) for name in PAUSES))


@dataclass(slots=True, eq=False)
class Motion:
    """What the lines of a block do, in millimetres; arrays of one item a line, unless told else.

    Attributes:
        moves: it is a move, G0 to G3.
        places: X, Y and Z before the first line, and after each: three rows of one more than lines.
        extruded: filament, less than 0 where it is pulled back.
        laid: indices of moves that extrude while they go somewhere.
        axes: letter -> indices of the moves that name it, in order.
        absolute: places are absolute.
        unit: millimetres of a unit; of an item a line, or one for all.
        arcs: those of the moves that are arcs.
        events: lines that change modes, tool or heat, or home.
        others: indices of lines with a command that is no move, and is none for the host alone.
        shifts: indices of lines that call a place by other numbers (G92 X, Y, Z).
    """

    moves: Flags
    places: Floats
    extruded: Floats
    laid: Ints
    axes: dict[str, Ints]
    absolute: Flags
    unit: Floats
    arcs: Arcs
    events: Sequence[Event]
    others: Ints
    shifts: list[int]


@dataclass(slots=True, eq=False)
class _Modes:
    """What holds for each line of a block."""

    absolute: Flags
    absolute_e: Flags
    unit: Floats
    moves_absolute: bool
    extrudes_absolute: bool
    inches_seen: bool


@dataclass(slots=True)
class Follower:
    """Follows a file from block to block.

    Attributes:
        state: modes, tool and heat behind all lines so far; the places in it are not kept.
    """

    state: ModalState = field(default_factory=ModalState)
    _last: dict[str, float] = field(default_factory=lambda: dict.fromkeys("XYZE", 0.0))

    def follow(self, block: Block, odd: Sequence[Event]) -> Motion:
        """Return what a block does.

        Args:
            odd: its odd lines that hold a command; they are entered into the block.
        """
        _enter(block, odd)
        count = len(block.starts)
        is_g = block.letters == _G
        numbers = block.numbers
        moves = is_g & (numbers <= _MOVES_MAX) & (np.floor(numbers) == numbers)
        sets = is_g & (block.numbers == _SETS_PLACE)
        others = _others(block, moves)
        events = list(_events(block, odd, others))
        modes = self._modes(count, events)
        zeroed = _zeroed(block, events, np.flatnonzero(sets))
        places = np.empty((3, count + 1))
        axes: dict[str, Ints] = {}
        shifts: set[int] = set()
        any_sets = bool(sets.any())
        for row, letter in enumerate("XYZ"):
            at, values, placed = _words(block, letter, moves, sets, modes, zeroed)
            after = self._after(letter, values, placed)
            places[row] = np.repeat(after, np.diff(at, prepend=-1, append=count))
            axes[letter] = at.take(np.flatnonzero(moves[at]))
            if any_sets:
                shifts.update(set(at[sets[at]].tolist()).difference(zeroed[letter]))
        at, values, placed = _words(block, "E", moves, sets, modes, zeroed)
        after = self._after("E", values, placed)
        step = np.where(placed, np.diff(after), values)
        extruded = np.zeros(count)
        drawn = np.flatnonzero(moves[at])
        extruded[at.take(drawn)] = step.take(drawn)
        arcs = _arcs(block, moves, places, modes)
        moved = (places[:, 1:] != places[:, :-1]).any(axis=0)
        rises = places[2, arcs.lines + 1] != places[2, arcs.lines]
        moved[arcs.lines] = (arcs.length_mm > 0) | rises
        return Motion(
            moves=moves,
            places=places,
            extruded=extruded,
            laid=np.flatnonzero((extruded > 0) & moved & moves),
            axes=axes,
            absolute=modes.absolute,
            unit=modes.unit,
            arcs=arcs,
            events=events,
            others=others,
            shifts=sorted(shifts),
        )

    def _after(self, letter: str, values: Floats, placed: Flags) -> Floats:
        """Return where an axis is before all its words, and after each; keeps the last."""
        after = np.empty(len(values) + 1)
        after[0] = self._last[letter]
        after[1:] = values
        if not placed.all():
            # What is added is summed from the last place that was set, rounded word by word as
            # `protocols.gcode.modal` does: a layer may hang on the last digit.
            changes = np.flatnonzero(np.diff(placed, prepend=True, append=True))
            for begin, end in changes.reshape(-1, 2).tolist():
                run = after[begin : end + 1]
                np.cumsum(run, out=run)
        self._last[letter] = float(after[-1])
        return after

    def _modes(self, count: int, events: Sequence[Event]) -> _Modes:
        state = self.state
        seen = {(state.absolute, state.absolute_e, state.inches)}
        held = [(0, state.absolute, state.absolute_e, state.inches)]
        for index, command in events:
            state.apply(command)
            now = (state.absolute, state.absolute_e, state.inches)
            if now != held[-1][1:]:
                held.append((index, *now))
                seen.add(now)
        if len(held) == 1:
            absolute, absolute_e, inches = (
                np.broadcast_to(np.bool_(each), count) for each in held[0][1:]
            )
            return _modes_of(absolute, absolute_e, inches, seen)
        lengths = np.diff([index for index, *_ in held], append=count)
        absolute, absolute_e, inches = (
            np.repeat([each[column] for each in held], lengths) for column in (1, 2, 3)
        )
        return _modes_of(absolute, absolute_e, inches, seen)


def words_of(block: Block, letter: str) -> tuple[Ints, Floats]:
    """Return lines and values of a letter's words; of several in a line, the first counts."""
    chosen = np.flatnonzero(block.word_letters == ord(letter))
    at, values = block.word_lines.take(chosen), block.word_values.take(chosen)
    again = at[1:] == at[:-1]
    if again.any():
        first = np.append(True, ~again)
        at, values = at[first], values[first]
    return at, values


def held(count: int, at: Ints, values: Floats, before: float) -> Floats:
    """Return for each of so many lines the value that was set last, itself included."""
    lengths = np.diff(at, prepend=0, append=count)
    return np.repeat(np.concatenate(([before], values)), lengths)


def _modes_of(
    absolute: Flags, absolute_e: Flags, inches: Flags, seen: set[tuple[bool, bool, bool]]
) -> _Modes:
    inches_seen = any(each[2] for each in seen)
    return _Modes(
        absolute=absolute,
        absolute_e=absolute_e,
        unit=np.where(inches, MM_PER_INCH, 1.0) if inches_seen else np.ones(1),
        moves_absolute=all(each[0] for each in seen),
        extrudes_absolute=all(each[1] for each in seen),
        inches_seen=inches_seen,
    )


def _enter(block: Block, odd: Sequence[Event]) -> None:
    """Put commands that were read one by one among the others of a block."""
    if not odd:
        return
    lines: list[int] = []
    letters: list[int] = []
    values: list[float] = []
    for index, command in odd:
        block.letters[index] = ord(command.name[0])
        block.numbers[index] = float(command.name[1:])
        for letter, value in command.words.items():
            if value is not None:
                lines.append(index)
                letters.append(ord(letter))
                values.append(value)
    if lines:
        all_lines = np.concatenate((block.word_lines, lines))
        order = np.argsort(all_lines, kind="stable")
        block.word_lines = all_lines[order]
        block.word_letters = np.concatenate((block.word_letters, np.array(letters, np.uint8)))[
            order
        ]
        block.word_values = np.concatenate((block.word_values, values))[order]


def _others(block: Block, moves: Flags) -> Ints:
    others: Ints = np.flatnonzero((block.letters != 0) & ~moves)
    waits = (block.letters[others] == _M) & _in(_PAUSES, block.numbers[others])
    sent: Ints = others[~waits]
    return sent


def _in(table: Flags, numbers: Floats) -> Flags:
    whole: Ints = np.minimum(numbers, len(table) - 1).astype(np.int64)
    found: Flags = table[whole] & (whole == numbers)
    return found


def _events(block: Block, odd: Sequence[Event], others: Ints) -> Iterator[Event]:
    """Yield the lines that are followed one by one, in order."""
    letters, numbers = block.letters[others], block.numbers[others]
    followed = letters == _T
    followed |= (letters == _G) & _in(_FOLLOWED_G, numbers)
    followed |= (letters == _M) & _in(_FOLLOWED_M, numbers)
    if not followed.any():
        return
    known = dict(odd)
    for index in others[followed].tolist():
        command = known.get(index) or parse(strip_comment(block.text(index).decode("latin-1")))
        assert command is not None
        yield index, command


def _zeroed(block: Block, events: Sequence[Event], sets: Ints) -> dict[str, list[int]]:
    """Return axis -> lines that make it 0 without a word: homing, and a bare G92."""
    zeroed: dict[str, list[int]] = {letter: [] for letter in "XYZE"}
    for index, command in events:
        if command.name == "G28":
            for letter in [each for each in "XYZ" if each in command.words] or "XYZ":
                zeroed[letter].append(index)
    if len(sets):
        first = np.searchsorted(block.word_lines, sets)
        for index, word in zip(sets.tolist(), first.tolist(), strict=True):
            letters = block.word_letters[word : word + 1].tobytes()
            if not letters or block.word_lines[word] != index or letters not in b"XYZE":
                bare = not _named(block, index)
                for letter in "XYZE" if bare else "":
                    zeroed[letter].append(index)
    return zeroed


def _named(block: Block, index: int) -> bool:
    """Whether a line names an axis."""
    here = block.word_letters[block.word_lines == index]
    return any(letter in b"XYZE" for letter in here.tolist())


def _words(
    block: Block,
    letter: str,
    moves: Flags,
    sets: Flags,
    modes: _Modes,
    zeroed: dict[str, list[int]],
) -> tuple[Ints, Floats, Flags]:
    """Return the words of an axis: lines in order, values, and whether they set it, not add."""
    at, values = words_of(block, letter)
    placing = moves[at] | sets[at]
    if not placing.all():
        at, values = at[placing], values[placing]
    if modes.inches_seen:
        values = values * modes.unit[at]
    if zeroed[letter]:
        at = np.concatenate((at, zeroed[letter]))
        order = np.argsort(at, kind="stable")
        at = at[order]
        values = np.concatenate((values, np.zeros(len(zeroed[letter]))))[order]
    if modes.extrudes_absolute if letter == "E" else modes.moves_absolute:
        return at, values, np.ones(len(at), np.bool_)
    mode = modes.absolute_e if letter == "E" else modes.absolute
    return at, values, mode[at] | ~moves[at]


def _scattered(block: Block, letter: str, unit: Floats) -> tuple[Floats, Flags]:
    """Return the value of a letter in each line, 0 where there is none, and where there is one."""
    at, values = words_of(block, letter)
    found, given = np.zeros(len(block.starts)), np.zeros(len(block.starts), np.bool_)
    found[at], given[at] = values, True
    return found * unit, given


def _arcs(block: Block, moves: Flags, places: Floats, modes: _Modes) -> Arcs:
    lines = np.flatnonzero(moves & (block.numbers >= 2))
    if not len(lines):
        none = np.empty(0)
        return Arcs(lines=lines, low=none, high=none, length_mm=none)
    i, has_i = _scattered(block, "I", modes.unit)
    j, has_j = _scattered(block, "J", modes.unit)
    radius, has_radius = _scattered(block, "R", modes.unit)
    lines = lines[(has_i | has_j | has_radius)[lines]]
    start, end = places[:2, lines], places[:2, lines + 1]
    middle = np.stack((i[lines], j[lines]))
    clockwise = block.numbers[lines] == 2
    for number in np.flatnonzero(radius[lines]).tolist():
        middle[:, number] = arc_middle(
            (*start[:, number].tolist(), 0.0),
            (*end[:, number].tolist(), 0.0),
            float(radius[lines[number]]),
            clockwise=bool(clockwise[number]),
        )
    turns, _ = _scattered(block, "P", np.ones(1))
    return measure(lines, start, end, middle, clockwise=clockwise, whole=turns[lines] != 0)
