"""Where a broker is, and who we are there."""

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from coordinator.errors import SettingsInvalid


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where the broker is, and who we are there.

    Attributes:
        ca_file: certificate of the authority that is believed; the system's where it is empty.
    """

    host: str
    port: int
    tls: bool = False
    ca_file: str = ""
    username: str | None = None
    password: str | None = None

    @classmethod
    def of(
        cls,
        url: str,
        *,
        username: str | None,
        password: str | None,
        ca_file: str = "",
        setting: str = "broker_url",
    ) -> "BrokerAddress":
        """Return what a URL says: `mqtt://host:1883` or `mqtts://host:8883`.

        Args:
            setting: where it stands, for who has to mend it.

        Raises:
            SettingsInvalid: it is no such URL.
        """
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or port == -1:
            raise SettingsInvalid(
                f"{setting} {url!r} is no address of a broker: write mqtt://HOST:1883 "
                "or mqtts://HOST:8883"
            )
        tls = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname,
            port=port or (8883 if tls else 1883),
            tls=tls,
            ca_file=ca_file,
            username=parts.username or username,
            password=parts.password or password,
        )

    def tls_context(self) -> ssl.SSLContext | None:
        """Return what decides whether the broker is believed; None for plain MQTT."""
        return ssl.create_default_context(cafile=self.ca_file or None) if self.tls else None

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"
