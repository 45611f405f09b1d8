"""`farmhand events`: who did what, when and why; and whether that can be trusted."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coordinator.cli import completing
from coordinator.cli.exits import CommandFailed
from coordinator.cli.options import Json, TokenFile, Url
from coordinator.cli.times import time_of

if TYPE_CHECKING:
    from coordinator.cli.client import Document, FarmClient

app = typer.Typer(
    invoke_without_command=True,
    help="The history: who did what, when and why.",
    rich_markup_mode=None,
)

# What a screen shows.
LAST = 50
# More of what changed than this is for programs.
_CHANGES_SHOWN_MAX = 3
_VALUE_CHARACTERS_MAX = 24
# When, who and why have columns of their own.
_TOLD_ELSEWHERE = frozenset(
    (
        "updated_at",
        "version",
        "started_at",
        "ended_at",
        "reason",
        "bed_changed_at",
        "bed_changed_by",
    )
)


@app.callback()
def show(
    context: typer.Context,
    job: Annotated[
        str,
        typer.Option(
            help="Only of this job, its plates and its runs.", autocompletion=completing.jobs
        ),
    ] = "",
    printer: Annotated[
        str,
        typer.Option(help="Only of this printer and its runs.", autocompletion=completing.printers),
    ] = "",
    since: Annotated[
        str, typer.Option(help="Only from then on: 2026-01-31T12:00, or 90m, 12h, 7d ago.")
    ] = "",
    until: Annotated[str, typer.Option(help="Only earlier than then.")] = "",
    actor: Annotated[
        str, typer.Option("--by", help="Only by this one: user:anna, farm; or people, agents.")
    ] = "",
    name: Annotated[
        str, typer.Option("--what", help="Only what is called so: bed.clear, or 'job.*'.")
    ] = "",
    last: Annotated[
        int | None,
        typer.Option(help=f"Only the newest. Default: {LAST}, if nothing else is asked."),
    ] = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Show who did what, when and why."""
    if context.invoked_subcommand is not None:
        return
    from coordinator.cli import output
    from coordinator.cli.client import connect

    wanted: dict[str, str | int] = {"job": job, "printer": printer, "actor": actor, "name": name}
    wanted = {key: value for key, value in wanted.items() if value}
    wanted |= {key: time_of(at) for key, at in (("since", since), ("until", until)) if at}
    if last is not None or not wanted:
        wanted["last"] = LAST if last is None else last
    events = _pages(connect(url, token_file), wanted)
    if as_json:
        for event in events:
            output.print_json(event)
        return
    output.print_table(
        ["NUMBER", "WHEN", "WHO", "WHAT", "OF", "WHY", "CHANGES", "THROUGH"],
        (_row(event) for event in events),
        "nothing happened",
    )


@app.command()
def verify(
    head: Annotated[
        str, typer.Option(help="NUMBER:HASH, as an earlier verification told it: still there?")
    ] = "",
    archive: Annotated[
        list[Path] | None,
        typer.Option(help="Prove also what was archived: all archives, once each."),
    ] = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Prove that no event was altered, taken out, put in or moved, and that they tell what is."""
    from coordinator.cli import archives, output
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    proved = archives.prove(archive, head) if archive else None
    verdict = farm.verify_events("" if proved is not None and proved.has_head else head)
    if proved is not None:
        proved.hold_against(verdict)
    if as_json:
        output.print_json(verdict)
    else:
        end, begun = verdict["head"], (verdict["checkpoint"] or {}).get("number", 0)
        count = end["number"] - (0 if proved is not None else begun)
        typer.echo(f"{count} events, {verdict['rows_compared']} rows compared")
        if begun and proved is None:
            typer.echo(f"events 1 to {begun} are archived: --archive FILE proves them too")
        typer.echo(f"head: {end['number']}:{end['hash']}")
        for fault in verdict["faults"]:
            typer.echo(f"  {fault['code']}: {fault['words']}")
    if not verdict["ok"]:
        first, count = verdict["faults"][0]["words"], verdict["faults_count"]
        more = f", and {count - 1} more" if count > 1 else ""
        raise CommandFailed(f"the history can't be trusted: {first}{more}")


@app.command("archive")
def archive_old(
    before: Annotated[str, typer.Option(help="Events from before then: 2026-01-31, or 365d ago.")],
    file: Annotated[Path, typer.Option("-o", "--output", help="The archive; a new file.")],
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Move old events into a file. They leave the farm only once it is safely on the disk."""
    from coordinator.cli import archives, output
    from coordinator.cli.client import connect

    checkpoint = archives.make(connect(url, token_file), time_of(before), file)
    if as_json:
        output.print_json(checkpoint)
    else:
        typer.echo(f"all events up to {checkpoint['number']} are in {file}, and only there")


def _pages(farm: "FarmClient", wanted: dict[str, str | int]) -> Iterator["Document"]:
    """Yield all events that are wanted; the newest come in one page."""
    page = farm.events(**wanted)
    yield from page["items"]
    while page["items"] and "last" not in wanted:
        page = farm.events(**wanted, after=page["next"])
        yield from page["items"]


def _row(event: "Document") -> list[str]:
    at = datetime.fromisoformat(event["at"]).astimezone()
    return [
        str(event["number"]),
        f"{at:%Y-%m-%d %H:%M:%S}",
        event["actor"],
        event["name"],
        event["subject_id"],
        event["cause"],
        _changes(event),
        event["origin"],
    ]


def _changes(event: "Document") -> str:
    """Return the first few fields that changed, states before all; something new is all new."""
    changes = event["changes"] or {}
    shown = [
        f"{name}={str(changes[name])[:_VALUE_CHARACTERS_MAX]}"
        for name in sorted(changes, key=lambda name: not name.endswith("state"))
        if name not in _TOLD_ELSEWHERE
    ]
    if len(shown) > _CHANGES_SHOWN_MAX:
        shown = [*shown[:_CHANGES_SHOWN_MAX], f"and {len(shown) - _CHANGES_SHOWN_MAX} more"]
    return " ".join(shown)
