"""Mosquitto as the embedded broker: the configuration we give it."""

import os
import pwd
import shutil
from collections.abc import Sequence
from pathlib import Path

from coordinator.adapters.embedded_broker.entrance import Entrance, write_private
from coordinator.adapters.embedded_broker.listeners import Listener

# Distributions put it where only root's PATH looks.
_ALSO_IN = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")


def find() -> str | None:
    """Return where the program is, None where it is not installed."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_ALSO_IN))
    return shutil.which("mosquitto", path=path)


def command(
    program: str, folder: Path, *, listeners: Sequence[Listener], entrance: Entrance
) -> list[str]:
    """Write the configuration into a folder and return the command that uses it.

    Nagle's algorithm would hold messages back for some 20 ms. The limit on messages in flight is
    off, because version 2.0.11 loses count of its queue and drops acknowledged messages with it.
    Nothing is kept: the coordinator says everything again after a start.

    Raises:
        OSError: it can't be written.
    """
    entrance.write()
    lines = [
        "# Written at every start of the coordinator: changes here are lost.",
        "persistence false",
        "set_tcp_nodelay true",
        "max_inflight_messages 0",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        # Started as root it would change to a user who can't read this folder.
        f"user {pwd.getpwuid(os.getuid()).pw_name}",
        f"allow_anonymous {'false' if entrance.closed else 'true'}",
    ]
    if entrance.closed:
        lines.append(f"password_file {entrance.passwords}")
    if entrance.keeps_apart:
        lines.append(f"acl_file {entrance.access}")
    for listener in listeners:
        lines.append(f"listener {listener.port} {listener.host}")
        if listener.tls is not None:
            certificate, key = listener.tls
            lines += [f"certfile {certificate}", f"keyfile {key}", "tls_version tlsv1.2"]
        if entrance.one_connection_each:
            lines.append("use_username_as_clientid true")
    configuration = folder / "mosquitto.conf"
    write_private(configuration, "\n".join(lines) + "\n")
    return [program, "-c", str(configuration)]
