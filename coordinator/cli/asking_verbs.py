"""`farmhand health`, `whoami`, `openapi`, `explain`; `farmhand artifact`, `farmhand session`."""

import hashlib
import os
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from coordinator.cli.exits import CommandFailed, UsageWrong
from coordinator.cli.options import Json, TokenFile, Url

artifact_app = typer.Typer(
    no_args_is_help=True, help="Files that the farm keeps.", rich_markup_mode=None
)
session_app = typer.Typer(
    no_args_is_help=True, help="Where one is logged in with a browser.", rich_markup_mode=None
)
_CHUNK_BYTES = 1 << 20


def health(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """Show how the coordinator is; the exit code is 1 where it can do nothing."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    found = connect(url, token_file).health()
    if as_json:
        output.print_json(found)
    else:
        parts = ("database", "history", "broker", "slicer", "disk", "webhooks", "providers")
        title = f"{found['status']}, version {found['version']}"
        output.print_facts(title, {part: found[part] for part in parts})
        for trouble in found["troubles"] or ():
            typer.echo(f"{trouble['part']}: {trouble['words']}")
        for name in ("agents", "webhooks", "providers"):
            if figures := found["figures"]:
                typer.echo(f"{name}: {figures[name]['well']} of {figures[name]['all']} well")
    if found["status"] == "failing":
        raise CommandFailed("the coordinator can do nothing")


def whoami(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """Show who the farm takes this token or key for, and what they may."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    found = connect(url, token_file).ask("GET", "me")
    if as_json:
        output.print_json(found)
        return
    facts = {"role": found["role"], "may": ", ".join(found["permissions"])}
    output.print_facts(found["actor"], facts)


def openapi(url: Url = "", token_file: TokenFile = None) -> None:
    """Print the API's document, OpenAPI 3.1, as JSON."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    output.print_json(connect(url, token_file).ask("GET", "openapi.json"))


def explain(
    code: Annotated[str, typer.Argument(help="The code of a problem; all for none.")] = "",
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Tell what the code of a problem means."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    if code:
        found = [farm.ask("GET", f"problems/{quote(code, safe='')}")]
    else:
        found = farm.ask("GET", "problems")["items"]
    if as_json:
        for each in found:
            output.print_json(each)
        return
    output.print_table(
        ["CODE", "STATUS", "MEANS"],
        ([each["code"], str(each["status"]), each["words"]] for each in found),
        "",
    )


@artifact_app.command("get")
def get_artifact(
    sha256: Annotated[str, typer.Argument(help="Its SHA-256; `farmhand job show` lists them.")],
    file: Annotated[Path, typer.Option("-o", "--output", help="A new file.")],
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Fetch a model, a plate or a picture; what is not what its name says is refused."""
    from coordinator.cli.client import connect

    if file.exists():
        raise UsageWrong(f"{file} is there already: name a new file")
    draft = file.with_name(f"{file.name}.part")
    try:
        connect(url, token_file).save_artifact(sha256, draft)
        if _hash(draft) != sha256.lower():
            raise CommandFailed("what came is not what the name says: try again")
        os.rename(draft, file)
    except OSError as error:
        raise CommandFailed(f"{file} can't be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    typer.echo(str(file))


@session_app.command("ls")
def list_sessions(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """List where the owner of this key is logged in."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    sessions = connect(url, token_file).ask("GET", "sessions")["items"]
    if as_json:
        output.print_json(sessions)
        return
    output.print_table(
        ["SESSION", "FROM", "BROWSER", "SEEN"],
        ([each["id"], each["address"], each["browser"], each["seen_at"]] for each in sessions),
        "logged in nowhere",
    )


@session_app.command("end")
def end_session(
    session: Annotated[str, typer.Argument(help="Its id; `farmhand session ls` lists them.")],
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Log a browser out."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    ended = connect(url, token_file).ask("DELETE", f"sessions/{quote(session, safe='')}")
    if as_json:
        output.print_json(ended)
        return
    typer.echo(f"{session} is ended")


def _hash(path: Path) -> str:
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            hashed.update(chunk)
    return hashed.hexdigest()
