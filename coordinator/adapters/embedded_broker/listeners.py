"""Where the embedded broker listens."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One address.

    Attributes:
        tls: certificate (with what leads to its authority) and key, None for plain MQTT.
    """

    host: str
    port: int
    tls: tuple[Path, Path] | None = None

    @property
    def url(self) -> str:
        """How clients on this machine find it."""
        host = reachable(self.host)
        scheme = "mqtt" if self.tls is None else "mqtts"
        return (
            f"{scheme}://[{host}]:{self.port}" if ":" in host else f"{scheme}://{host}:{self.port}"
        )


def reachable(host: str) -> str:
    """Return an address that clients on this machine can connect to."""
    return {"0.0.0.0": LOOPBACK, "::": "::1"}.get(host, host)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
