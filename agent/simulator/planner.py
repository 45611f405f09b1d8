"""The motion planner: moves that were accepted and are not finished yet.

As in Marlin, a move counts as executed once it is in here, 15 fit in, and the first of a series
waits a moment for company. Blocks run back to back: a block ends when its duration has passed since
the one before it ended, whenever that is looked at.
"""

import math
from collections import deque
from dataclasses import dataclass, field

Position = tuple[float, float, float, float]

BLOCKS_MAX = 15  # BLOCK_BUFFER_SIZE 16, one of which Marlin keeps free
_COMPANY_S = 0.1  # Marlin's BLOCK_DELAY_FOR_1ST_MOVE
_COMPANY_BLOCKS = 3


@dataclass(slots=True)
class Planner:
    """A queue of moves that drains in simulated time.

    Attributes:
        reached: where the tool is, by finished blocks.
        finished: blocks run to their end since power-on.
    """

    reached: Position = (0.0, 0.0, 0.0, 0.0)
    finished: int = 0
    _blocks: deque[tuple[float, Position]] = field(default_factory=deque)
    _head_began_s: float = math.inf

    @property
    def full(self) -> bool:
        """Whether no move fits in."""
        return len(self._blocks) >= BLOCKS_MAX

    @property
    def empty(self) -> bool:
        """Whether all motion has ended."""
        return not self._blocks

    @property
    def free(self) -> int:
        """How many moves fit in."""
        return BLOCKS_MAX - len(self._blocks)

    def push(self, duration_s: float, end: Position, now: float) -> None:
        """Add a move that ends at a position; there must be room."""
        assert not self.full
        self._blocks.append((duration_s, end))
        if len(self._blocks) == 1:
            self._head_began_s = now + _COMPANY_S
        elif len(self._blocks) >= _COMPANY_BLOCKS and self._head_began_s > now:
            self._head_began_s = now

    def advance(self, now: float) -> None:
        """Finish the blocks that have run out by `now`."""
        blocks = self._blocks
        while blocks and self._head_began_s + blocks[0][0] <= now:
            duration_s, self.reached = blocks.popleft()
            self._head_began_s += duration_s
            self.finished += 1

    def next_free_s(self) -> float:
        """Return when the next block ends, infinity for an empty planner."""
        return self._head_began_s + self._blocks[0][0] if self._blocks else math.inf

    def empty_s(self) -> float:
        """Return when the last block ends, infinity for an empty planner."""
        if not self._blocks:
            return math.inf
        return self._head_began_s + math.fsum(duration_s for duration_s, _ in self._blocks)

    def clear(self) -> None:
        """Stop at once and forget what was queued; `reached` stays where the last block ended."""
        self._blocks.clear()
