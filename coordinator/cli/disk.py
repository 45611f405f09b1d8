"""`farmhand disk`: what takes room, and removing what nobody needs."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from coordinator.cli.exits import UsageWrong
from coordinator.cli.options import Json, TokenFile, Url
from coordinator.cli.times import seconds_of

app = typer.Typer(
    no_args_is_help=True,
    help="The coordinator's disk: usage, cleanup, backups.",
    rich_markup_mode=None,
)

# Looking at every job and file of a large farm takes its time, removing many too.
_CLEANED_S = 900.0


@app.command()
def usage(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """Show what takes room, and how much is free."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    use = connect(url, token_file).ask("GET", "disk", answer_s=_CLEANED_S)
    if as_json:
        output.print_json(use)
        return
    rows = [
        [f"{kind}s", str(share["files"]), output.size(share["size_bytes"])]
        for kind, share in use["artifacts"].items()
    ]
    if use["database_bytes"] is not None:
        rows.append(["database", "", output.size(use["database_bytes"])])
    rows.append(["slicing cache", "", output.size(use["cache_bytes"])])
    rows.append(["camera pictures", "", output.size(use["pictures_bytes"])])
    free = f"{output.size(use['free_bytes'])} of {output.size(use['total_bytes'])}"
    output.print_table(["WHAT", "FILES", "SIZE"], [*rows, ["free", "", free]], "")


@app.command()
def cleanup(
    older_than: Annotated[
        str, typer.Option("--older-than", help="Files of jobs that ended before: 30d, 12h.")
    ] = "",
    job: Annotated[
        list[str] | None, typer.Option("--job", help="Files of this job, which has ended.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Remove files of jobs that ended; what anything else needs stays, and so does the history."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    if not older_than and not job and not dry_run:
        raise UsageWrong("say which: --older-than 30d, or --job JOB; --dry-run shows what would go")
    farm = connect(url, token_file)
    wanted = {
        "older_than_s": seconds_of(older_than) if older_than else None,
        "job_ids": job or [],
    }
    done = farm.ask("POST", "disk/cleanup", {**wanted, "dry_run": True}, answer_s=_CLEANED_S)
    if not dry_run:
        told = f"remove {done['files']} files, {output.size(done['size_bytes'])}?"
        if done["files"] and not yes:
            typer.confirm(told, abort=True, err=True)
        wanted["dry_run"] = False
        done = farm.ask("POST", "disk/cleanup", wanted, answer_s=_CLEANED_S)
    if as_json:
        output.print_json(done)
        return
    output.print_table(
        ["KIND", "SIZE", "NAME", "JOB"],
        (
            [
                each["kind"] or "unknown",
                output.size(each["size_bytes"]),
                each["name"] or each["sha256"],
                each["job_id"] or "",
            ]
            for each in done["items"]
        ),
        "nothing to remove",
    )
    if done["files"]:
        word = "would be removed" if dry_run else "removed"
        typer.echo(f"{done['files']} files, {output.size(done['size_bytes'])}, {word}")


@app.command()
def backups(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """List the backups in the farm's own folder (backup_dir), the newest first."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    kept = connect(url, token_file).ask("GET", "backups")
    if as_json:
        output.print_json(kept)
        return
    output.print_table(
        ["BACKUP", "MADE", "SIZE"],
        (
            [
                each["name"],
                _moment(each["made_at"]),
                output.size(each["size_bytes"]),
            ]
            for each in kept["items"]
        ),
        f"none in {kept['folder']} yet" if kept["folder"] else "the settings name no backup_dir",
    )


@app.command("backup")
def back_up(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """Put a backup into the farm's own folder now; `farmhand backup FILE` writes one here."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    made = connect(url, token_file).ask("POST", "backups", answer_s=_CLEANED_S)
    if as_json:
        output.print_json(made)
        return
    typer.echo(f"{made['name']}, {output.size(made['size_bytes'])}")


@app.command("fetch")
def fetch_backup(
    name: Annotated[str, typer.Argument(metavar="BACKUP", help="Its name, as `backups` has it.")],
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A new file.")] = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Fetch a backup from the farm's own folder; it has secrets, so the farm's token is wanted."""
    from coordinator.cli import backups, output
    from coordinator.cli.client import connect

    kept = file or Path(name)
    made = backups.fetch(connect(url, token_file), kept, name)
    told = {"file": str(kept), "size_bytes": kept.stat().st_size, "files": len(made.contents.files)}
    if as_json:
        output.print_json(told)
        return
    typer.echo(
        f"{kept}: {told['files']} files, {output.size(kept.stat().st_size)}, all of it proved"
    )


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M}"
