"""Which addresses the farm may ask on somebody's behalf: pure, by the address itself.

Whoever may name an address could otherwise have the farm ask what only the farm can reach: this
machine's own services, a cloud's metadata with its keys, the neighbours on the network.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias
from urllib.parse import urlsplit

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

URL_CHARACTERS_MAX = 2000

# What `lan` means: addresses of private networks (RFC 1918, RFC 4193).
LAN: tuple[Network, ...] = tuple(
    ip_network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)

# Never, whatever the settings say: link-local, where clouds keep their metadata, and the addresses
# beyond it where some do; what is no single host.
NEVER: tuple[Network, ...] = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "192.0.0.0/24",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "224.0.0.0/4",
        "255.255.255.255/32",
        "::/128",
        "fe80::/10",
        "fec0::/10",
        "fd00:ec2::/32",
        "fd20:ce::/32",
        "ff00::/8",
    )
)

# IPv6 addresses that lead to an IPv4 one, which is in these bits (RFC 6052, RFC 3056).
_NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be asked: every public address, and these networks besides."""

    networks: tuple[Network, ...] = ()

    def objection(self, text: str) -> str:
        """Return why an address, as numbers, must not be connected to; empty where it may."""
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError:
            return f"{text} is no address"
        for each in _meant(address):
            if any(each in network for network in NEVER):
                return f"{text} is an address that is never asked"
            public = each.is_global and not each.is_multicast
            if not public and not any(each in network for network in self.networks):
                return (
                    f"{text} is no public address, and outbound_networks does not name its network"
                )
        return ""

    def objection_to_url(self, url: str) -> str:
        """Return what is wrong with an address as it is written; empty where nothing is.

        What its name leads to shows only when it is looked up.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            return "it is no address"
        if len(url) > URL_CHARACTERS_MAX or any(sign.isspace() or sign < " " for sign in url):
            return f"an address has no spaces, and at most {URL_CHARACTERS_MAX} characters"
        if parts.scheme not in ("http", "https") or not host or port == 0:
            return "write http://HOST/... or https://HOST/..."
        if parts.username is not None or parts.password is not None:
            return "an address with a user's name or password in it is not taken"
        try:
            ip_address(host)
        except ValueError:
            return ""
        return self.objection(host)


def reach_of(text: str) -> Reach:
    """Return the reach that a setting says: networks, and `lan`, between commas.

    Raises:
        ValueError: one of them is no network, or is never asked.
    """
    return Reach(tuple(_networks(each.strip() for each in text.split(",") if each.strip())))


def _networks(words: Iterable[str]) -> Iterator[Network]:
    for word in words:
        if word == "lan":
            yield from LAN
            continue
        try:
            network = ip_network(word)
        except ValueError as error:
            raise ValueError(f"{word!r} is no network: write lan, or 192.168.1.0/24") from error
        if any(network.version == never.version and network.overlaps(never) for never in NEVER):
            raise ValueError(f"{word} holds addresses that are never asked")
        yield network


def _meant(address: Address) -> Iterator[Address]:
    """Yield an address, and the IPv4 one that it stands for."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address.teredo is not None:
            yield from address.teredo
        if any(address in network for network in _NAT64):
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            yield inner
            # A mapped address is the IPv4 one; the others are addresses of their own as well.
            if address.ipv4_mapped is not None or address in _NAT64[0]:
                return
    yield address
