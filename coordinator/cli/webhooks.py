"""`farmhand webhook`: who is told what happens, over HTTP."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from coordinator.cli import completing
from coordinator.cli.exits import CommandFailed, UsageWrong
from coordinator.cli.options import Json, TokenFile, Url
from coordinator.cli.times import time_of

if TYPE_CHECKING:
    from coordinator.cli.client import Document

app = typer.Typer(
    no_args_is_help=True, help="Endpoints that are told what happens.", rich_markup_mode=None
)

WebhookId = Annotated[
    str,
    typer.Argument(
        metavar="WEBHOOK", help="The endpoint's id.", autocompletion=completing.webhooks
    ),
]
Types = Annotated[
    list[str] | None,
    typer.Option("--event", help="Only messages of this type, or pattern: 'job.*'. Repeatable."),
]
Description = Annotated[str | None, typer.Option("--description", help="For people.")]


@app.command()
def add(
    address: Annotated[str, typer.Argument(metavar="URL", help="Where messages are posted.")],
    event: Types = None,
    description: Description = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Add an endpoint. Its secret is shown once: whoever receives needs it to verify."""
    from coordinator.cli.client import connect

    said = {"url": address, **_said(types=event, description=description)}
    made = connect(url, token_file).ask("POST", "webhooks", said)
    _say(made, as_json=as_json)


@app.command()
def show(
    webhook_id: WebhookId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Show one endpoint."""
    from coordinator.cli.client import connect

    found = connect(url, token_file).ask("GET", f"webhooks/{quote(webhook_id, safe='')}")
    _say(found, as_json=as_json)


@app.command("ls")
def list_webhooks(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """List endpoints."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    found = connect(url, token_file).ask("GET", "webhooks")["items"]
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        ["ID", "STATE", "URL", "EVENTS", "BEHIND", "NEXT TRY", "DESCRIPTION"],
        (
            [
                each["id"],
                _state(each),
                each["url"],
                " ".join(each["types"]),
                str(each["behind"]),
                each["due_at"] or "",
                each["description"],
            ]
            for each in found
        ),
        "no endpoints; farmhand webhook add URL makes one",
    )


@app.command()
def types(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """List the types of messages, with what they mean."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    found = connect(url, token_file).ask("GET", "webhook-types")["items"]
    if as_json:
        output.print_json(found)
        return
    rows = ([each["type"], each["words"]] for each in found)
    output.print_table(["TYPE", "MEANS"], rows, "none")


class Switch(StrEnum):
    """Whether an endpoint is told anything."""

    ON = "on"
    OFF = "off"


@app.command()
def change(
    webhook_id: WebhookId,
    address: Annotated[str | None, typer.Option("--to", help="Another address.")] = None,
    event: Types = None,
    description: Description = None,
    switch: Annotated[
        Switch | None, typer.Option("--switch", help="off: told nothing; on: from where it was.")
    ] = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Change an endpoint, or switch it on again."""
    from coordinator.cli.client import connect

    enabled = None if switch is None else switch is Switch.ON
    said = _said(url=address, types=event, description=description, enabled=enabled)
    changed = connect(url, token_file).ask("PATCH", _path(webhook_id), said)
    _say(changed, as_json=as_json)


@app.command("test")
def send_test(
    webhook_id: WebhookId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Send a test message now."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    outcome = connect(url, token_file).ask("POST", f"{_path(webhook_id)}/test", answer_s=30.0)
    if as_json:
        output.print_json(outcome)
    elif outcome["taken"]:
        typer.echo(f"taken in {outcome['elapsed_ms']} ms ({outcome['status']})")
    if not outcome["taken"]:
        raise CommandFailed(f"the test was not taken: {outcome['words']}")


@app.command()
def rotate(
    webhook_id: WebhookId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Make a new secret, shown once. For a day messages are signed with the old one too."""
    from coordinator.cli.client import connect

    made = connect(url, token_file).ask("POST", f"{_path(webhook_id)}/rotate")
    _say(made, as_json=as_json)


@app.command("rm")
def remove(
    webhook_id: WebhookId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Remove an endpoint."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    gone = connect(url, token_file).ask("DELETE", _path(webhook_id))
    if as_json:
        output.print_json(gone)
    else:
        typer.echo(f"{gone['id']} is removed")


@app.command()
def deliveries(
    webhook_id: WebhookId,
    last: Annotated[int, typer.Option(help="So many, those attempted last.")] = 50,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """List what became of the last messages."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    path = f"{_path(webhook_id)}/deliveries?limit={last}"
    found = connect(url, token_file).ask("GET", path)["items"]
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        ["EVENT", "TYPE", "STATE", "ATTEMPTS", "ANSWER", "TOOK", "LAST"],
        (
            [
                str(each["event"]),
                each["type"],
                output.state_text(each["state"]),
                str(each["attempts"]),
                each["words"] if each["status"] is None else str(each["status"]),
                f"{each['elapsed_ms']} ms",
                each["last_at"],
            ]
            for each in found
        ),
        "nothing was sent yet",
    )


@app.command()
def replay(
    webhook_id: WebhookId,
    after: Annotated[
        int | None, typer.Option(help="Tell again all that follows the event with this number.")
    ] = None,
    since: Annotated[
        str, typer.Option(help="Or all from then on: 2026-01-31T12:00, or 90m, 12h, 7d ago.")
    ] = "",
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Tell an endpoint again what it was told, or skip what it can't take."""
    from coordinator.cli.client import connect

    if (after is None) == (not since):
        raise UsageWrong("say either --after NUMBER or --since TIME")
    said = {"since": time_of(since)} if since else {"after": after}
    changed = connect(url, token_file).ask("POST", f"{_path(webhook_id)}/replay", said)
    _say(changed, as_json=as_json)


def _said(**fields: object) -> "Document":
    return {name: value for name, value in fields.items() if value is not None}


def _path(webhook_id: str) -> str:
    return f"webhooks/{quote(webhook_id, safe='')}"


def _state(webhook: "Document") -> str:
    if not webhook["enabled"]:
        return "disabled"
    return "failing" if webhook["failures"] else "on"


def _say(webhook: "Document", *, as_json: bool) -> None:
    from coordinator.cli import output

    if as_json:
        output.print_json(webhook)
        return
    output.print_facts(
        webhook["id"],
        {
            "state": _state(webhook),
            "why": webhook["disabled_reason"],
            "url": webhook["url"],
            "events": " ".join(webhook["types"]),
            "description": webhook["description"],
            "told up to event": str(webhook["cursor"]),
            "the secret before counts until": webhook["previous_secret_until"],
            "secret (shown this once)": webhook.get("secret"),
        },
    )
