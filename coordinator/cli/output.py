"""What is printed: JSON for programs, tables for people; colour only where a person looks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from coordinator.cli.client import Document

# A state's colour tells who has to act: green nobody, blue the farm, yellow a person, red now.
COLOURS: Mapping[str, str] = {
    "idle": "green",
    "finished": "green",
    "ready": "default",
    "received": "default",
    "preparing": "blue",
    "leased": "blue",
    "reserved": "blue",
    "printing": "blue",
    "busy": "blue",
    "wanted": "default",
    "submitting": "blue",
    "running": "blue",
    "fetching": "blue",
    "making": "blue",
    "ordering": "blue",
    "done": "green",
    "awaiting_approval": "yellow",
    "unsure": "red",
    "needs_clearing": "yellow",
    "cancelling": "yellow",
    "offline": "yellow",
    "in_service": "yellow",
    "failed": "red",
    "faulted": "red",
    "lost": "red",
    "cancelled": "dim",
}


# Into a pipe, lines are not broken at the width of a terminal that isn't there.
PIPE_COLUMNS = 200


def console() -> Console:
    """Return a console on standard output; rich itself heeds NO_COLOR and pipes."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=PIPE_COLUMNS)


def print_json(value: object) -> None:
    """Print one value on one line, so that several make JSON lines."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], empty: str) -> None:
    """Print rows below their headings, or a sentence where there are none."""
    listed = list(rows)
    if not listed:
        typer.echo(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        # An id that is broken over two lines can't be copied.
        table.add_column(column, overflow="fold", no_wrap=column == columns[0])
    for row in listed:
        table.add_row(*row)
    console().print(table)


def print_facts(title: str, facts: Mapping[str, str | None]) -> None:
    """Print what is known of one thing, a line each; what is empty is left out."""
    typer.echo(title)
    for name, value in facts.items():
        if value:
            typer.echo(f"  {name}: {value}")


def state_text(state: str) -> Text:
    """Return a state in words and in its colour."""
    return Text(state.replace("_", " "), style=COLOURS.get(state, "default"))


def job_state(job: Document) -> Text:
    """Return a job's state; a held job says so instead."""
    if job["held"] and job["state"] in ("ready", "leased", "printing"):
        return Text("paused", style="yellow")
    return state_text(job["state"])


def due(job: Document) -> str:
    """Return when a job is due, and whether it is late; nothing where nobody said."""
    if not job["due_at"]:
        return ""
    return f"{job['due_at'][:16].replace('T', ' ')}Z" + (" late" if job["late"] else "")


def why_not(job: Document) -> str:
    """Return why a job failed or waits, in words; nothing where all is well."""
    waits = job["waits"] if not job["copies_live"] else []
    return str(job["reason"] or next((wait["words"] for wait in waits), ""))


def size(size_bytes: int) -> str:
    """Return `512 B`, `3.4 MiB` or `120 GiB`."""
    value, units = float(size_bytes), ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= 1024 and len(units) > 1:
        value /= 1024
        units.pop(0)
    return (
        f"{value:.0f} {units[0]}" if value >= 100 or units[0] == "B" else f"{value:.1f} {units[0]}"
    )


def duration(seconds: float | None) -> str:
    """Return `1 h 05 min`, `12 min` or `40 s`, nothing where it is unknown."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def estimate(known: Document | None) -> str:
    """Return `2 h 10 min (1 h 55 min to 2 h 30 min)`, nothing where nobody knows."""
    if known is None:
        return ""
    if known["low_s"] is None:
        return duration(known["seconds"])
    between = f"{duration(known['low_s'])} to {duration(known['high_s'])}"
    return f"{duration(known['seconds'])} ({between})"


def demand(job: Document) -> str:
    """Return what all copies of a job take: time, grams and money, as far as it is known."""
    parts = [
        estimate(job["estimate"]),
        "" if job["filament_g"] is None else f"{job['filament_g']:.1f} g",
        "" if job["cost"] is None else f"costs {job['cost']:.2f}",
    ]
    return ", ".join(part for part in parts if part)


def temperatures(live: Document | None) -> str:
    """Return `hotend 205/205 bed 60/60` in degrees Celsius, nothing where nothing was heard."""
    if live is None:
        return ""
    return " ".join(
        f"{sensor} {_degrees(reading)}" for sensor, reading in sorted(live["temperatures"].items())
    )


def tuning(live: Document | None) -> str:
    """Return `fan 50 % speed 100 %`, of what is known of fan, speed and flow."""
    known = {name: live.get(f"{name}_ratio") for name in ("fan", "speed", "flow")} if live else {}
    told = (f"{name} {value * 100:.0f} %" for name, value in known.items() if value is not None)
    return " ".join(told)


def _degrees(reading: Mapping[str, Any]) -> str:
    target = reading["target_celsius"]
    return f"{reading['actual_celsius']:.0f}" + (f"/{target:.0f}" if target is not None else "")


def progress_of(printer: Document) -> Document | None:
    """Return what a printer says of the run it holds, None where it says nothing of it yet."""
    live, run = printer["live"], printer["run"]
    return live if live and run and live["run_id"] == run["id"] else None


def bed_text(bed: Document) -> str:
    """Return a bed's state, and who said so and when, where anybody did."""
    said = f", by {bed['changed_by']} at {bed['changed_at']}" if bed["changed_at"] else ""
    itself = "; it clears itself" if bed["policy"] == "self_clearing" else ""
    return f"{bed['state']}{said}{itself}"


def staged(printer: Document) -> str:
    """Return what a printer was handed in advance; in brackets what it may not start yet."""
    names = [
        each["job"]["name"] if each["permitted"] else f"({each['job']['name']})"
        for each in printer["staged"]
    ]
    return ", ".join(names)


def percent(printer: Document) -> str:
    """Return `42 %` of the run that is on, nothing where none is."""
    live = progress_of(printer)
    return f"{int(live['progress_ratio'] * 100)} %" if live else ""


def layers(printer: Document) -> str:
    """Return `12/240`, nothing where no run is on or its plate has no layers marked."""
    live = progress_of(printer)
    return f"{live['layer']}/{live['layer_count']}" if live and live["layer_count"] else ""


def remaining(printer: Document) -> str:
    """Return how long the run that is on still takes, nothing where that is unknown."""
    live = progress_of(printer)
    return duration(live["remaining_s"]) if live else ""


def findings(printer: Document, level: str) -> str:
    """Return what is wrong with a printer, or with the machine beside it, at one level."""
    return "; ".join(each["words"] for each in printer["findings"] if each["level"] == level)


def alarms(printers: Iterable[Document]) -> list[str]:
    """Return each alarm once, with the printer; what is wrong with a machine has its agent."""
    told = {
        (printer["agent_id"] if each["about"] == "host" else printer["id"], each["words"])
        for printer in printers
        for each in printer["findings"]
        if each["level"] == "alarm"
    }
    return [f"{where}: {words}" for where, words in sorted(told)]


def host(document: Document | None) -> str:
    """Return what the machine beside a printer says of itself, nothing where it says nothing."""
    if document is None:
        return ""
    told = {
        "under-voltage seen": document["under_voltage_seen"],
        "throttling seen": document["throttled_seen"],
    }
    numbers = {
        "cpu_celsius": ("{:.0f} °C", 1),
        "disk_free_bytes": ("{:.1f} GiB free", 1024**3),
        "memory_free_bytes": ("{:.0f} MiB memory", 1024**2),
        "load_ratio": ("load {:.2f}", 1),
    }
    parts = [
        words.format(document[name] / unit)
        for name, (words, unit) in numbers.items()
        if document[name] is not None
    ]
    return ", ".join([*parts, *(words for words, seen in told.items() if seen)])
