"""Where a request comes from: the address behind proxies, and the page that a browser was on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import urlsplit

from aiohttp import web

Network: TypeAlias = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """How people and programs reach the API.

    Attributes:
        public_url: the address that they type; empty where host and port say it.
        proxies: whose word on where a request comes from is taken.
    """

    public_url: str = ""
    proxies: tuple[Network, ...] = ()


FRONT = web.AppKey("front", Front)


def networks(names: Sequence[str]) -> tuple[Network, ...]:
    """Return addresses and networks, `10.0.0.2` or `10.0.0.0/24`.

    Raises:
        ValueError: one is none.
    """
    return tuple(ip_network(name) for name in names)


def client_address(peer: str, forwarded_for: str, proxies: Sequence[Network]) -> str:
    """Return who asks: the last in the chain that is none of our proxies.

    Args:
        peer: the other end of the connection; only a proxy of ours is believed any header.
        forwarded_for: X-Forwarded-For, to which each proxy appends whom it heard it from.
    """
    chain = [part.strip() for part in forwarded_for.split(",") if part.strip()]
    address = peer
    while _is_ours(address, proxies) and chain:
        address = chain.pop()
    return address


def _is_ours(address: str, proxies: Sequence[Network]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in proxies)


def address_of(request: web.Request) -> str:
    """Return from which address a request comes."""
    forwarded_for = ",".join(request.headers.getall("X-Forwarded-For", []))
    return client_address(request.remote or "", forwarded_for, request.app[FRONT].proxies)


def own_origin(request: web.Request) -> str:
    """Return the origin that the browser took this request to: `https://farm.example`."""
    front = request.app[FRONT]
    public = urlsplit(front.public_url)
    if front.public_url and request.host.casefold() == public.netloc.casefold():
        return f"{public.scheme}://{public.netloc}".casefold()
    scheme = request.scheme
    if _is_ours(request.remote or "", front.proxies):
        scheme = request.headers.get("X-Forwarded-Proto", scheme)
    return f"{scheme}://{request.host}".casefold()


def comes_from_own_page(headers: Mapping[str, str], origin: str) -> bool:
    """Whether a browser says that one of our own pages sent a request.

    Without a word on it the answer is no: every browser of today sends one of the two.
    """
    site, said = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None and site != "same-origin":
        return False
    if said is not None:
        return said.casefold() == origin
    return site == "same-origin"


def is_foreign(request: web.Request) -> bool:
    """Whether a browser says that another page than ours sent a request; programs say nothing."""
    says = "Sec-Fetch-Site" in request.headers or "Origin" in request.headers
    return says and not comes_from_own_page(request.headers, own_origin(request))
