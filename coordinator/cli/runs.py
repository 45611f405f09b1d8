"""`farmhand run`: one attempt to print, and a person's word on one whose end nobody saw."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from coordinator.cli.client import Document

app = typer.Typer(
    no_args_is_help=True, help="Runs: attempts to print one plate.", rich_markup_mode=None
)

RunId = Annotated[
    str, typer.Argument(metavar="RUN", help="The run's id; `farmhand job show JOB` lists them.")
]


class Outcome(StrEnum):
    """How a lost run ended."""

    FINISHED = "finished"
    FAILED = "failed"
    REPRINT = "reprint"


@app.command()
def show(run_id: RunId, as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """Show one run."""
    from coordinator.cli.client import connect

    _say(connect(url, token_file).run(run_id), as_json=as_json)


@app.command()
def settle(
    run_id: RunId,
    outcome: Annotated[
        Outcome,
        typer.Argument(
            help="finished: it is a good print; failed: it counts as a failed attempt; "
            "reprint: it counts for nothing."
        ),
    ],
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Say how a lost run ended: go and look at the printer first."""
    from coordinator.cli.client import connect

    _say(connect(url, token_file).settle(run_id, outcome), as_json=as_json)


def _say(run: "Document", *, as_json: bool) -> None:
    from coordinator.cli import output

    if as_json:
        output.print_json(run)
        return
    facts = {
        "state": output.state_text(run["state"]).plain,
        "reason": run["reason"],
        "job": run["job_id"],
        "printer": run["printer_id"],
        "layer": str(run["layer"]) if run["layer"] else "",
        "line": str(run["line"]) if run["line"] else "",
        "started": run["started_at"],
        "ended": run["ended_at"],
        "last heard": run["facts"].get("heard_at"),
        "amiss": run["facts"].get("amiss"),
    }
    output.print_facts(run["id"], facts)
    for line in run["dialogue"]:
        typer.echo(f"    {line}")
