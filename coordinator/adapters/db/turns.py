"""Writers' turns: one at a time, first come first served, and one commit for those who wait.

Theory. A commit waits for the disk, which takes longer than most transactions. So who comes while
others write does not begin anew after their commit: they run one after the other in one transaction
of the database, each but the first within a savepoint, and the last one's end commits for all. One
that fails is undone up to its savepoint, and nothing else with it.

Nobody leaves, with success or with an error, before that commit: what they saw may have been
another's, and must be as sure as their own. Where it fails, it failed for all. Who is alone begins
and commits as if there were no others.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine

from coordinator.adapters.db.threads import ended, whole

_SAVEPOINT = "writer"


@dataclass(eq=False)
class _Group:
    """Transactions that share a commit.

    Attributes:
        until_s: from then on nobody joins, so that those who are in it get their answers.
        joined: how many began; `kept` how many of them did not fail.
        lost: why the database has undone them all, as far as it has.
    """

    connection: Connection
    until_s: float
    joined: int = 0
    kept: int = 0
    lost: Exception | None = None
    ended: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def begin_one(self) -> None:
        self.joined += 1
        if self.joined > 1:
            self.connection.exec_driver_sql(f"SAVEPOINT {_SAVEPOINT}")

    def keep_one(self) -> None:
        if self.joined > 1:
            self.connection.exec_driver_sql(f"RELEASE {_SAVEPOINT}")
        self.kept += 1

    def undo_one(self, error: BaseException) -> None:
        """Undo the latest; that of the first is the whole transaction, which is not gone on with.

        A full disk or a lost connection may have undone all before: then there is no savepoint.
        """
        if self.joined == 1:
            self.until_s = 0.0
            return
        try:
            self.connection.exec_driver_sql(f"ROLLBACK TO {_SAVEPOINT}")
            self.connection.exec_driver_sql(f"RELEASE {_SAVEPOINT}")
        except Exception as gone:
            self.lost = error if isinstance(error, Exception) else gone

    def end(self) -> None:
        """Commit what was kept, if any; in a thread, for this is what waits for the disk."""
        try:
            if self.kept and self.lost is None:
                self.connection.commit()
        except Exception:
            self.connection.invalidate()  # it may still be in the midst of the transaction
            raise
        finally:
            self.connection.close()  # what was not committed is undone


class Turns:
    """Whose turn it is to write."""

    def __init__(self, engine: Engine, gather_s: float) -> None:
        """Take the engine that writes.

        Args:
            gather_s: how long those who wait may join what was begun; 0 to commit each by itself.
        """
        self._engine, self._gather_s = engine, gather_s
        self._taken = False
        # Those who wait: each is told which group to join, or that a new one is to be begun.
        self._waiting: deque[asyncio.Future[_Group | None]] = deque()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Connection]:
        """Lend the connection for one transaction, which is durable at the end of the block."""
        group = await self._join()
        try:
            group.begin_one()
            yield group.connection
            group.keep_one()
        except BaseException as error:
            group.undo_one(error)
            await self._leave(group)
            if isinstance(error, Exception) and group.lost not in (None, error):
                raise group.lost from error  # what it complains of was never there
            raise
        await self._leave(group)
        if group.lost is not None:
            raise group.lost

    async def _join(self) -> _Group:
        """Return the group that it is one's turn in."""
        group: _Group | None = None
        if self._taken:
            turn: asyncio.Future[_Group | None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                group = await turn
            except asyncio.CancelledError:
                if not turn.cancelled():  # it was one's turn already
                    await self._pass_on(turn.result())
                raise
        self._taken = True
        return group if group is not None else await self._begin()

    async def _begin(self) -> _Group:
        connection: Connection | None = None
        try:
            connection = self._engine.connect()
            await whole(connection.begin)
        except BaseException:
            if connection is not None:
                connection.close()
            self._give(None)
            raise
        return _Group(connection, time.monotonic() + self._gather_s)

    async def _leave(self, group: _Group) -> None:
        """Hand the turn on, and return when the group has ended."""
        await self._pass_on(group)
        await ended(group.ended)

    async def _pass_on(self, group: _Group | None) -> None:
        """Let the next one join a group; end it where nobody does."""
        if group is None:
            self._give(None)
            return
        if group.lost is None and time.monotonic() < group.until_s and self._give(group):
            return
        try:
            await whole(group.end)
        except Exception as error:
            group.lost = group.lost or error
        finally:
            group.ended.set_result(None)
            self._give(None)

    def _give(self, group: _Group | None) -> bool:
        """Give the turn to who has waited longest, and return whether there was somebody."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # who was cancelled waits no more
                turn.set_result(group)
                return True
        if group is None:
            self._taken = False
        return False
