"""Print hosts that announce themselves on the network, by mDNS (RFC 6762) and DNS-SD (RFC 6763).

OctoPrint does so by itself, Moonraker where its configuration has `[zeroconf]`. PrusaLink on a Pi
announces itself three times: as `_prusalink`, as `_http`, and as `_octoprint` for older slicers;
printers with PrusaLink inside as `_prusalink`. So the more particular name counts.
"""

import concurrent.futures
import ipaddress
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType

from zeroconf import Error, InterfaceChoice, IPVersion, ServiceBrowser, ServiceInfo, Zeroconf

from agent.found import Found

LISTEN_S = 4.0  # a question is asked at once, after 1 s and after 3 s: Wi-Fi loses some
DETAILS_S = 2.0
AT_ONCE_MAX = 16
FOUND_MAX = 200  # whoever wants may announce anything

_WEB = "_http._tcp.local."  # anything with a page: only what calls itself PrusaLink counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of host: who drives it, and what a person has to add."""

    driver: str
    name: str
    missing: Mapping[str, str]
    hint: str


_PRUSALINK = Kind(
    driver="prusalink",
    name="PrusaLink",
    missing={"username": "maker", "api_key": "?"},
    hint="user and password: at the printer, Settings > Network > PrusaLink; "
    "on a Pi those of its page (or its API key, without username)",
)
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "_prusalink._tcp.local.": _PRUSALINK,
        "_moonraker._tcp.local.": Kind(
            driver="moonraker",
            name="Moonraker",
            missing={"api_key": "?"},
            hint="the key: its page's settings (without, where it trusts this machine)",
        ),
        "_octoprint._tcp.local.": Kind(
            driver="octoprint",
            name="OctoPrint",
            missing={"api_key": "?"},
            hint="the key: farmhand-agent octoprint-key {url}",
        ),
    }
)


def on_network(
    ports: Sequence[str] = (),
    boot_s: float = 0.0,
    *,
    interfaces: InterfaceChoice | Sequence[str] = InterfaceChoice.All,
    listen_s: float = LISTEN_S,
    leads_to: Callable[[str, str], bool] | None = None,
) -> list[Found]:
    """Listen for hosts; blocks for some seconds.

    Args:
        ports: a person who names serial ports looks only there: then nothing is asked.
        boot_s: of boards; hosts need none.
        interfaces: where to listen; addresses of our own.
        listen_s: so long.
        leads_to: whether a host's name is resolved to an address; None: by asking the system.
    """
    if ports:
        return []
    try:
        network = Zeroconf(interfaces=interfaces, ip_version=IPVersion.V4Only)
    except OSError as error:
        return [Found(address="the network", trouble=f"can't be asked: {error.strerror}")]
    try:
        announced = _announced(network, listen_s)
    finally:
        network.close()
    resolves = leads_to or _leads_to
    hosts = _hosts(announced)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE_MAX) as threads:
        return list(threads.map(lambda each: _found(each[0], each[1], resolves), hosts))


def _announced(network: Zeroconf, listen_s: float) -> list[ServiceInfo]:
    """Return what was announced, with all that is told of it."""
    names: dict[tuple[str, str], None] = {}  # type and name, as a set that keeps its order

    def heard(*, service_type: str, name: str, **_: object) -> None:
        if len(names) < FOUND_MAX:
            names[service_type, name] = None

    browser = ServiceBrowser(network, [*KINDS, _WEB], handlers=[heard])
    time.sleep(listen_s)  # whoever is there answers in this time, and nobody says who was last
    browser.cancel()
    wanted = [each for each in list(names) if each[0] != _WEB or _calls_itself_prusalink(each[1])]

    def details(each: tuple[str, str]) -> ServiceInfo | None:
        with suppress(Error):  # a name that is none
            info = ServiceInfo(*each)
            # PrusaLink leaves it to its machine to tell its address: some tell none in time.
            info.request(network, DETAILS_S * 1000)
            return info if info.server and info.port else None
        return None

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE_MAX) as threads:
        return [info for info in threads.map(details, wanted) if info is not None]


def _calls_itself_prusalink(name: str) -> bool:
    return "prusalink" in name.lower()


def _hosts(announced: Iterable[ServiceInfo]) -> Iterator[tuple[Kind, ServiceInfo]]:
    """Yield each host once, in the order of its name, as what it is rather than what it serves."""
    hosts: dict[tuple[str | None, int | None], tuple[Kind, ServiceInfo]] = {}
    for info in announced:
        kind = _PRUSALINK if _calls_itself_prusalink(info.name) else KINDS.get(info.type)
        place = (info.server, info.port)
        if kind is not None and (place not in hosts or kind is _PRUSALINK):
            hosts[place] = (kind, info)
    yield from sorted(hosts.values(), key=lambda each: each[1].name)


def _found(kind: Kind, info: ServiceInfo, leads_to: Callable[[str, str], bool]) -> Found:
    """Return a host as it is written down: by its name where that leads there, else by address."""
    told = {
        key.decode(errors="replace"): (value or b"").decode(errors="replace")
        for key, value in info.properties.items()
    }
    path = told.get("path", "") or told.get("route_prefix", "")
    host = (info.server or "").rstrip(".").lower()
    named = _url(host, info.port, path)
    numbered = [_url(address, info.port, path) for address in info.parsed_addresses()]
    spelt = bool(re.fullmatch(r"[a-z0-9.-]+", host))
    resolved = spelt and any(leads_to(host, address) for address in info.parsed_addresses())
    url = named if resolved or not numbered else numbered[0]
    return Found(
        address=url,
        driver=kind.driver,
        setting="url",
        names=(*numbered, *([named] if spelt else [])),
        firmware=f"{kind.name} {told.get('version', '')}".strip(),
        machine=host.removesuffix(".local") or info.name.removesuffix(f".{info.type}"),
        missing=kind.missing,
        hint=kind.hint.format(url=url),
    )


def _url(host: str, port: int | None, path: str) -> str:
    shown = re.sub(r"[^\w.:-]", "", host)
    place = shown if port == 80 else f"{shown}:{port}"
    way = path.strip("/")
    return f"http://{place}/{way}" if re.fullmatch(r"[\w./~-]+", way) else f"http://{place}"


def _leads_to(host: str, address: str) -> bool:
    """Whether the system resolves a name to an address, as the drivers will ask it to."""
    with suppress(OSError, UnicodeError):
        known = {str(each[4][0]) for each in socket.getaddrinfo(host, None, socket.AF_INET)}
        return str(ipaddress.ip_address(address)) in known
    return False
