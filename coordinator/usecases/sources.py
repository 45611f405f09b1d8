"""The farm's providers of models: what each offers and may cost, and whether it is left alone."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import structlog

from coordinator.domain import breaker
from coordinator.domain.breaker import Breaker, Call, Stand
from coordinator.domain.ledger import Budget, Purse
from coordinator.domain.providing import (
    Blame,
    Handle,
    Health,
    Offer,
    Piece,
    ProviderFault,
    Wish,
)
from coordinator.errors import NotFound
from coordinator.ports import Clock
from coordinator.ports_providers import Deletes, Provider, Scattered

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

HEALTH_S = 30.0
# Servers of which it is remembered that they failed; the one that did so longest ago is forgotten.
HOSTS_MAX = 200
# What says nothing of how the provider is.
_OF_WISHES = frozenset({Blame.INVALID_INPUT, Blame.CONTENT_BLOCKED, Blame.WAIT_SLOT})


@dataclass(slots=True, eq=False)
class Source:
    """One provider, as the settings name it.

    Attributes:
        at_once_max: tasks that may run there; by the settings, else by its offer.
        configured: a hash of its settings, but for secrets: other settings, other results.
        callback: what stands in the address of its webhooks, so that nobody guesses it.
        keys: the names of the settings that hold its keys; what they hold is never told.
        deletes: where what was made there is removed once it is in our store; None to leave it.
        breakers: by class of call.
        hosts: the same of servers of others (`Scattered`) that failed lately.
        last_fault: what it did wrong last, and when; no wish of somebody's that it refused.
        last_health: what it said last of itself, and when.
    """

    name: str
    provider: Provider
    budget: Budget = field(default_factory=Budget)
    at_once_max: int = 0
    configured: str = ""
    callback: str = ""
    keys: tuple[str, ...] = ()
    deletes: Deletes | None = None
    breakers: dict[Call, Breaker] = field(
        default_factory=lambda: {each: Breaker() for each in Call}
    )
    hosts: OrderedDict[tuple[Call, str], Breaker] = field(default_factory=OrderedDict)
    last_fault: tuple[datetime, ProviderFault] | None = None
    last_health: tuple[datetime, Health] | None = None

    def __post_init__(self) -> None:
        self.at_once_max = self.at_once_max or self.provider.offer.at_once_max

    @property
    def offer(self) -> Offer:
        """What it takes and gives."""
        return self.provider.offer

    def host_of(self, asked: Wish | Handle | Piece) -> str:
        """Return whose server is asked about this; empty for the provider's own."""
        return self.provider.host_of(asked) if isinstance(self.provider, Scattered) else ""

    def stand(self, call: Call, clock: Clock, host: str = "") -> Stand:
        """Return whether a class of calls is let through: to the provider, or to that host."""
        return breaker.stand(self._breaker(call, host), clock.monotonic())

    async def ask(
        self,
        call: Call,
        clock: Clock,
        answer: Awaitable[Answer],
        within_s: float,
        *,
        host: str = "",
    ) -> Answer:
        """Return what the provider answers; the breaker hears how it went.

        Args:
            host: as `host_of` says; its breaker hears it then, and no other host's.

        Raises:
            ProviderFault: it does not answer so; in time for `RETRY_SAFE`, a paid call's caller
                knows better; `PROTOCOL` where our own code for it has a defect.
        """
        try:
            given = await asyncio.wait_for(answer, within_s)
        except ProviderFault as fault:
            self._heard(call, clock, fault, host)
            raise
        except TimeoutError as error:
            words = f"{host or self.offer.title} did not answer within {within_s:.0f} s"
            late = ProviderFault(Blame.RETRY_SAFE, "no_answer", words)
            self._heard(call, clock, late, host)
            raise late from error
        except Exception as error:  # an adapter's defect must end neither the farm nor its work
            log.exception("provider.defect", provider=self.name, call=call.value)
            words = f"the answer of {self.offer.title} was not understood"
            defect = ProviderFault(Blame.PROTOCOL, "defect", words)
            self._heard(call, clock, defect, host)
            raise defect from error
        was = self._breaker(call, host)
        self._keep(call, host, breaker.after_success(was, clock.monotonic()))
        if was.open_until_s is not None:
            log.info("provider.recovered", provider=self.name, call=call.value, host=host)
        return given

    def _breaker(self, call: Call, host: str) -> Breaker:
        return self.hosts.get((call, host), Breaker()) if host else self.breakers[call]

    def _keep(self, call: Call, host: str, now: Breaker) -> None:
        if not host:
            self.breakers[call] = now
            return
        self.hosts.pop((call, host), None)
        if now.failures or now.open_until_s is not None:
            self.hosts[call, host] = now
        if len(self.hosts) > HOSTS_MAX:
            self.hosts.popitem(last=False)

    def _heard(self, call: Call, clock: Clock, fault: ProviderFault, host: str = "") -> None:
        if fault.blame not in _OF_WISHES:
            self.last_fault = (clock.now(), fault)
        was, now_s = self._breaker(call, host), clock.monotonic()
        now = breaker.after_fault(was, fault.blame, fault.message, now_s)
        self._keep(call, host, now)
        if now.open_until_s is not None and was.open_until_s is None:
            log.warning(
                "provider.left_alone",
                provider=self.name,
                call=call.value,
                host=host,
                code=fault.code,
                reason=fault.message,
            )

    def trouble(self, clock: Clock) -> str:
        """Return why calls are not let through, or lead to nothing here; empty where they do."""
        words = [each.words for call, each in self.breakers.items() if self._is_open(call, clock)]
        return self.offer.trouble or next(iter(words), "")

    def _is_open(self, call: Call, clock: Clock) -> bool:
        return self.stand(call, clock) is not Stand.CLOSED

    def failed(self, fault: ProviderFault, clock: Clock) -> None:
        """Hear that a task of it failed."""
        self._heard(Call.SUBMIT, clock, fault)

    async def probe(self, clock: Clock) -> Health:
        """Return how it is; whether paid calls are let through follows from it.

        Raises:
            ProviderFault: it does not say.
        """
        health = await self.ask(Call.READ, clock, self.provider.health(), HEALTH_S)
        self.last_health = (clock.now(), health)
        was, now_s = self.breakers[Call.SUBMIT], clock.monotonic()
        if health.ready:
            self.breakers[Call.SUBMIT] = breaker.after_success(was, now_s)
        elif was.open_until_s is not None:
            again = breaker.after_fault(was, Blame.RETRY_SAFE, health.words or was.words, now_s)
            self.breakers[Call.SUBMIT] = again
        return health


class Sources:
    """All providers, by name."""

    def __init__(self, sources: Iterable[Source] = (), purse: Purse | None = None) -> None:
        """Take what the settings name, and what may be spent on all of them together."""
        self._by_name: Mapping[str, Source] = {each.name: each for each in sources}
        self.purse = purse or Purse()

    def __iter__(self) -> Iterator[Source]:
        """Return all, in the order of the settings."""
        return iter(self._by_name.values())

    def get(self, name: str) -> Source | None:
        """Return one, None where the settings name none of that name."""
        return self._by_name.get(name)

    def the(self, name: str) -> Source:
        """Return one.

        Raises:
            NotFound: the settings name none of that name.
        """
        found = self._by_name.get(name)
        if found is None:
            raise NotFound("provider", name)
        return found

    async def close(self) -> None:
        """Leave no connection and no process behind."""
        for each in self:
            try:
                await each.provider.close()
            except Exception:  # the others want to be closed as well
                log.exception("provider.defect", provider=each.name, call="close")
