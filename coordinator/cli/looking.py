"""What is seen and was measured: `printer picture`, `run picture`, `printer temperatures`."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from coordinator.cli.exits import CommandFailed
from coordinator.cli.options import Json, TokenFile, Url
from coordinator.cli.printers import PrinterId
from coordinator.cli.runs import RunId

if TYPE_CHECKING:
    from coordinator.cli.client import Document

Out = Annotated[Path | None, typer.Option(help="File to write; without: the id, in this folder.")]

# Somebody may be looking at the page already.
_AGE_S_MAX = 2.0


def picture(
    printer_id: PrinterId, out: Out = None, url: Url = "", token_file: TokenFile = None
) -> None:
    """Have a printer's camera take a picture, and save it."""
    from coordinator.cli.client import connect

    _save(*connect(url, token_file).printer_picture(printer_id, _AGE_S_MAX), printer_id, out)


def run_picture(
    run_id: RunId, out: Out = None, url: Url = "", token_file: TokenFile = None
) -> None:
    """Save what the camera saw when a run ended."""
    from coordinator.cli.client import connect

    _save(*connect(url, token_file).run_picture(run_id), run_id, out)


def runs(
    printer_id: PrinterId,
    limit: Annotated[int, typer.Option(help="How many at most.")] = 20,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """List a printer's last runs, the newest first."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    path = f"printers/{quote(printer_id, safe='')}/runs?limit={limit}"
    found = connect(url, token_file).ask("GET", path)["items"]
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        ["RUN", "JOB", "STATE", "STARTED", "ENDED", "PICTURE", "REASON"],
        (
            [
                run["id"],
                run["job"]["name"],
                output.state_text(run["state"]),
                run["started_at"] or "",
                run["ended_at"] or "",
                "seen" if run["seen"] else "",
                run["reason"],
            ]
            for run in found
        ),
        "nothing was printed there yet",
    )


class Span(StrEnum):
    """How far back."""

    HOUR = "hour"
    DAY = "day"


def temperatures(
    printer_id: PrinterId,
    span: Annotated[Span, typer.Option(help="How far back.")] = Span.HOUR,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Show how warm a printer was, heater by heater; a blank is where nothing was measured."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    path = f"printers/{quote(printer_id, safe='')}/measurements?span={span}"
    told = connect(url, token_file).ask("GET", path)
    if as_json:
        output.print_json(told)
        return
    heaters = [
        name.removesuffix("_celsius")
        for name in sorted(told["columns"])
        if name.endswith("_celsius") and not name.endswith("_target_celsius")
    ]
    output.print_table(
        ["HEATER", "NOW", "TARGET", "LOWEST", "HIGHEST", f"THE LAST {span.upper()}"],
        (
            _heater(heater, told["columns"][f"{heater}_celsius"], told["columns"])
            for heater in heaters
        ),
        f"nothing was measured in the last {span}",
    )


def _heater(heater: str, values: list[float | None], columns: "Document") -> list[str]:
    measured = [value for value in values if value is not None]
    targets = columns.get(f"{heater}_target_celsius", [])
    target = next((value for value in reversed(targets) if value is not None), None)
    return [
        heater,
        f"{measured[-1]:.0f} °C" if measured else "",
        f"{target:.0f} °C" if target else "",
        f"{min(measured):.0f} °C" if measured else "",
        f"{max(measured):.0f} °C" if measured else "",
        sketch(values),
    ]


_STEPS = "▁▂▃▄▅▆▇█"
_SKETCH_CHARACTERS = 36


def sketch(values: Sequence[float | None]) -> str:
    """Return a line of blocks, each the highest of its part of the values; blank without any."""
    part = -(-len(values) // _SKETCH_CHARACTERS) or 1
    parts = [values[at : at + part] for at in range(0, len(values), part)]
    tops = [max((value for value in each if value is not None), default=None) for each in parts]
    there = [top for top in tops if top is not None]
    if not there:
        return ""
    low, reach = min(there), max(max(there) - min(there), 1.0)
    return "".join(
        " " if top is None else _STEPS[int((top - low) / reach * (len(_STEPS) - 1))] for top in tops
    )


def _save(data: bytes, taken_at: str, name: str, out: Path | None) -> None:
    from protocols.pictures import picture_type

    suffix = ".png" if picture_type(data) == "image/png" else ".jpg"
    path = out or Path(name + suffix)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise CommandFailed(f"{path} can't be written: {error.strerror}") from error
    typer.echo(f"{path}: {len(data)} bytes, taken {taken_at}")
