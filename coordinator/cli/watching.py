"""Looking on: the API asked again and again, drawn on a terminal or told line by line."""

import time
from collections.abc import Iterable, Sequence

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from coordinator.cli import output
from coordinator.cli.client import JOB_ENDS, Document, FarmClient

# As often as agents send telemetry.
PERIOD_S = 1.0

# Every column keeps its width from the start, or the table would jump; the bar takes what is left.
_COLUMNS = (
    ("PRINTER", 9),
    ("STATE", 14),
    ("TEMPERATURES °C", 24),
    ("LAYER", 7),
    ("DONE", None),
    ("", 4),
    ("LEFT", 8),
)
BAR_CELLS_MIN = 6


def printers_table(printers: Iterable[Document]) -> Table:
    """Draw a row for each printer, all of it as the API tells it."""
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True, collapse_padding=True)
    for name, cells in _COLUMNS:
        if cells is None:
            table.add_column(name, ratio=1, min_width=BAR_CELLS_MIN)
        else:
            table.add_column(name, no_wrap=True, min_width=cells)
    for printer in printers:
        progress = output.progress_of(printer)
        table.add_row(
            printer["name"],
            printer_state(printer),
            output.temperatures(printer["live"]),
            output.layers(printer),
            bar(progress["progress_ratio"] if progress else 0.0),
            output.percent(printer),
            output.remaining(printer),
        )
    return table


def printer_state(printer: Document) -> Text:
    """Return a printer's state, with the bed's where a person has to look at it."""
    text = output.state_text(printer["status"])
    if printer["status"] == "idle" and printer["bed"]["state"] != "clear":
        text.append(f" (bed {printer['bed']['state']})", style="yellow")
    return text


def bar(ratio: float) -> ProgressBar:
    """Draw a ratio from 0 to 1."""
    return ProgressBar(total=1.0, completed=ratio, complete_style="blue", finished_style="green")


def job_line(job: Document) -> Table:
    """Draw a job in one line: state, copies, and the slicing while that is on."""
    table = Table.grid(padding=(0, 2), expand=job["preparing_ratio"] is not None)
    done = f"copies {job['copies_finished']}/{job['copies']}"
    cells: list[RenderableType] = [job["name"], output.job_state(job), done]
    if job["preparing_ratio"] is not None:
        cells += [bar(job["preparing_ratio"]), f"slicing {job['preparing_ratio']:.0%}"]
    else:
        cells.append(output.why_not(job))
    table.add_row(*cells)
    return table


def plain_lines(job: Document | None, printers: Sequence[Document]) -> list[str]:
    """Return what there is to say in words, without what changes every second."""
    lines = []
    if job is not None:
        done = f"{job['copies_finished']} of {job['copies']} finished"
        if job["preparing_ratio"] is not None:
            done = f"sliced {tens(job['preparing_ratio'])}"
        lines.append(f"{job['name']}: {output.job_state(job).plain}, {done}")
    for printer in printers:
        progress = output.progress_of(printer)
        done = f", {tens(progress['progress_ratio'])}" if progress else ""
        lines.append(f"{printer['name']}: {printer_state(printer).plain}{done}")
    return lines


def tens(ratio: float) -> str:
    """Return a percentage in steps of ten; a line for each finer one would flood a pipe."""
    return f"{int(ratio * 10) * 10} %"


def printers_of(farm: FarmClient, job: Document) -> list[Document]:
    """Return the printers that work on a job now."""
    return [
        printer
        for printer in farm.printers()
        if printer["job"] is not None and printer["job"]["id"] == job["id"]
    ]


def wait_for_end(farm: FarmClient, job_id: str, *, period_s: float = PERIOD_S) -> Document:
    """Return a job once nothing more will come of it."""
    while (job := farm.job(job_id))["state"] not in JOB_ENDS:
        time.sleep(period_s)
    return job


def watch_job(farm: FarmClient, job_id: str) -> Document:
    """Show a job until it ends; return it."""
    out = output.console()
    said: set[str] = set()
    with Live(console=out, auto_refresh=False, transient=True) as live:
        while True:
            job = farm.job(job_id)
            printers = printers_of(farm, job)
            if out.is_terminal:
                live.update(Group(job_line(job), printers_table(printers)), refresh=True)
            else:
                said = _say_new(plain_lines(job, printers), said)
            if job["state"] in JOB_ENDS:
                return job
            time.sleep(PERIOD_S)


def stream_job(farm: FarmClient, job_id: str) -> Document:
    """Print a job as a line of JSON at each change until it ends; return it."""
    last: Document = {}
    while True:
        job = farm.job(job_id)
        if job != last:
            output.print_json(job)
        if job["state"] in JOB_ENDS:
            return job
        last = job
        time.sleep(PERIOD_S)


def watch_printers(farm: FarmClient) -> None:
    """Show all printers until cancelled."""
    out = output.console()
    said: set[str] = set()
    with Live(console=out, auto_refresh=False) as live:
        while True:
            printers = farm.printers()
            if out.is_terminal:
                live.update(printers_table(printers), refresh=True)
            else:
                said = _say_new(plain_lines(None, printers), said)
            time.sleep(PERIOD_S)


def stream_printers(farm: FarmClient) -> None:
    """Print a printer as a line of JSON at each change until cancelled."""
    last: dict[str, Document] = {}
    while True:
        for printer in farm.printers():
            if last.get(printer["id"]) != printer:
                last[printer["id"]] = printer
                output.print_json(printer)
        time.sleep(PERIOD_S)


def _say_new(lines: list[str], said: set[str]) -> set[str]:
    for line in lines:
        if line not in said:
            typer.echo(line)
    return set(lines)
