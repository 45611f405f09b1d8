"""`farmhand provider`: where models come from."""

from typing import Annotated
from urllib.parse import quote

import typer

from coordinator.cli.options import Json, TokenFile, Url

app = typer.Typer(no_args_is_help=True, help="Where models come from.", rich_markup_mode=None)


@app.command("ls")
def list_providers(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """List providers: what they take, how they stand, what was spent on them today."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    found = connect(url, token_file).ask("GET", "providers")["items"]
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        ["NAME", "SERVICE", "TAKES", "RUNNING", "SPENT TODAY", "TROUBLE"],
        (
            [
                each["name"],
                each["title"],
                " ".join(each["kinds"]),
                f"{each['running']}/{each['at_once_max']}",
                ", ".join(f"{spent} {unit}" for unit, spent in each["spent_today"].items()),
                each["trouble"],
            ]
            for each in found
        ),
        "no providers; [providers.NAME] in coordinator.toml names one",
    )


@app.command("show")
def show_provider(
    name: Annotated[str, typer.Argument(help="Its name.")],
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Show a provider with its options, and ask it how it is: a call that is free."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    farm, path = connect(url, token_file), f"providers/{quote(name, safe='')}"
    known = farm.ask("GET", path)
    health = farm.ask("GET", f"{path}/health", answer_s=40.0)
    if as_json:
        output.print_json({**known, "health": health})
        return
    facts = {
        "service": known["title"],
        "takes": ", ".join(known["kinds"]),
        "ready": "yes" if health["ready"] else f"no: {health['words']}",
        "balance": health["balance"],
        "trouble": known["trouble"],
        "webhooks are taken at": known["webhook_path"],
    }
    output.print_facts(known["name"], facts)
    output.print_table(
        ["OPTION", "TYPE", "CHOICES", "MEANS"],
        (
            [each["name"], each["type"], " ".join(each["choices"]), each["words"]]
            for each in known["options"]
        ),
        "no options",
    )
