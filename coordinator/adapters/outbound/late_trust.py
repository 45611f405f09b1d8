"""Whom this machine trusts, read by who asks the first server with TLS: 2 MiB of certificates.

The HTTP library reads them when it is imported, and many farms never ask anybody.
"""

import functools
import ssl
from collections.abc import Callable
from typing import Any

from aiohttp import connector


class LateTrust(ssl.SSLContext):
    """Stands for a context that is made when the first connection wants it.

    By itself it trusts nobody.
    """

    make: Callable[[], ssl.SSLContext]

    def wrap_bio(self, *arguments: Any, **keywords: Any) -> ssl.SSLObject:
        """As the context that is meant."""
        return self.make().wrap_bio(*arguments, **keywords)

    def wrap_socket(self, *arguments: Any, **keywords: Any) -> ssl.SSLSocket:
        """As the context that is meant."""
        return self.make().wrap_socket(*arguments, **keywords)


def late(make: Callable[[], ssl.SSLContext]) -> LateTrust:
    """Return what stands for a context that is made once, when it is wanted."""
    context = LateTrust(ssl.PROTOCOL_TLS_CLIENT)
    context.make = functools.cache(make)
    return context


def postpone() -> None:
    """Have the HTTP library's own contexts made late; a version that keeps none is left alone.

    That which checks nothing reads certificates all the same.
    """
    for name, checks in (("_SSL_CONTEXT_VERIFIED", True), ("_SSL_CONTEXT_UNVERIFIED", False)):
        known = getattr(connector, name, None)
        if isinstance(known, ssl.SSLContext) and not isinstance(known, LateTrust):
            make = functools.partial(connector._make_ssl_context, checks)
            setattr(connector, name, late(make))
