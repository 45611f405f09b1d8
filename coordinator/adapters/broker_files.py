"""A Mosquitto that somebody else runs: who may enter it, as files that it is given.

`systemd/farmhand-mosquitto.path` carries them over, on a machine where both run under systemd.
"""

import secrets
from collections.abc import Sequence
from pathlib import Path

from coordinator.domain.broker_access import SALT_BYTES, files_for
from coordinator.domain.enrolment import AgentCredential
from coordinator.errors import Unavailable
from coordinator.secret_files import write_whole


class BrokerFiles:
    """The files `passwords` and `access` in a folder. Implements `BrokerDoor`."""

    def __init__(self, folder: Path, *, username: str, password: str) -> None:
        """Take the folder, and what the coordinator itself shows at the broker."""
        self._folder = folder
        self._shared = username, password
        # One for this process's life: what did not change looks the same.
        self._salt = secrets.token_bytes(SALT_BYTES)

    async def admit(self, credentials: Sequence[AgentCredential]) -> None:
        """Write the list, the file with passwords last: it is the one that is watched.

        Raises:
            Unavailable: it can't be written.
        """
        files = files_for(credentials, self._shared, self._salt)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            for name in ("access", "passwords"):
                write_whole(self._folder / name, files[name])
        except OSError as error:
            raise Unavailable(
                "broker_failed", f"{self._folder} can't be written: {error.strerror}"
            ) from error
