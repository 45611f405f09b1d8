"""Listening to providers that tell of their tasks by themselves, so that an end is not waited for.

What is heard is a hint, as a webhook is: the task is looked at now. Looking goes on at its own pace
besides, so a stream that breaks off, or never begins, loses nothing but seconds.
"""

import asyncio
from contextlib import aclosing

import structlog

from coordinator.domain.breaker import Call, Stand
from coordinator.domain.generations import Generation, GenerationState
from coordinator.domain.providing import Phase, ProviderFault
from coordinator.errors import FarmError
from coordinator.ports_generations import GenerationsWanted
from coordinator.ports_providers import Watched
from coordinator.usecases.farm import Farm
from coordinator.usecases.generating import hinted
from coordinator.usecases.sources import Source

log = structlog.get_logger(__name__)

# Each is a connection that stays open.
LISTENED_MAX = 50
# A stream that ended before its task is not opened again at once.
AGAIN_S = 60.0
_ENDED = (Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED)


class Listener:
    """Listens to the tasks that run at providers that can be listened to."""

    def __init__(self, farm: Farm) -> None:
        """Take the farm; nothing is listened to yet."""
        self._farm = farm
        self._tasks: asyncio.TaskGroup | None = None
        self._listening: set[str] = set()
        self._again_s: dict[str, float] = {}
        self._rested = asyncio.Event()

    async def run(self) -> None:
        """Listen until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await asyncio.get_running_loop().create_future()

    async def rested(self) -> None:
        """Return when nothing is listened to."""
        while self._listening:
            self._rested.clear()
            await self._rested.wait()

    async def look(self) -> None:
        """Begin to listen to what has begun to run."""
        if self._tasks is None:
            return
        for source in self._farm.sources:
            if isinstance(source.provider, Watched):
                await self._look_at(source, source.provider)

    async def _look_at(self, source: Source, provider: Watched) -> None:
        assert self._tasks is not None, "it runs"
        if source.stand(Call.READ, self._farm.clock) is not Stand.CLOSED:
            return
        wanted = GenerationsWanted(provider=source.name, states=(GenerationState.RUNNING,))
        async with self._farm.store.read() as unit:
            running = await unit.generations_page(wanted, after=None, limit=LISTENED_MAX)
        now_s = self._farm.clock.monotonic()
        self._again_s = {key: at for key, at in self._again_s.items() if at > now_s}
        for each in running:
            its_id = each.generation_id
            if each.handle is None or its_id in self._listening or its_id in self._again_s:
                continue
            if len(self._listening) >= LISTENED_MAX:
                return
            self._listening.add(its_id)
            listening = self._listen(source, provider, each)
            self._tasks.create_task(listening, name=f"listening-{its_id}")

    async def _listen(self, source: Source, provider: Watched, generation: Generation) -> None:
        """Listen to one task until it has ended, or tells no more."""
        its_id, handle = generation.generation_id, generation.handle
        assert handle is not None, "what runs has a handle"
        try:
            before: Phase | None = None
            async with aclosing(provider.watch(handle)) as looks:
                async for seen in looks:
                    moved = before is not None and seen.phase is not before
                    before = seen.phase
                    if moved or seen.phase in _ENDED:
                        await hinted(self._farm, source, [handle.task_id])
                    if seen.phase in _ENDED:
                        return
        except ProviderFault as fault:
            log.info("generation.unheard", generation_id=its_id, reason=fault.message)
        except FarmError as error:  # a full disk; looking goes on
            log.warning("generation.unheard", generation_id=its_id, reason=str(error))
        except Exception:  # an adapter's defect must end neither the farm nor its work
            log.exception("provider.defect", provider=source.name, call="watch")
        finally:
            self._again_s[its_id] = self._farm.clock.monotonic() + AGAIN_S
            self._listening.discard(its_id)
            self._rested.set()
