"""`farmhand job`: submit, look, steer."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from coordinator.cli import completing
from coordinator.cli.called import CALLED
from coordinator.cli.exits import JobFailed, UsageWrong
from coordinator.cli.options import Json, TokenFile, Url
from coordinator.cli.times import later

if TYPE_CHECKING:
    from coordinator.cli.client import Document, FarmClient

# What needs the HTTP and the drawing library is imported where it is used: help comes at once.

app = typer.Typer(no_args_is_help=True, help="Jobs: what is to be printed.", rich_markup_mode=None)

JobId = Annotated[
    str, typer.Argument(metavar="JOB", help="The job's id.", autocompletion=completing.jobs)
]


@app.command()
def submit(
    file: Annotated[Path | None, typer.Argument(help="STL, 3MF, OBJ, PLY, GLB, or G-code.")] = None,
    model: Annotated[
        str, typer.Option(metavar="MODEL[/VERSION]", help="A model of the farm, not a file.")
    ] = "",
    copies: Annotated[int, typer.Option(min=1, help="How many.")] = 1,
    per_plate: Annotated[
        int,
        typer.Option(min=1, help="How many on one bed; of a ready plate, how many are."),
    ] = 1,
    material: Annotated[str, typer.Option(help="PLA, PETG ...; any if not given.")] = "",
    quality: Annotated[str, typer.Option(help="draft, standard ...")] = "",
    printer_class: Annotated[
        str, typer.Option("--class", help="Only printers of this class.")
    ] = "",
    group: Annotated[str, typer.Option(help="Only printers of this group.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="Only printers with this tag.")] = None,
    printer: Annotated[
        str, typer.Option(help="Only this printer.", autocompletion=completing.printers)
    ] = "",
    priority: Annotated[int, typer.Option(help="Higher goes first.")] = 0,
    due: Annotated[
        str, typer.Option(help="When it should be finished: 2026-01-31T12:00, 2d.")
    ] = "",
    name: Annotated[str, typer.Option(help="What to call it; the file's name if not given.")] = "",
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A slicer setting.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return when it has ended.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show its progress until then.")] = False,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Order a print: of a model or G-code that is sent, or of a model of the farm."""
    if (file is None) == (not model):
        raise UsageWrong("give a FILE, or name a model with --model")
    fields = {
        "copies": str(copies),
        "copies_per_plate": str(per_plate),
        "material": material,
        "quality": quality,
        "printer_class": printer_class,
        "printer_group": group,
        "printer_tags": ",".join(tag or ()),
        "printer_id": printer,
        "priority": str(priority),
        "name": name,
        "settings": json.dumps(settings_of(settings or [])),
        **model_of(model),
        **({"due_at": later(due)} if due else {}),
    }

    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    job = farm.send("jobs", file, fields)
    if wait or watch:
        job = _ended(farm, job["id"], shown=watch and not as_json)
    say_job(job, as_json=as_json, must_finish=wait or watch)


@app.command("ls")
def list_jobs(
    state: Annotated[list[str] | None, typer.Option(help="Only jobs in this state.")] = None,
    owner: Annotated[str, typer.Option(help="Only of this owner: user:anna.")] = "",
    model: Annotated[str, typer.Option(help="Only of this model.")] = "",
    text: Annotated[str, typer.Option(help="Only with this in their names.")] = "",
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """List jobs in order of arrival."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    narrowed = {"owner": owner, "model_id": model, "text": text}
    wanted = [("state", each) for each in state or ()]
    wanted += [(name, value) for name, value in narrowed.items() if value]
    jobs = connect(url, token_file).all_of("jobs", wanted)
    if as_json:
        output.print_json(jobs)
        return
    output.print_table(
        ["ID", "NAME", "STATE", "COPIES", "MATERIAL", "DUE", "WHY"],
        (
            [
                job["id"],
                job["name"],
                output.job_state(job),
                f"{job['copies_finished']}/{job['copies']}",
                job["material"],
                output.due(job),
                output.why_not(job),
            ]
            for job in jobs
        ),
        f"no jobs; send one with `{CALLED} job submit FILE`",
    )


@app.command()
def show(job_id: JobId, as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """Show one job with its plates and runs."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    job = farm.job(job_id)
    say_job(job, as_json=as_json)
    if as_json:
        return
    output.print_table(
        ["PLATE", "CLASS", "MATERIAL", "COPIES", "TIME", "GRAMS", "LAYERS", "ENGINE"],
        (
            [
                plate["sha256"][:12],
                plate["printer_class"],
                plate["material"],
                str(plate["copies"]),
                output.estimate(plate["estimate"]),
                "" if plate["filament_g"] is None else f"{plate['filament_g']:.1f}",
                "" if plate["layer_count"] is None else str(plate["layer_count"]),
                plate["engine"],
            ]
            for plate in job["plates"]
        ),
        "no plate yet",
    )
    for plate in job["plates"]:
        for remark in plate["remarks"]:
            typer.echo(f"plate {plate['sha256'][:12]}: {remark}")
    for unmade in job["unmade"]:
        state = unmade["reason"] or "it is wanted"
        if unmade["ratio"] is not None:
            state = f"{unmade['stage']}, {unmade['ratio']:.0%}"
        typer.echo(f"no plate for {unmade['printer_class']}: {state}")
    if job["model_id"]:
        typer.echo(f"model: {job['model_id']}, version {job['model_version']}")
        told = farm.ask("GET", f"jobs/{quote(job_id, safe='')}/provenance")["facts"]
        for name, value in told.items():
            typer.echo(f"  {name}: {value}")
    for words in job["warnings"]:
        typer.echo(f"warning: {words}")
    if job["due_at"]:
        typer.echo(f"due: {output.due(job)}")
    if demand := output.demand(job):
        typer.echo(f"all copies: {demand}")
    output.print_table(
        ["RUN", "PRINTER", "STATE", "LAYER", "REASON"],
        (
            [
                run["id"],
                run["printer_id"],
                output.state_text(run["state"]),
                str(run["layer"]),
                run["reason"],
            ]
            for run in job["runs"]
        ),
        "no run yet",
    )


@app.command()
def why(job_id: JobId, as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """Tell why a job waits, printer by printer."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    waits = connect(url, token_file).why(job_id)
    if as_json:
        output.print_json(waits)
        return
    output.print_table(
        ["PRINTER", "WHY", "A PLATE TAKES"],
        (
            [wait["printer_id"] or "", wait["words"], output.estimate(wait["estimate"])]
            for wait in waits
        ),
        "it waits for nothing",
    )


@app.command()
def provenance(
    job_id: JobId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Tell where a job's model came from, as its plates say of themselves."""
    from urllib.parse import quote

    from coordinator.cli import output
    from coordinator.cli.client import connect

    path = f"jobs/{quote(job_id, safe='')}/provenance"
    facts = connect(url, token_file).ask("GET", path)["facts"]
    if as_json:
        output.print_json(facts)
        return
    output.print_facts(job_id, facts or {"from": "nobody told"})


@app.command()
def watch(
    job_id: JobId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Show a job's progress until it ends."""
    from coordinator.cli.client import connect
    from coordinator.cli.watching import stream_job, watch_job

    job = (stream_job if as_json else watch_job)(connect(url, token_file), job_id)
    if not as_json:
        say_job(job, as_json=False)
    _require_finished(job)


@app.command()
def cancel(
    job_id: JobId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """End a job; what prints is stopped."""
    from coordinator.cli import output

    if not yes and not as_json and output.console().is_terminal:
        typer.confirm(f"Cancel {job_id} and stop what prints of it?", abort=True)
    _control("cancel", job_id, as_json=as_json, url=url, token_file=token_file)


@app.command()
def change(
    job_id: JobId,
    priority: Annotated[int | None, typer.Option(help="Higher goes first.")] = None,
    due: Annotated[str | None, typer.Option(help="2026-01-31T12:00, 2d; none for none.")] = None,
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    copies: Annotated[int | None, typer.Option(help="How many in all.")] = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Give a job another priority, due date, name or number of copies."""
    from coordinator.cli.client import connect

    said: dict[str, object] = {"priority": priority, "name": name, "copies": copies}
    said = {field: value for field, value in said.items() if value is not None}
    if due is not None:
        said["due_at"] = None if due == "none" else later(due)
    say_job(
        connect(url, token_file).ask("PATCH", f"jobs/{quote(job_id, safe='')}", said),
        as_json=as_json,
    )


@app.command()
def pause(
    job_id: JobId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Hold a job: nothing new begins, and what prints is paused."""
    _control("pause", job_id, as_json=as_json, url=url, token_file=token_file)


@app.command()
def resume(
    job_id: JobId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Go on with a job that was paused."""
    _control("resume", job_id, as_json=as_json, url=url, token_file=token_file)


@app.command()
def approve(
    job_id: JobId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Let a submitter's job be printed, where the farm wants that somebody says so."""
    _control("approve", job_id, as_json=as_json, url=url, token_file=token_file)


def _control(verb: str, job_id: str, *, as_json: bool, url: str, token_file: Path | None) -> None:
    from coordinator.cli.client import connect

    say_job(connect(url, token_file).control_job(job_id, verb), as_json=as_json)


def say_job(job: "Document", *, as_json: bool, must_finish: bool = False) -> None:
    """Print where a job stands; `must_finish` ends the command with an error where it did not."""
    from coordinator.cli import output

    if as_json:
        output.print_json(job)
    else:
        reason = f": {job['reason']}" if job["reason"] else ""
        typer.echo(
            f"{job['id']}  {job['name']}  {output.job_state(job).plain}, "
            f"{job['copies_finished']} of {job['copies']} finished{reason}"
        )
    if must_finish:
        _require_finished(job)


def _require_finished(job: "Document") -> None:
    if job["state"] != "finished":
        raise JobFailed(
            f"{job['id']} is {job['state']}" + (f": {job['reason']}" * bool(job["reason"]))
        )


def _ended(farm: "FarmClient", job_id: str, *, shown: bool) -> "Document":
    from coordinator.cli.watching import wait_for_end, watch_job

    return watch_job(farm, job_id) if shown else wait_for_end(farm, job_id)


def model_of(said: str) -> dict[str, str]:
    """Return the fields of an order that name a model, `MODEL/VERSION`; none for nothing."""
    if not said:
        return {}
    model_id, _, version = said.partition("/")
    return {"model_id": model_id, **({"version": version} if version else {})}


def settings_of(pairs: list[str]) -> dict[str, str]:
    """Return the slicer's settings in `KEY=VALUE`s.

    Raises:
        UsageWrong: one has no `=`.
    """
    split = [pair.partition("=") for pair in pairs]
    for key, sign, _ in split:
        if not key or not sign:
            raise UsageWrong(f"--set takes KEY=VALUE, not {key!r}")
    return {key: value for key, _, value in split}
