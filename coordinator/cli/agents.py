"""`farmhand agent`, `farmhand broker`: who may bring printers into the farm."""

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from coordinator.cli import completing
from coordinator.cli.called import CALLED
from coordinator.cli.exits import CommandFailed
from coordinator.cli.options import Json, TokenFile, Url
from coordinator.cli.times import seconds_of

if TYPE_CHECKING:
    from coordinator.cli.client import Document

app = typer.Typer(
    no_args_is_help=True, help="Agents: enrol, list, shut out.", rich_markup_mode=None
)
broker_app = typer.Typer(
    no_args_is_help=True, help="A broker that runs elsewhere.", rich_markup_mode=None
)

AgentName = Annotated[
    str,
    typer.Argument(metavar="AGENT", help="The agent's name.", autocompletion=completing.agents),
]
Ttl = Annotated[
    str, typer.Option("--ttl", help="How long it can be used: 30m, 1h, 7d.", metavar="TIME")
]


@app.command()
def token(
    name: Annotated[
        str, typer.Option("--for", help="Only for this agent, also one that enrolled before.")
    ] = "",
    ttl: Ttl = "1h",
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Make a one-time token; it is shown now and never again."""
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    made = farm.make_agent_token(name or None, seconds_of(ttl))
    _show_token(made, farm.url, as_json=as_json)


@app.command()
def rotate(
    agent: AgentName,
    ttl: Ttl = "1h",
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Make a token that gives an agent a new secret; the old one is good until it is used."""
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    _show_token(farm.rotate_agent(agent, seconds_of(ttl)), farm.url, as_json=as_json)


@app.command("ls")
def list_agents(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """List the agents, enrolled or not."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    agents = connect(url, token_file).agents()
    if as_json:
        output.print_json(agents)
        return
    output.print_table(
        ["AGENT", "ENROLLED", "STATE", "PRINTERS", "BUILD"],
        (
            [each["id"], *_words(each), str(each["printers"]), each["build"] or ""]
            for each in agents
        ),
        f"no agents; `{CALLED} agent token` lets one in",
    )


@app.command()
def revoke(
    agent: AgentName, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Shut an agent out, at once; what it prints goes on."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    revoked = connect(url, token_file).revoke_agent(agent)
    if as_json:
        output.print_json(revoked)
        return
    typer.echo(f"{agent} is shut out; `{CALLED} agent token --for {agent}` lets it in again")


@broker_app.command("files")
def broker_files(
    out: Annotated[Path, typer.Option("--out", help="Folder; made if need be.")],
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Write password file, access list and settings for a Mosquitto that runs elsewhere."""
    from coordinator.cli.client import connect

    files = connect(url, token_file).broker_files()
    folder = out.absolute()
    files["farmhand.conf"] = (
        "# Written by Farmhand. Put it into Mosquitto's conf.d, beside a listener of your own.\n"
        f"allow_anonymous false\npassword_file {folder / 'passwords'}\n"
        f"acl_file {folder / 'access'}\nset_tcp_nodelay true\nmax_inflight_messages 0\n"
    )
    for name, text in files.items():
        _write(folder / name, text)
        typer.echo(str(folder / name))
    typer.echo("Mosquitto must be able to read them (chown mosquitto); after agents came or went,")
    typer.echo("write them again and have it read them: kill -HUP")


def _show_token(made: "Document", coordinator_url: str, *, as_json: bool) -> None:
    from coordinator.cli import output

    if as_json:
        output.print_json(made)
        return
    typer.echo(made["token"])
    typer.echo(f"good once, until {made['expires_at']}; on the agent's machine:", err=True)
    url = _from_afar(coordinator_url)
    typer.echo(f"  farmhand-agent enroll {made['token']} --coordinator {url}", err=True)


def _from_afar(url: str) -> str:
    """Return the coordinator's address as other machines most likely reach it."""
    parts = urlsplit(url)
    if parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        return url
    host = socket.gethostname().split(".")[0]
    return f"{parts.scheme}://{host}.local:{parts.port}"


def _words(agent: "Document") -> list[str]:
    enrolled = "yes" if agent["enrolled"] else "revoked" if agent["revoked_at"] else "no"
    state = {True: "online", False: "offline", None: "never seen"}[agent["online"]]
    return [enrolled, state]


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        draft.replace(path)
    except OSError as error:
        raise CommandFailed(f"{path} can't be written: {error.strerror}") from error
