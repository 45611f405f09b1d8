"""Mosquitto as the embedded broker: the configuration we give it."""

import base64
import hashlib
import os
import pwd
import secrets
import shutil
from pathlib import Path

# Distributions put it where only root's PATH looks.
_ALSO_IN = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
_HASH_ROUNDS = 101  # as mosquitto_passwd does; the password itself has to be long


def find() -> str | None:
    """Return where the program is, None where it is not installed."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_ALSO_IN))
    return shutil.which("mosquitto", path=path)


def command(
    program: str, folder: Path, *, host: str, port: int, username: str, password: str
) -> list[str]:
    """Write the configuration into a folder and return the command that uses it.

    Nagle's algorithm would hold messages back for some 20 ms. The limit on messages in flight is
    off, because version 2.0.11 loses count of its queue and drops acknowledged messages with it.
    Nothing is kept: the coordinator says everything again after a start.
    """
    lines = [
        "# Written at every start of the coordinator: changes here are lost.",
        f"listener {port} {host}",
        "persistence false",
        "set_tcp_nodelay true",
        "max_inflight_messages 0",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        # Started as root it would change to a user who can't read this folder.
        f"user {pwd.getpwuid(os.getuid()).pw_name}",
    ]
    if password:
        users = folder / "passwords"
        _write_private(users, f"{username}:{_hashed(password)}\n")
        lines += ["allow_anonymous false", f"password_file {users}"]
    else:
        lines += ["allow_anonymous true"]
    configuration = folder / "mosquitto.conf"
    _write_private(configuration, "\n".join(lines) + "\n")
    return [program, "-c", str(configuration)]


def _hashed(password: str) -> str:
    """Return a line of a password file: PBKDF2 with SHA-512, as mosquitto 1.6 and later read."""
    salt = secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _HASH_ROUNDS)
    return "$".join(
        (
            "",
            "7",
            str(_HASH_ROUNDS),
            base64.b64encode(salt).decode(),
            base64.b64encode(key).decode(),
        )
    )


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
