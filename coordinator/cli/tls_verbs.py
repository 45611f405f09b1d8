"""`farmhand tls make`: TLS for a farm at home, in one command; needs no coordinator."""

import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from coordinator.cli.called import CALLED
from coordinator.cli.place import state_dir_default

app = typer.Typer(
    no_args_is_help=True,
    help="TLS: an authority and a certificate of the farm's own.",
    rich_markup_mode=None,
)


@app.callback()
def _verbs() -> None:
    """Keep `make` a verb, though it is the only one."""


@app.command()
def make(
    name: Annotated[
        list[str] | None,
        typer.Option("--name", help="A further name or address of this machine; may be repeated."),
    ] = None,
    state_dir: Annotated[
        Path | None, typer.Option(help="The coordinator's state folder.", show_default=False)
    ] = None,
) -> None:
    """Make an authority, once, and a certificate for this machine's names, each time anew.

    A coordinator with this state folder uses them from its next start on. The names of the
    certificate before stay in it.
    """
    from coordinator import tls
    from coordinator.adapters import certificates

    folder = (state_dir or state_dir_default()) / tls.FOLDER
    authority, authority_key = folder / tls.AUTHORITY, folder / tls.AUTHORITY_KEY
    certificate = folder / tls.CERTIFICATE
    now = datetime.now(UTC)
    is_new = not authority.exists()
    if is_new:
        certificates.make_authority(authority, authority_key, now=now)
    before = certificates.names_in(certificate) if certificate.exists() else []
    names = list(dict.fromkeys([*(name or []), *before, *_own_names()]))
    certificates.make_certificate(
        certificate,
        folder / tls.KEY,
        authority=authority,
        authority_key=authority_key,
        names=names,
        now=now,
    )
    until = certificates.valid_until(certificate)
    typer.echo(f"certificate  {certificate}, until {until:%Y-%m-%d}")
    typer.echo(f"  for        {', '.join(names)}")
    typer.echo(f"authority    {authority}{', made now' if is_new else ''}")
    typer.echo(
        f"Restart the coordinator. Agents get the authority when they enrol (`{CALLED} agent\n"
        "token`); give browsers and other machines the file, by hand."
    )


def _own_names() -> list[str]:
    """Return what this machine is called, and its addresses, as far as it knows."""
    host = socket.gethostname().split(".")[0]
    names = [socket.getfqdn(), host, f"{host}.local", "localhost", "127.0.0.1", "::1"]
    return [each for each in (*names, *_address()) if each]


def _address() -> list[str]:
    """Return the address that this machine has on its network; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # of no machine, RFC 5737
        except OSError:
            return []
        return [str(probe.getsockname()[0])]
