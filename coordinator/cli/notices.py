"""`farmhand notice`: by which ways people are told, and whether a way works."""

from typing import Annotated
from urllib.parse import quote

import typer

from coordinator.cli.options import Json, TokenFile, Url

app = typer.Typer(
    no_args_is_help=True, help="Notices to people: by mail, by ntfy.", rich_markup_mode=None
)

# A mail server may take its time.
_SENT_S = 90.0


@app.command("ls")
def list_ways(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """List the ways by which people are told, as the settings name them."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    ways = connect(url, token_file).ask("GET", "notices")["items"]
    if as_json:
        output.print_json(ways)
        return
    output.print_table(
        ["WAY", "STATE", "FAILURES"],
        (
            [each["name"], "failing" if each["failures"] else "on", str(each["failures"])]
            for each in ways
        ),
        "none: set smtp_url, mail_from and mail_to, or ntfy_url",
    )


@app.command("test")
def try_way(
    name: Annotated[str, typer.Argument(metavar="WAY", help="email or ntfy.")],
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Send a test now, and say whether it was taken."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    path = f"notices/{quote(name, safe='')}/test"
    sent = connect(url, token_file).ask("POST", path, answer_s=_SENT_S)
    if as_json:
        output.print_json(sent)
        return
    typer.echo(f"{sent['name']} took it")
