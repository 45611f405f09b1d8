"""What use cases ask of providers of models, and what a provider gets to do its work."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from coordinator.domain.providing import (
    CallingOff,
    Cost,
    Handle,
    Health,
    Hint,
    Look,
    Offer,
    Piece,
    Submitted,
    Wish,
)
from coordinator.ports import ArtifactStore, Clock, StagedFile
from coordinator.ports_outward import Nowhere, Outside

# Told of a task that runs inside `submit` how far it is, 0 to 1, and its stage in words.
Told = Callable[[float | None, str], None]


class Provider(Protocol):
    """One source of models; all its errors are `ProviderFault`."""

    @property
    def offer(self) -> Offer:
        """What it takes and gives."""

    def objection(self, wish: Wish) -> str:
        """Return why this wish can't be met, as far as that is known without asking; else empty."""

    async def estimate(self, wish: Wish) -> Cost | None:
        """Return what a wish will cost at most, None where it costs nothing."""

    async def submit(self, wish: Wish, key: str, told: Told) -> Submitted:
        """Make a task of a wish: the paid call, made once.

        A fault with `SUBMIT_UNSURE` says that the task may be there; every other fault says that it
        certainly is not.

        Args:
            key: the generation's id; where the provider takes a name or key, it gets this one.
        """

    async def recall(self, wish: Wish, key: str, since: datetime) -> Handle | None:
        """Return the task of a submit whose answer was lost, None where there certainly is none.

        Asked only of providers whose offer says `LISTED`.
        """

    async def look(self, handle: Handle) -> Look:
        """Return how a task is; changes nothing."""

    async def call_off(self, handle: Handle) -> CallingOff:
        """Ask for a task to be called off."""

    async def fetch(self, piece: Piece, sink: StagedFile) -> None:
        """Write a piece into the store; `EXPIRED` where its address is no longer good."""

    async def health(self) -> Health:
        """Return how it is, by a call that costs nothing."""

    def hints(self, headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
        """Return what a webhook hints at.

        Args:
            headers: names in lower case.

        Raises:
            ProviderFault: `AUTH_CONFIG`: its signature is wrong, or webhooks are not set up.
        """

    async def close(self) -> None:
        """Leave no connection and no process behind."""


@runtime_checkable
class Watched(Protocol):
    """What a provider has besides where it tells of a task by itself; looking stays right."""

    def watch(self, handle: Handle) -> AsyncGenerator[Look, None]:
        """Yield looks as the task goes on, the last one at its end; use it within `aclosing`.

        Raises:
            ProviderFault: the stream broke off, or there is none: look instead.
        """


@runtime_checkable
class Deletes(Protocol):
    """What a provider has besides where it removes a task when it is told to."""

    async def delete(self, handle: Handle) -> None:
        """Remove a task and its files from the provider; one that is gone is no fault."""


@runtime_checkable
class Scattered(Protocol):
    """What a provider has besides where it asks many servers: each is left alone for itself."""

    def host_of(self, asked: Wish | Handle | Piece) -> str:
        """Return the server that is asked about this; empty where none can be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a provider may use.

    Attributes:
        folder: its own, for what may be lost: caches, libraries of code.
        memory_mib: what a child process of it may take.
        outside: the way to addresses that somebody else names: what a service says that a file lies
            at, what a person links to. Its own address a provider asks by itself.
    """

    clock: Clock
    artifacts: ArtifactStore
    folder: Path
    memory_mib: int = 4096
    outside: Outside = field(default_factory=Nowhere)


class ProviderMaker(Protocol):
    """What stands behind an entry point of `farmhand.providers`."""

    def __call__(self, name: str, options: Mapping[str, Any], tools: Tools) -> Provider:
        """Return a provider.

        Args:
            name: in the settings.
            options: its table there, but for `service`; secrets are plain text here.

        Raises:
            SettingsInvalid: an option is missing, unknown or can't be used; never with its value.
        """
