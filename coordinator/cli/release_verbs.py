"""`farmhand release`: the agent packed, signed, and given to the farm."""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from coordinator.cli.called import CALLED
from coordinator.cli.exits import CommandFailed
from coordinator.cli.options import Json, TokenFile, Url

app = typer.Typer(
    no_args_is_help=True, help="Releases of the agent: make, sign, hand on.", rich_markup_mode=None
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="The release.")]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="The release's version.")]


@app.command()
def key(
    out: Annotated[Path, typer.Option("--out", help="Where it is to lie; kept to yourself.")],
) -> None:
    """Make a key to sign releases with; agents are given its public part, once, by hand."""
    from coordinator.adapters import release_files

    public = release_files.make_key(out)
    typer.echo(f"{out} signs; keep it away from the coordinator. In each agent's settings:")
    typer.echo(f'update_keys = ["{public.text}"]')


@app.command()
def make(
    out: Annotated[Path, typer.Option("--out", help="The file to write.")],
    version: Annotated[str, typer.Option(help="Its version; that of this installation.")] = "",
    words: Annotated[str, typer.Option("--words", help="What is new.")] = "",
    downgrade: Annotated[
        bool, typer.Option("--downgrade", help="Agents of a newer version may take it.")
    ] = False,
    wheels: Annotated[
        list[Path] | None,
        typer.Option("--wheel", help="A library's wheel, for machines that lack it."),
    ] = None,
) -> None:
    """Pack the agent of this installation; it runs on any machine that has its libraries."""
    from coordinator.adapters import release_files

    manifest = release_files.make_release(
        out, version=version, words=words, downgrade=downgrade, wheels=wheels or ()
    )
    size_mb = out.stat().st_size / 1e6
    typer.echo(f"{out}: agent {manifest.version}, {len(manifest.files)} files, {size_mb:.1f} MB")
    typer.echo(f"next: {CALLED} release sign {out} --key KEY", err=True)


@app.command()
def sign(
    file: File,
    key_file: Annotated[Path, typer.Option("--key", help="The secret key.")],
    comment: Annotated[str, typer.Option(help="Signed as well, for people.")] = "",
) -> None:
    """Sign a release, as `minisign -S` does; nobody but agents needs to trust the key."""
    from coordinator.adapters import release_files

    signed = release_files.sign(file, key_file, comment or f"farmhand agent {file.name}")
    typer.echo(f"{file}{release_files.SIGNATURE_SUFFIX}: signed by {_name(signed.key_id)}")
    typer.echo(f"next: {CALLED} release add {file}", err=True)


@app.command()
def add(file: File, as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """Give a release and its signature to the farm; agents get it with `fleet update`."""
    from coordinator.adapters.release_files import SIGNATURE_SUFFIX
    from coordinator.cli import output
    from coordinator.cli.client import connect

    beside = file.with_name(file.name + SIGNATURE_SUFFIX)
    try:
        signature = beside.read_text()
    except OSError as error:
        raise CommandFailed(
            f"{beside} can't be read ({error.strerror}): `{CALLED} release sign` writes it"
        ) from error
    added = connect(url, token_file).send("releases", file, {"signature": signature})
    if as_json:
        output.print_json(added)
        return
    typer.echo(f"{added['version']} is there, signed by {added['signed_by']}")
    typer.echo(f"next: {CALLED} fleet update {added['version']}", err=True)


@app.command("ls")
def list_releases(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """List the releases that agents can be given, the last one first."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    found = connect(url, token_file).ask("GET", "releases")["items"]
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        ["VERSION", "MB", "SIGNED BY", "ADDED", "WHAT IS NEW"],
        (
            [
                each["version"],
                f"{each['size_bytes'] / 1e6:.1f}",
                each["signed_by"],
                each["added_at"],
                each["words"],
            ]
            for each in found
        ),
        f"none; {CALLED} release make --out FILE",
    )


@app.command()
def remove(version: Version, url: Url = "", token_file: TokenFile = None) -> None:
    """Hand a release to nobody any more; who has it keeps it."""
    from coordinator.cli.client import connect

    connect(url, token_file).ask("DELETE", f"releases/{quote(version, safe='')}")
    typer.echo(f"{version} is gone")


def _name(key_id: bytes) -> str:
    from protocols.release.signing import name_of

    return name_of(key_id)
