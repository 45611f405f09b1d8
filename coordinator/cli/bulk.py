"""`farmhand job all` and `farmhand printer all`: one thing done to many."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from coordinator.cli.exits import CommandFailed, UsageWrong
from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from coordinator.cli.client import Document

# Each is a moment; a few hundred are some seconds.
ANSWER_S = 120.0


class JobVerb(StrEnum):
    """What is done to jobs."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    APPROVE = "approve"


class PrinterVerb(StrEnum):
    """What is done to printers."""

    CLEAR = "clear"
    CLAIM = "claim"
    ABANDON = "abandon"
    SERVICE_ON = "service_on"
    SERVICE_OFF = "service_off"


def all_jobs(
    verb: Annotated[JobVerb, typer.Argument(help="What is done to each of them.")],
    job_ids: Annotated[list[str] | None, typer.Argument(metavar="[JOB]...")] = None,
    state: Annotated[list[str] | None, typer.Option(help="Those in this state.")] = None,
    owner: Annotated[str, typer.Option(help="Those of this owner: user:anna.")] = "",
    model: Annotated[str, typer.Option(help="Those of this model.")] = "",
    material: Annotated[str, typer.Option(help="Those in this material.")] = "",
    text: Annotated[str, typer.Option(help="Those with this in their names.")] = "",
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Do one thing to many jobs: those named, or those that all the options fit."""
    where = {"state": state, "owner": owner, "model_id": model, "material": material, "text": text}
    _act("jobs", verb, job_ids, where, as_json=as_json, url=url, token_file=token_file)


def all_printers(
    verb: Annotated[PrinterVerb, typer.Argument(help="What is done to each of them.")],
    printer_ids: Annotated[list[str] | None, typer.Argument(metavar="[PRINTER]...")] = None,
    status: Annotated[list[str] | None, typer.Option(help="Those of this status.")] = None,
    group: Annotated[str, typer.Option(help="Those of this group.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="Those with this tag.")] = None,
    location: Annotated[str, typer.Option(help="Those that stand there.")] = "",
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Do one thing to many printers: those named, or those that all the options fit."""
    where = {"status": status, "printer_group": group, "tag": tag, "location": location}
    _act("printers", verb, printer_ids, where, as_json=as_json, url=url, token_file=token_file)


def _act(
    noun: str,
    verb: str,
    ids: list[str] | None,
    where: "Document",
    *,
    as_json: bool,
    url: str,
    token_file: TokenFile,
) -> None:
    from coordinator.cli import output
    from coordinator.cli.client import connect

    meant = {name: value for name, value in where.items() if value}
    if bool(ids) == bool(meant):
        raise UsageWrong(f"name the {noun}, or say by options which are meant")
    said = {"action": verb, "ids": ids} if ids else {"action": verb, "where": meant}
    farm = connect(url, token_file)
    results = farm.ask("POST", f"{noun}/actions", said, answer_s=ANSWER_S)
    if as_json:
        output.print_json(results)
    else:
        output.print_table(
            ["ID", "RESULT"],
            ([each["id"], each["detail"] or "done"] for each in results["items"]),
            f"no {noun} are meant",
        )
    if results["failed"]:
        raise CommandFailed(f"{results['failed']} of {len(results['items'])} failed")
