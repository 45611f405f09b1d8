"""What a library of models is asked, and what it answers."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

from coordinator.adapters.providers.blaming import Reply, Spoken, read_plainly
from coordinator.adapters.providers.http import Api
from coordinator.adapters.providers.options import HttpOptions
from coordinator.domain.history import Plain
from coordinator.domain.providing import Blame, ProviderFault
from coordinator.ports_providers import Tools

# Of what libraries tell; a title of a megabyte is none.
TOLD_CHARACTERS_MAX = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One file of a model, as its library tells.

    Attributes:
        url: where it lies now; may hold a signature.
        own: it is asked for with the library's token.
    """

    name: str
    url: str = field(repr=False)
    size_bytes: int | None = None
    own: bool = False
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an address leads to.

    Attributes:
        page: what a person opens to see it, and who is owed for it.
    """

    page: str
    title: str = ""
    author: str = ""
    licence: str = ""
    files: tuple[Listed, ...] = ()

    def told(self, library: str) -> dict[str, Plain]:
        """Return the facts of it that are known."""
        facts = {
            "library": library,
            "title": self.title,
            "author": self.author,
            "licence": self.licence,
            "url": self.page,
        }
        return {name: fact[:TOLD_CHARACTERS_MAX] for name, fact in facts.items() if fact}


class Library(Protocol):
    """One library, by its API."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def objection(self) -> str:
        """Why it is not asked here, and what to do; empty where it is."""

    def id_in(self, url: str) -> str | None:
        """Return which of its models an address names: empty for none of them, None if not its."""

    async def find(self, model_id: str, wanted: Callable[[str], bool]) -> Found:
        """Return what it has of a model.

        Args:
            wanted: whether a file of this name is of use; others need no address.

        Raises:
            ProviderFault: `INVALID_INPUT` in words for a person where it may not be fetched.
        """

    def here(self, url: str) -> bool:
        """Return whether an address is this library's own server."""

    @property
    def api(self) -> Api:
        """The way to it."""


def on_site(url: str, hosts: tuple[str, ...], pattern: str) -> str | None:
    """Return what a pattern's group finds in the path of an address on one of these hosts.

    Returns:
        None for another host, empty where the path is another.
    """
    parts = urlsplit(url)
    if (parts.hostname or "").removeprefix("www.") not in hosts:
        return None
    found = re.search(pattern, parts.path)
    return found[1] if found else ""


def api_of(
    name: str, options: HttpOptions, tools: Tools, headers: Mapping[str, str], key: str
) -> Api:
    """Return the way to a library.

    What it does not have is a wrong address, not a wrong key. A token that it does not take fails
    this link, and nothing else: other libraries, and plain addresses, have nothing to do with it.
    """

    def reads(reply: Reply) -> Spoken:
        if reply.status in (404, 410):
            return Spoken(
                blame=Blame.INVALID_INPUT,
                code="no_model",
                message="there is no model at this address",
            )
        if reply.status in (401, 402, 403, 407):
            words = f"the farm's token is not taken: renew {name.lower()}.api_key"
            return Spoken(blame=Blame.INVALID_INPUT, code="token_refused", message=words)
        return read_plainly(reply)

    return Api(name, options, tools, headers=headers, secrets=[key], reads=reads)


def may_not(name: str, code: str, words: str) -> ProviderFault:
    """Return the fault of a model that is not for programs to fetch."""
    return ProviderFault(
        Blame.INVALID_INPUT, code, f"{name}: {words}: download it yourself, and bring the file"
    )


def paid(name: str, price: str) -> ProviderFault:
    """Return the fault of a model that wants to be bought."""
    return may_not(name, "paid_model", f"this model has to be bought there ({price})")
