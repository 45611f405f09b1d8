"""Told to the local network, so that slicers' *Browse* buttons find the farm: DNS-SD by zeroconf.

One record for the farm and one for each class at most: one a printer would flood the dialogue.
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

import ifaddr
import structlog
from zeroconf import Error, InterfaceChoice, IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from coordinator.errors import FarmError
from coordinator.usecases.farm import Farm

log = structlog.get_logger(__name__)

TYPE = "_octoprint._tcp.local."
# Printers of a new class are found after so long.
LOOK_S = 60.0
# A label in DNS has no more.
_LABEL_BYTES_MAX = 63


@dataclass(frozen=True, slots=True)
class Record:
    """What one entry of the dialogue says."""

    name: str
    path: str


def records(classes: Iterable[str], host_name: str) -> tuple[Record, ...]:
    """Return the records of a farm with printers of these classes, the farm's own first."""
    farm = Record(_label(f"Farmhand on {host_name}"), "/octoprint/farm/")
    return (
        farm,
        *(
            Record(_label(f"{each} on {host_name}"), f"/octoprint/{quote(each, safe='')}/")
            for each in sorted(set(classes))
        ),
    )


async def keep_told(farm: Farm, *, host: str, port: int, version: str) -> None:
    """Tell the network of the farm until cancelled; a network that takes no word is let be.

    Args:
        host: where the HTTP API listens, beyond this machine; so with the port.
    """
    try:
        async with told(host=host, port=port, version=version) as neighbours:
            while True:
                try:
                    async with farm.store.read() as unit:
                        printers = await unit.printers()
                    await neighbours.tell({printer.printer_class for printer in printers})
                except FarmError as error:
                    log.info("neighbours.not_told", reason=str(error))
                await asyncio.sleep(LOOK_S)
    except (OSError, Error) as error:
        log.warning("neighbours.not_told", reason=str(error) or type(error).__name__)


@dataclass(slots=True)
class Neighbours:
    """What the network was told so far."""

    zeroconf: AsyncZeroconf
    addresses: list[str]
    port: int
    version: str
    _told: dict[Record, ServiceInfo] = field(default_factory=dict)

    async def tell(self, classes: Collection[str]) -> None:
        """Tell of a farm with printers of these classes, and take back what is so no longer."""
        host_name = _host_name()
        wanted = records(classes, host_name)
        for record in wanted:
            if record not in self._told:
                info = self._info(record, host_name)
                await self.zeroconf.async_register_service(info, allow_name_change=True)
                self._told[record] = info
                log.info("neighbours.told", name=info.name, path=record.path)
        for record in self._told.keys() - set(wanted):
            await self.zeroconf.async_unregister_service(self._told.pop(record))

    def _info(self, record: Record, host_name: str) -> ServiceInfo:
        return ServiceInfo(
            TYPE,
            f"{record.name}.{TYPE}",
            port=self.port,
            parsed_addresses=self.addresses,
            properties={"path": record.path, "version": self.version},
            # The machine's own name is its own responder's to tell.
            server=f"farmhand-{host_name}.local.",
        )


@asynccontextmanager
async def told(*, host: str, port: int, version: str) -> AsyncIterator[Neighbours]:
    """Lend what tells the network; at the end all is taken back.

    Raises:
        OSError, zeroconf.Error: the network takes no word.
    """
    addresses = _addresses(host)
    interfaces = [host] if addresses == [host] else InterfaceChoice.All
    zeroconf = AsyncZeroconf(interfaces=interfaces, ip_version=IPVersion.V4Only)
    try:
        yield Neighbours(zeroconf, addresses, port, version)
    finally:
        # It says goodbye for every record.
        await zeroconf.async_close()


def _addresses(host: str) -> list[str]:
    """Return the IPv4 addresses at which the listener is reached; slicers take the first."""
    try:
        given = ipaddress.ip_address(host)
    except ValueError:
        given = None
    if isinstance(given, ipaddress.IPv4Address) and not given.is_unspecified:
        return [host]
    found = [
        each.ip
        for adapter in ifaddr.get_adapters()
        for each in adapter.ips
        if each.is_IPv4 and isinstance(each.ip, str)
    ]
    return [each for each in found if not ipaddress.ip_address(each).is_loopback]


def _host_name() -> str:
    return socket.gethostname().partition(".")[0] or "farm"


def _label(text: str) -> str:
    printable = "".join(sign if sign.isprintable() and sign != "." else "-" for sign in text)
    return printable.encode()[:_LABEL_BYTES_MAX].decode("utf-8", "ignore")
