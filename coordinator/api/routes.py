"""What a route is: an address, what it does, who may, and what it takes and gives."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from coordinator.domain.access import Permission

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row of a resource's table; the API's document is made of these.

    Attributes:
        path: from the root, with `{names}` for what varies.
        needs: the permission that it wants; None is for everybody, without a credential.
        summary: one sentence; the first of the handler's docstring unless told.
        asks: the address's query, checked before the handler; None leaves it to the handler.
        takes: a JSON body, checked likewise.
        brings: media types of a body that the handler reads as it is, between commas.
        form: the fields of a multipart form beside its `file`; the handler reads it.
        gives: what it answers with, as a type that pydantic knows; None where that is no JSON.
        content_type: of the answer; several stand between commas, and none is for no content.
        status: of the answer when all is well; `also` are others with the same content.
        empty: statuses without content: 304, 204.
        problems: codes that its use case may answer with, of `codes.py`; what every route may
            answer with is added by itself.
        once: it heeds `Idempotency-Key`.
        versioned: its answer has an ETag; `guarded`: it heeds `If-Match`.
    """

    method: str
    path: str
    handler: Handler
    needs: Permission | None
    summary: str = ""
    asks: type[BaseModel] | None = None
    takes: type[BaseModel] | None = None
    brings: str = ""
    form: type[BaseModel] | None = None
    gives: Any = None  # a type, or what typing makes of types
    content_type: str = JSON
    status: int = 200
    also: Collection[int] = ()
    empty: Collection[int] = ()
    problems: Collection[str] = ()
    once: bool = False
    versioned: bool = False
    guarded: bool = False

    @property
    def words(self) -> str:
        """What it does, in one sentence."""
        return self.summary or (self.handler.__doc__ or "").strip().partition("\n")[0]

    @property
    def is_told(self) -> bool:
        """Whether the row says what is answered; the document leaves open what it does not say."""
        return self.gives is not None or self.content_type != JSON


def named(handler: Handler, like: Callable[..., object]) -> Handler:
    """Return a handler that is called, and described, as the use case that it asks."""
    handler.__name__, handler.__doc__ = like.__name__, like.__doc__
    return handler
