"""Where the coordinator is, and the token for it: from options, environment or its state folder."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from coordinator import state_place
from coordinator.cli.called import CALLED
from coordinator.cli.exits import NotAllowed, NotReachable, UsageWrong

# What a coordinator leaves in its state folder for commands on the same machine.
COORDINATOR_FILE = "coordinator.json"
TOKEN_FILE = "token"

NOT_RUNNING = (
    f"no coordinator runs here: start one with `{CALLED} coordinator`, try `{CALLED} demo`, "
    "or name one with --url or FARMHAND_URL"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A coordinator's address, without a slash at its end, and the token.

    Attributes:
        ca_file: authority of its certificate; the system's where it is empty.
    """

    url: str
    token: str
    ca_file: str = ""


def state_dir_default() -> Path:
    """Return the state folder that a coordinator uses when nothing else is said."""
    named = os.environ.get("FARMHAND_STATE_DIR")
    return Path(named) if named else state_place.state_dir_default()


def locate(url: str, token_file: Path | None) -> Place:
    """Find the coordinator to talk to.

    Raises:
        NotReachable: nothing names one.
        NotAllowed: nothing gives a token, or the file can't be read.
        UsageWrong: the address is none.
    """
    found = url or os.environ.get("FARMHAND_URL", "") or _url_in(state_dir_default())
    if not found.startswith(("http://", "https://")):
        raise UsageWrong(f"{found!r} is no address: it begins with http:// or https://")
    return Place(url=found.rstrip("/"), token=_token(token_file), ca_file=_ca_file())


def _ca_file() -> str:
    """Return the authority that is named, else the one that was made on this machine."""
    if named := os.environ.get("FARMHAND_CA_FILE"):
        return named
    made = state_dir_default() / "tls" / "authority.pem"
    return str(made) if made.is_file() else ""


def _url_in(state_dir: Path) -> str:
    try:
        return str(json.loads((state_dir / COORDINATOR_FILE).read_text())["api_url"])
    except FileNotFoundError as error:
        raise NotReachable(NOT_RUNNING, code="not_running") from error
    except (OSError, ValueError, KeyError) as error:
        raise NotReachable(
            f"{state_dir / COORDINATOR_FILE} can't be read ({error}): "
            "name the coordinator with --url"
        ) from error


def _token(token_file: Path | None) -> str:
    if token_file is None and (given := os.environ.get("FARMHAND_TOKEN")):
        return given.strip()
    path = token_file or state_dir_default() / TOKEN_FILE
    try:
        return path.read_text().strip()
    except (OSError, ValueError) as error:
        raise NotAllowed(
            f"no token: {path} can't be read; set FARMHAND_TOKEN or name a file with --token-file",
            code="no_token",
        ) from error
