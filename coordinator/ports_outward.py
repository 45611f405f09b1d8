"""What use cases ask of the world beyond the farm: addresses that people name, and people."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from coordinator.domain.notices import Notice
from coordinator.errors import Unavailable

KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One HTTP request to an address that somebody named.

    Attributes:
        headers: may hold secrets.
        within_s: all of it, from the name's look-up to the answer's last byte.
        answer_bytes_max: of the answer's body so much is read, and no more.
        redirects_max: so many redirects are followed, each checked like the first address; only of
            questions without a body.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    within_s: float = 15.0
    answer_bytes_max: int = 64 * KIB
    redirects_max: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, whatever its status says.

    Attributes:
        headers: names in lower case.
        whole: the body is all of it; False where it is longer than was wanted.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool = True


# Takes the next bytes of a body.
Write = Callable[[bytes], Awaitable[None]]


class Outside(Protocol):
    """HTTP to addresses that people name, and so never to places that only the farm may reach."""

    def objection(self, url: str) -> str:
        """Return why an address is never asked, as far as it says so itself; empty where it may be.

        A name is looked up only when it is asked.
        """

    async def ask(self, question: Question) -> Answer:
        """Return the answer.

        Raises:
            Refused: `address_not_allowed`: nothing was sent there.
            Unavailable: `no_answer`: it did not answer, or not in time.
        """

    async def fetch(self, question: Question, write: Write) -> Answer:
        """Ask, and hand on the body of an answer with status 200 as it comes.

        Returns:
            the answer; its body is empty where it was handed on. Where it is not `whole`, it is
            longer than `answer_bytes_max`, and its first so many bytes were handed on.

        Raises:
            Refused: as above.
            Unavailable: as above; what was handed on so far is worth nothing.
        """


class People(Protocol):
    """One way to people."""

    @property
    def name(self) -> str:
        """What it is called: `email`, `ntfy`."""

    async def send(self, notice: Notice) -> None:
        """Send a notice; one that fails may have been sent all the same.

        Raises:
            Unavailable: it was not taken.
        """


class Nowhere:
    """Implements `Outside` for a farm that says nothing to the outside."""

    def objection(self, url: str) -> str:
        """Allow all; none is asked."""
        del url
        return ""

    async def ask(self, question: Question) -> Answer:
        """Ask nobody."""
        del question
        raise Unavailable("no_answer", "this farm has no way to the outside")

    async def fetch(self, question: Question, write: Write) -> Answer:
        """Ask nobody."""
        del write
        return await self.ask(question)
