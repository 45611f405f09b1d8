"""The work on generations: what is due is leased, and brought on until it waits for something.

All that counts stands in rows: who comes takes what is due and nobody works on. A lease of a minute
is renewed while the work goes on, so that several coordinators share it, and what one leaves behind
when it dies another takes up. A worker's name lasts as long as its state folder, so that who comes
back after a crash does not wait for its own leases.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import structlog

from coordinator.domain import results
from coordinator.domain.breaker import Call, Stand
from coordinator.domain.generating import Outcome
from coordinator.domain.generations import Generation, GenerationState
from coordinator.domain.providing import Kind, ProviderFault
from coordinator.errors import FarmError
from coordinator.ports import Unit
from coordinator.usecases import fetching, finishing, submitting
from coordinator.usecases.farm import Farm
from coordinator.usecases.generation_rows import LEASE_S, WORK, change_if_possible
from coordinator.usecases.sources import Source

log = structlog.get_logger(__name__)

# Rows in hand at once: each is a few kilobytes while its provider is waited for.
AT_ONCE_MAX = 64
# The workshop uses a core each, and much memory.
MAKINGS_MAX = 2
RENEW_S = 20.0
# After an error of ours: a full disk, a database that another program holds.
TROUBLED_S = 5.0
# A provider that the settings name no more may come back with the next start.
UNNAMED_S = 300.0
# What is due within this time is rung for; the bell alone would be up to a second late.
SOON_S = 1.0

_S = GenerationState


class Producer:
    """Brings generations on, many at once."""

    def __init__(self, farm: Farm, worker: str) -> None:
        """Take the farm, and the name under which rows are leased."""
        self._farm, self._worker = farm, worker
        self._tasks: asyncio.TaskGroup | None = None
        self._busy: set[str] = set()
        self._probing: set[str] = set()
        self._makings = asyncio.Semaphore(MAKINGS_MAX)
        self._rested = asyncio.Event()

    @property
    def busy(self) -> int:
        """How many are in hand."""
        return len(self._busy) + len(self._probing)

    async def rested(self) -> None:
        """Return when nothing is in hand."""
        while self.busy:
            self._rested.clear()
            await self._rested.wait()

    async def run(self) -> None:
        """Bring on until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await asyncio.get_running_loop().create_future()

    async def take_up(self) -> None:
        """After a start: what this worker was at when it died is free."""
        async with self._farm.store.write() as unit:
            await unit.free_generations(self._worker)

    async def look(self) -> None:
        """Set off with all that is due; does not wait for it."""
        if self._tasks is None:
            return
        self._probe()
        async with self._farm.store.read() as unit:
            if not await self._due(unit):
                return
        async with self._farm.store.write() as unit:
            claimed = [await self._claim(unit, each) for each in await self._due(unit)]
        for each in claimed:
            self._busy.add(each.generation_id)
            self._tasks.create_task(self._tend(each), name=f"generation-{each.generation_id}")

    async def _due(self, unit: Unit) -> list[Generation]:
        """Return what can be taken up now: first what was paid for, then what is to be paid."""
        now = self._farm.clock.now()
        room = AT_ONCE_MAX - len(self._busy)
        found = await unit.generations_due(now, limit=max(room, 0))
        for source in self._farm.sources:
            if source.stand(Call.SUBMIT, self._farm.clock) is not Stand.CLOSED:
                continue
            places = source.at_once_max - await unit.generations_at(source.name)
            limit = min(room - len(found), places)
            if limit > 0:
                found += await unit.generations_wanted(source.name, now, limit=limit)
        return [each for each in found if each.generation_id not in self._busy]

    async def _claim(self, unit: Unit, generation: Generation) -> Generation:
        until = self._farm.clock.now() + timedelta(seconds=LEASE_S)
        claimed = replace(generation, worker=self._worker, leased_until=until)
        await unit.save_generation(claimed)
        return claimed

    async def _tend(self, generation: Generation) -> None:
        """Bring one generation on until it waits for something, or has ended."""
        its_id, farm = generation.generation_id, self._farm
        try:
            with structlog.contextvars.bound_contextvars(generation_id=its_id):
                async with self._leased(its_id):
                    # Who was frozen finds that another has its work, and leaves that alone.
                    while generation.worker == self._worker and not _waits(generation, farm):
                        generation = await self._step(generation)
        except FarmError as error:
            log.warning("generation.troubled", generation_id=its_id, reason=str(error))
            await self._let_be(its_id)
        except Exception:  # a defect in one must not end the work on all others
            log.exception("generation.defect", generation_id=its_id)
            await self._let_be(its_id)
        finally:
            self._busy.discard(its_id)
            self._rested.set()
        self._ring_for(generation)

    async def _step(self, generation: Generation) -> Generation:
        farm, source = self._farm, self._farm.sources.get(generation.provider)
        if generation.state is _S.MAKING:
            async with self._makings:
                return await finishing.make(farm, generation)
        if generation.state is _S.ORDERING:
            return await finishing.order(farm, generation)
        if source is None:
            return await self._unnamed(generation)
        match generation.state:
            case _S.WANTED if generation.asked.kind is Kind.MESH:
                async with self._makings:  # it may have to be converted first
                    return await submitting.submit(farm, source, generation)
            case _S.WANTED:
                return await submitting.submit(farm, source, generation)
            case _S.SUBMITTING:
                return await submitting.settle_orphan(farm, source, generation)
            case _S.UNSURE:
                return await submitting.recall(farm, source, generation)
            case _S.RUNNING:
                return await fetching.look(farm, source, generation)
            case _S.FETCHING:
                return await fetching.fetch(farm, source, generation)
            case _:
                raise AssertionError(f"nothing is to be done about {generation.state}")

    async def _unnamed(self, generation: Generation) -> Generation:
        words = f"the settings name no provider {generation.provider!r}"

        return await change_if_possible(
            self._farm,
            generation.generation_id,
            lambda known, now: Outcome(
                generation=replace(results.later(known, UNNAMED_S, now), waits=words)
            ),
        )

    async def _let_be(self, its_id: str) -> None:
        """Give a generation back, to be taken up a little later."""
        try:
            async with self._farm.store.write() as unit:
                known = await unit.generation(its_id)
                if known is not None and known.worker == self._worker:
                    until = self._farm.clock.now() + timedelta(seconds=TROUBLED_S)
                    await unit.save_generation(replace(known, leased_until=until))
        except FarmError as error:  # its lease ends by itself
            log.warning("generation.kept_leased", generation_id=its_id, reason=str(error))

    @asynccontextmanager
    async def _leased(self, its_id: str) -> AsyncIterator[None]:
        """Renew a lease as long as the block lasts."""
        assert self._tasks is not None, "it runs"
        renewing = self._tasks.create_task(self._renew(its_id), name=f"lease-{its_id}")
        try:
            yield
        finally:
            renewing.cancel()

    async def _renew(self, its_id: str) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                async with self._farm.store.write() as unit:
                    known = await unit.generation(its_id)
                    if known is not None and known.worker == self._worker:
                        await self._claim(unit, known)
            except FarmError as error:
                log.warning("generation.not_renewed", generation_id=its_id, reason=str(error))

    def _ring_for(self, generation: Generation) -> None:
        """Have the bell rung when a generation is due, where that is soon."""
        if generation.next_at is None or generation.ended:
            return
        wait_s = (generation.next_at - self._farm.clock.now()).total_seconds()
        if 0 <= wait_s <= SOON_S:
            loop = asyncio.get_running_loop()
            loop.call_later(wait_s + 0.005, self._farm.poke, WORK)

    def _probe(self) -> None:
        """Ask providers that were left alone long enough how they are: by a call that is free."""
        assert self._tasks is not None, "it runs"
        for source in self._farm.sources:
            half_open = source.stand(Call.SUBMIT, self._farm.clock) is Stand.HALF_OPEN
            if half_open and source.name not in self._probing:
                self._probing.add(source.name)
                self._tasks.create_task(self._ask_how(source), name=f"probe-{source.name}")

    async def _ask_how(self, source: Source) -> None:
        try:
            await source.probe(self._farm.clock)
        except ProviderFault as fault:
            source.failed(fault, self._farm.clock)
        finally:
            self._probing.discard(source.name)
            self._rested.set()
        self._farm.poke(WORK)


def _waits(generation: Generation, farm: Farm) -> bool:
    """Whether there is nothing to do now."""
    return generation.next_at is None or generation.next_at > farm.clock.now()
