"""The agents, as programs beside the farm are told them."""

import asyncio
from collections.abc import Callable, Collection

from coordinator.domain.automation import documents
from coordinator.domain.automation.documents import Document, UpdateSeen, packed
from coordinator.domain.automation.topics import OFFLINE, ONLINE, Topics
from coordinator.domain.printers import Agent
from coordinator.usecases.discovering import Discovering
from coordinator.usecases.farm import Farm
from coordinator.usecases.telling import Telling
from coordinator.usecases.update_views import updates_seen
from protocols.wire.vocabulary import AgentId


class AgentsTold:
    """What was told of each agent.

    Attributes:
        ids: whom it was told of; `told_at_s` is when, monotonic.
    """

    def __init__(
        self,
        farm: Farm,
        telling: Telling,
        topics: Topics,
        discovery: Discovering | None,
        forget: Callable[[Collection[AgentId]], None],
    ) -> None:
        """Take whom to tell; `forget` takes back what is retained of agents that are no more."""
        self.ids: set[AgentId] = set()
        self.told_at_s = 0.0
        self._farm, self._telling, self._topics = farm, telling, topics
        self._discovery, self._forget = discovery, forget
        self._documents: dict[AgentId, Document] = {}
        # What is told last is what was true last.
        self._now = asyncio.Lock()

    async def tell(self) -> None:
        """Tell what is new of them."""
        async with self._now:
            self.told_at_s = self._farm.clock.monotonic()
            agents, updates = await updates_seen(self._farm)
            there = {agent.agent_id for agent in agents}
            gone, self.ids = self.ids - there, there
            if gone:
                self._forget(gone)
            for agent in agents:
                self._tell_one(agent, updates[agent.agent_id])

    def _tell_one(self, agent: Agent, update: UpdateSeen) -> None:
        its_id, live = agent.agent_id, self._farm.live
        host = live.hosts.get(its_id)
        document = documents.agent_document(
            agent, host, draining=its_id in live.draining, update=update
        )
        known = self._documents.get(its_id)
        if host is None and known is not None:
            # What its machine told before stays.
            document |= {name: known[name] for name in documents.OF_MACHINE}
        document = self._documents[its_id] = documents.steady_agent(document, known)
        if self._discovery is not None:
            self._telling.say(*self._discovery.agent(agent))
        self._telling.keep(self._topics.agent(its_id), packed(document))
        online = ONLINE if agent.online else OFFLINE
        self._telling.keep(self._topics.agent_online(its_id), online.encode())
