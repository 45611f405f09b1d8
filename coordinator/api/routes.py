"""What a route is: an address, what it does, and who may."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from coordinator.domain.access import Permission

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row of a resource's table.

    Attributes:
        path: from the root, with `{names}` for what varies.
        needs: the permission that it wants; None is for everybody, without a credential.
    """

    method: str
    path: str
    handler: Handler
    needs: Permission | None
