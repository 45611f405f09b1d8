"""`farmhand backup`, `farmhand restore`: the whole farm in one file, and back."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, cast

import typer

from coordinator.cli.exits import CommandFailed, UsageWrong
from coordinator.cli.options import Json, TokenFile, Url
from coordinator.errors import FarmError, Refused

if TYPE_CHECKING:
    from coordinator.backup_files import BackupRead
    from coordinator.cli.client import FarmClient

_MIB = 1024 * 1024


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, a tar archive.")],
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Write the whole farm into a file, while it runs: database, artifacts, and its secrets.

    Secrets of the state folder (token, keys, the farm's authority) go along where the farm's own
    token asks. Keep the file as safely as the farm. `farmhand restore` makes a farm of it.
    """
    from coordinator.cli import output
    from coordinator.cli.client import connect

    made = fetch(connect(url, token_file), file)
    told = {
        "file": str(file),
        "size_bytes": file.stat().st_size,
        "files": len(made.contents.files),
        "secrets": bool(made.told.get("secrets")),
        "missing": len(made.contents.missing),
        "damaged": made.contents.damaged,
    }
    if as_json:
        output.print_json(told)
    else:
        kept = "with" if told["secrets"] else "without"
        size_mib = file.stat().st_size / _MIB
        typer.echo(f"{file}: {told['files']} files, {size_mib:.1f} MiB, {kept} the farm's secrets")
    if made.contents.damaged:
        raise CommandFailed(
            f"{len(made.contents.damaged)} artifacts are damaged on the farm's disk: "
            f"the first is {made.contents.damaged[0]}"
        )


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `farmhand backup` wrote.")],
    state_dir: Annotated[
        Path | None, typer.Option("--state-dir", help="An empty folder; made if need be.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="Of the coordinator that is to run there.")
    ] = None,
    distrusted: Annotated[
        bool, typer.Option("--distrusted", help="Also where its history has faults.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a farm of a backup, offline, in an empty folder (or an empty PostgreSQL database).

    All of it is proved first: every file's hash, and the history. Where the settings name a
    database (database_url), that one is filled; so a farm moves from SQLite to PostgreSQL or back.
    """
    from coordinator.cli import output

    try:
        told = asyncio.run(_restored(file, state_dir, config, distrusted=distrusted))
    except Refused as error:
        raise CommandFailed(f"{error}; nothing was restored") from error
    except FarmError as error:
        raise CommandFailed(str(error)) from error
    if as_json:
        output.print_json(told)
        return
    head = told["head"]
    typer.echo(f"restored into {told['state_dir']}: the farm of {told['made_at']}")
    typer.echo(f"{told['artifacts']} artifacts, {head['number']} events, all proved")
    typer.echo(f"head: {head['number']}:{head['hash']}")
    if told["missing"]:
        typer.echo(f"{told['missing']} artifacts were not in it: they had been removed before")


async def _restored(
    file: Path, state_dir: Path | None, config: Path | None, *, distrusted: bool
) -> dict[str, Any]:
    # Late: libraries of the coordinator, which no other command needs.
    from coordinator import restoring, settings
    from coordinator.adapters.db import postgresql

    flags = ["--config", str(config)] if config is not None else []
    flags += ["--state-dir", str(state_dir)] if state_dir is not None else []
    chosen = settings.load(flags)
    named = chosen.database_url.get_secret_value()
    os.umask(0o077)
    done = await restoring.restore(
        file,
        chosen.state_dir,
        elsewhere=postgresql.named(named) if named else None,
        distrusted=distrusted,
    )
    head = done.verdict.head
    return {
        "state_dir": str(chosen.state_dir),
        "made_at": str(done.backup.get("made_at", "")),
        "secrets": bool(done.backup.get("secrets")),
        "artifacts": done.artifacts,
        "missing": done.missing,
        "damaged": done.damaged,
        "head": {"number": head.number, "hash": head.hash},
        "faults": done.verdict.faults_count,
    }


def fetch(farm: "FarmClient", file: Path, name: str = "") -> "BackupRead":
    """Write a backup to a new file, and read it again: it is there whole, or not at all.

    Args:
        name: of one in the farm's own folder; empty has a new one made.
    """
    from coordinator.backup_files import read_backup, sync_folder

    if file.exists():
        raise UsageWrong(f"{file} is there already: backups are written to new files")
    draft = file.with_name(f"{file.name}.part")
    try:
        with _private(draft) as opened, _shown(opened) as counted:
            farm.save_backup(counted, name)
            opened.flush()
            os.fsync(opened.fileno())
        made = read_backup(draft, lambda _: None)
        draft.rename(file)
        sync_folder(file.absolute().parent)
    except Refused as error:
        raise CommandFailed(f"what came is no whole backup: {error}") from error
    except OSError as error:
        raise CommandFailed(f"{file} can't be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    return made


@contextmanager
def _private(path: Path) -> Iterator[BinaryIO]:
    path.unlink(missing_ok=True)  # what an earlier attempt left
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        yield file


@contextmanager
def _shown(file: BinaryIO) -> Iterator[BinaryIO]:
    """Lend the file in a form that shows on a terminal how much was written."""
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("backup"), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("backup", total=None)
        yield cast(BinaryIO, _Counted(file, lambda size: progress.advance(task, size)))


class _Counted:
    """A file that tells how much is written to it."""

    def __init__(self, file: BinaryIO, told: Any) -> None:
        self._file, self._told = file, told
        self.name = file.name

    def write(self, chunk: bytes) -> int:
        written = self._file.write(chunk)
        self._told(len(chunk))
        return written
