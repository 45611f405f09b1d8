"""Files that only their owner reads: written whole, made once."""

import os
from collections.abc import Callable
from pathlib import Path

from coordinator.errors import SettingsInvalid


def write_whole(path: Path, text: str) -> None:
    """Write a private file that nobody ever sees half of.

    Raises:
        OSError: there is no room, or no right to.
    """
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """Return the secret in a file, which is made where there is none.

    Raises:
        SettingsInvalid: it can't be read or made.
    """
    try:
        if not path.exists():
            write_whole(path, make() + "\n")
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise SettingsInvalid(
            f"the {path.name} {path} can't be used ({reason}): remove it, and a new one is made"
        ) from error
