"""`farmhand maintenance`: what has to be done to printers, and when it was done."""

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, urlencode

import typer

from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from coordinator.cli.client import Document

app = typer.Typer(no_args_is_help=True, help="Maintenance of printers.", rich_markup_mode=None)

TaskId = Annotated[str, typer.Argument(metavar="TASK", help="The task's id.")]
Hours = Annotated[float | None, typer.Option("--hours", help="Due after so much printing.")]
Days = Annotated[float | None, typer.Option("--days", help="Due after so many days.")]


@app.command("ls")
def list_tasks(
    printer: Annotated[str, typer.Option(help="Only of this printer.")] = "",
    due: Annotated[bool, typer.Option("--due", help="Only what is due.")] = False,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """List what has to be done again and again, and whether it is due."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    wanted = {"printer_id": printer, "due": "true" if due else ""}
    query = urlencode({name: value for name, value in wanted.items() if value})
    tasks = connect(url, token_file).ask("GET", f"maintenance?{query}")["items"]
    if as_json:
        output.print_json(tasks)
        return
    output.print_table(
        ["ID", "PRINTER", "TASK", "DUE", "PRINTED", "PASSED"],
        (
            [
                task["id"],
                task["printer_id"],
                task["name"],
                "due" if task["due"] else "",
                _of(task["printed_h"], task["every_h"], "h"),
                _of(task["days"], task["every_days"], "days"),
            ]
            for task in tasks
        ),
        "nothing; farmhand maintenance add PRINTER NAME --hours 200",
    )


@app.command()
def add(
    printer: Annotated[str, typer.Argument(metavar="PRINTER", help="The printer's id.")],
    name: Annotated[str, typer.Argument(help="What has to be done.")],
    hours: Hours = None,
    days: Days = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Have a task counted from now on, by hours of printing, by days, or both."""
    from coordinator.cli.client import connect

    said = {"printer_id": printer, "name": name, "every_h": hours, "every_days": days}
    _say(connect(url, token_file).ask("POST", "maintenance", said), as_json=as_json)


@app.command()
def show(
    task_id: TaskId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Show a task, and when it was done."""
    from coordinator.cli.client import connect

    _say(connect(url, token_file).ask("GET", _path(task_id)), as_json=as_json)


@app.command()
def done(
    task_id: TaskId,
    words: Annotated[str, typer.Argument(help="What there is to say of it.")] = "",
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Say that a task was done; it counts anew."""
    from coordinator.cli.client import connect

    path = f"{_path(task_id)}/done"
    _say(connect(url, token_file).ask("POST", path, {"words": words}), as_json=as_json)


@app.command()
def change(
    task_id: TaskId,
    name: Annotated[str | None, typer.Option(help="What has to be done.")] = None,
    hours: Hours = None,
    days: Days = None,
    archived: Annotated[
        bool | None, typer.Option("--archive/--restore", help="It is wanted no more, or again.")
    ] = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Change a task."""
    from coordinator.cli.client import connect

    fields = {"name": name, "every_h": hours, "every_days": days, "archived": archived}
    said = {field: value for field, value in fields.items() if value is not None}
    _say(connect(url, token_file).ask("PATCH", _path(task_id), said), as_json=as_json)


def _say(task: "Document", *, as_json: bool) -> None:
    from coordinator.cli import output

    if as_json:
        output.print_json(task)
        return
    facts = {
        "printer": task["printer_id"],
        "due": "yes" if task["due"] else "no",
        "printed": _of(task["printed_h"], task["every_h"], "h"),
        "passed": _of(task["days"], task["every_days"], "days"),
        "archived": "yes" if task["archived"] else None,
    }
    output.print_facts(f"{task['id']}  {task['name']}", facts)
    for each in task["log"]:
        typer.echo(f"  done {each['at'][:16]}Z by {each['actor']}: {each['words']}")


def _of(number: float, limit: float | None, unit: str) -> str:
    return "" if limit is None else f"{number:.0f} of {limit:g} {unit}"


def _path(task_id: str) -> str:
    return f"maintenance/{quote(task_id, safe='')}"
