"""`farmhand key`: what programs show."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from coordinator.cli.exits import UsageWrong
from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from coordinator.cli.client import Document

app = typer.Typer(no_args_is_help=True, help="Keys of programs.", rich_markup_mode=None)

Of = Annotated[str, typer.Option("--user", help="Whose.")]
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for: ci, slicer ...")],
    user: Of = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What it may do, jobs:submit say; all that its user may if not given."),
    ] = None,
    expires: Annotated[str, typer.Option(help="After how long it ends: 12h, 90d, 8w.")] = "",
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Make a key; it is printed this once."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    wanted: Document = {"name": name, "user": user, "scopes": scope or []}
    if expires:
        wanted["expires_at"] = _end(expires)
    key = connect(url, token_file).create_key(wanted)
    if as_json:
        output.print_json(key)
        return
    typer.echo(key["key"])
    typer.echo(f"{key['id']}  of {key['user']}: {', '.join(key['scopes'])}", err=True)


@app.command("ls")
def list_keys(
    user: Of = "", as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """List keys that were not revoked."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    found = connect(url, token_file).keys(user)
    if as_json:
        output.print_json(found)
        return
    rows = (
        [
            key["id"],
            key["name"],
            key["user"],
            " ".join(key["scopes"]),
            key["expires_at"] or "",
            key["used_at"] or "",
        ]
        for key in found
    )
    output.print_table(["ID", "NAME", "USER", "SCOPES", "ENDS", "LAST USED"], rows, "no keys")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="The key's id.")],
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Make a key useless, at once."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    ended = connect(url, token_file).revoke_key(key_id)
    if as_json:
        output.print_json(ended)
        return
    typer.echo(f"{key_id} opens nothing any more")


def _end(after: str) -> str:
    found = re.fullmatch(r"(\d{1,5})([hdw])", after)
    if found is None:
        raise UsageWrong(f"--expires {after}: write 12h, 90d or 8w")
    return (datetime.now(UTC) + int(found[1]) * _UNITS[found[2]]).isoformat()
