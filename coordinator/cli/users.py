"""`farmhand user`: who may come in, and as what."""

import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from coordinator.cli import completing
from coordinator.cli.exits import CommandFailed, UsageWrong
from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from coordinator.cli.client import Document

app = typer.Typer(no_args_is_help=True, help="Users: people and screens.", rich_markup_mode=None)

Name = Annotated[
    str,
    typer.Argument(metavar="USER", help="What they log in with.", autocompletion=completing.users),
]
Role = Annotated[str, typer.Option(help="admin, operator, submitter, viewer, kiosk or agent.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", help="A file with the password. Default: it is asked for."),
]
JobsMax = Annotated[
    int | None, typer.Option("--jobs", help="Open jobs at most; -1: as many as they like.")
]
GramsMax = Annotated[
    float | None, typer.Option("--grams", help="Grams in a calendar month at most; -1: no limit.")
]
_NO_LIMIT = -1


@app.command("ls")
def list_users(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """List users."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    found = connect(url, token_file).users()
    if as_json:
        output.print_json(found)
        return
    rows = (
        [user["name"], user["role"], user["state"], _quota_words(user), user["created_at"]]
        for user in found
    )
    output.print_table(["NAME", "ROLE", "STATE", "QUOTA", "SINCE"], rows, "no users")


@app.command()
def show(name: Name, as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """Show one user."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    user = connect(url, token_file).ask("GET", f"users/{quote(name, safe='')}")
    if as_json:
        output.print_json(user)
        return
    facts = {"role": user["role"], "state": user["state"], "quota": _quota_words(user)}
    output.print_facts(user["name"], {**facts, "since": user["created_at"]})


@app.command()
def add(
    name: Name,
    role: Role,
    password_file: PasswordFile = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="They only have keys.")
    ] = False,
    jobs: JobsMax = None,
    grams: GramsMax = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Make a user. Where nobody can be asked for a password, one is made and printed."""
    from coordinator.cli.client import connect

    password, made = ("", False) if no_password else _password(password_file)
    wanted: Document = {"name": name, "role": role, "password": password}
    _say(connect(url, token_file).add_user(wanted | _quota(jobs, grams, {})), as_json=as_json)
    if made:
        typer.echo(f"password: {password}", err=as_json)


@app.command("set")
def change(
    name: Name,
    role: Role = "",
    jobs: JobsMax = None,
    grams: GramsMax = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Change a user's role or quota."""
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    known: Document = next((user["quota"] for user in farm.users() if user["name"] == name), {})
    wanted = ({"role": role} if role else {}) | _quota(jobs, grams, known)
    if not wanted:
        raise UsageWrong("nothing to change: give --role, --jobs or --grams")
    _say(farm.change_user(name, wanted), as_json=as_json)


@app.command("passwd")
def set_password(
    name: Name, password_file: PasswordFile = None, url: Url = "", token_file: TokenFile = None
) -> None:
    """Give a user another password; everything that they are logged in with ends."""
    from coordinator.cli.client import connect

    password, made = _password(password_file)
    connect(url, token_file).set_password(name, password)
    typer.echo(f"password: {password}" if made else f"{name} has another password")


@app.command()
def disable(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Let them in again.")] = False,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Log a user out everywhere and let them in no more; their keys rest too."""
    from coordinator.cli.client import connect

    _say(connect(url, token_file).change_user(name, {"disabled": not undo}), as_json=as_json)


@app.command("rm")
def remove(name: Name, as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """Take all of a user's ways in away, for good; the name is not given again."""
    from coordinator.cli.client import connect

    _say(connect(url, token_file).remove_user(name), as_json=as_json)


def _password(file: Path | None) -> tuple[str, bool]:
    """Return a password, and whether it was made here because nobody could be asked."""
    if file is not None:
        try:
            return file.read_text().strip(), False
        except (OSError, ValueError) as error:
            raise CommandFailed(f"{file} can't be read: {error}") from error
    if not sys.stdin.isatty():
        return secrets.token_urlsafe(18), True
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True)), False


def _quota(jobs: int | None, grams: float | None, known: "Document") -> "Document":
    """Return what is to be sent of a quota: what is not given stays as it is known."""
    if jobs is None and grams is None:
        return {}
    given = {"jobs_open_max": jobs, "grams_per_month": grams}
    quota = dict(known) | {name: value for name, value in given.items() if value is not None}
    return {"quota": {name: _limit(value) for name, value in quota.items()}}


def _limit(value: float | None) -> float | None:
    return None if value == _NO_LIMIT else value


def _quota_words(user: "Document") -> str:
    jobs, grams = user["quota"]["jobs_open_max"], user["quota"]["grams_per_month"]
    parts = [
        f"{jobs} open jobs" if jobs is not None else "",
        f"{grams:.0f} g a month" if grams is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _say(user: "Document", *, as_json: bool) -> None:
    from coordinator.cli import output

    if as_json:
        output.print_json(user)
        return
    facts = {"role": user["role"], "state": user["state"], "quota": _quota_words(user)}
    output.print_facts(user["name"], facts)
