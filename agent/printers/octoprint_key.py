"""`farmhand-agent octoprint-key URL`: have OctoPrint's owner admit us, by its Application Keys.

The key belongs to whoever allows it, can be withdrawn in OctoPrint's settings, and is worth more
than the global one, which OctoPrint 1.13 takes no longer.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from octorest import AuthorizationRequestPollingResult, OctoRest

from agent.errors import DriverError, NotPossible
from agent.printers.octoprint_rest import NotFound, Rest

APP = "Farmhand"
POLL_S = 1.0  # OctoPrint forgets a request that nobody asks after for 5 s


async def obtain(root: str, *, user: str = "", within_s: float) -> str:
    """Return a key once a person has allowed it in a browser.

    Args:
        root: address of OctoPrint's page.
        user: who is to be asked; empty: whoever is logged in.
        within_s: how long to wait for that.

    Raises:
        NotPossible: it was refused, nobody answered, or this OctoPrint does not do so.
        DriverUnavailable: it is not there.
    """
    rest = Rest(root.rstrip("/"), "")
    try:
        try:
            if not await rest.call(lambda client: client.probe_app_keys_workflow_support()):
                raise NotFound("no Application Keys")
        except NotFound as error:
            raise NotPossible("this OctoPrint has no Application Keys: make a key there") from error
        asked = await rest.call(
            lambda client: client.start_authorization_process(APP, user or None)
        )

        def poll(client: OctoRest) -> str | None:
            result, key = client.poll_auth_request_decision(asked)
            if result is AuthorizationRequestPollingResult.NOPE:
                raise NotFound("refused")
            return None if key is None else str(key)

        until_s = time.monotonic() + within_s
        while time.monotonic() < until_s:
            try:
                if (key := await rest.call(poll)) is not None:
                    return key
            except NotFound as error:
                raise NotPossible("it was refused in the browser") from error
            await asyncio.sleep(POLL_S)
        raise NotPossible(f"nobody allowed it within {within_s:.0f} s")
    finally:
        rest.close()


def main(arguments: Sequence[str]) -> int:
    """Obtain a key and say or store it; returns 0, or 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(
        prog="farmhand-agent octoprint-key", description="Obtain a key for an OctoPrint."
    )
    parser.add_argument("url", help="where its page is, http://octopi.local")
    parser.add_argument("--user", default="", help="who is asked; default: whoever is logged in")
    parser.add_argument("--out", type=Path, help="store the key there, for `api_key_file`")
    parser.add_argument("--within", type=float, default=300.0, help="seconds to wait; 300")
    asked = parser.parse_args(arguments)
    sys.stderr.write(f"open {asked.url} in a browser, log in, and allow {APP!r}\n")
    try:
        key = asyncio.run(obtain(asked.url, user=asked.user, within_s=asked.within))
        if asked.out is None:
            sys.stdout.write(f"{key}\n")
        else:
            _store(asked.out, key)
            sys.stderr.write(f"the key is in {asked.out}\n")
    except (DriverError, OSError) as error:
        sys.stderr.write(f"farmhand-agent: {error}\n")
        return 1
    return 0


def _store(path: Path, key: str) -> None:
    """Write a file that only its owner reads."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w") as opened:
        os.fchmod(file, 0o600)
        opened.write(f"{key}\n")
