"""`farmhand verify`: a ready plate held against a class of printers, without a coordinator."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from coordinator.cli.exits import Exit, UsageWrong
from coordinator.cli.options import Json


def verify(
    file: Annotated[Path, typer.Argument(help="G-code: .gcode, .gco, .g or .bgcode.")],
    printer: Annotated[str, typer.Option(help="The class of printers: farmhand-220 ...")],
    material: Annotated[str, typer.Option(help="What it is to be printed with.")] = "",
    rule: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE=refuse|warn|ignore", help="See a rule otherwise."),
    ] = None,
    configs: Annotated[Path | None, typer.Option(help="Another folder of profiles.")] = None,
    as_json: Json = False,
) -> None:
    """Tell whether a plate may be printed by a class of printers; exit status 1: it may not."""
    from coordinator.cli.slicing_child import ask

    request: dict[str, Any] = {
        "kind": "verify",
        "gcode_path": str(file.resolve()),
        "printer": printer,
        "material": material,
        "policy": _policy(rule or []),
    }
    if configs is not None:
        request["configs"] = str(configs.resolve())
    result = ask(request)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
    else:
        _show(file, result)
    raise typer.Exit(Exit.OK if result["accepted"] else Exit.FAILED)


def _policy(rules: list[str]) -> dict[str, str]:
    policy = {}
    for text in rules:
        name, equals, severity = text.partition("=")
        if not equals or severity not in ("refuse", "warn", "ignore"):
            raise UsageWrong(f"--rule {text}: write RULE=refuse, RULE=warn or RULE=ignore")
        policy[name] = severity
    return policy


def _show(file: Path, result: dict[str, Any]) -> None:
    from rich.text import Text

    from coordinator.cli import output

    bounds = result["bounds_mm"]
    box = " to ".join(" ".join(f"{each:g}" for each in corner) for corner in bounds or ())
    grams = f", {result['filament_g']:g} g" if result["filament_g"] else ""
    verdict = "may be printed" if result["accepted"] else "is refused"
    output.print_facts(
        f"{file.name} {verdict} by {result['printer']}",
        {
            "sliced by": result["slicer"],
            "time": f"{output.duration(result['time_s'])} ({result['time_source']})",
            "filament": f"{result['filament_mm'] / 1000:.2f} m{grams}",
            "material": result["material"],
            "layers": str(result["layers"]),
            "prints from": box,
            "size": f"{result['size_bytes'] / 1e6:.1f} MB, {result['lines']} lines",
            **{name: _printable(value) for name, value in result["provenance"].items()},
        },
    )
    colours = {"refuse": "red", "warn": "yellow"}
    rows = [
        (
            str(each["line"] or ""),
            Text(each["severity"], style=colours[each["severity"]]),
            each["rule"],
            each["words"],
        )
        for each in result["findings"]
    ]
    output.print_table(("line", "severity", "rule", "what"), rows, "nothing speaks against it")


def _printable(text: str) -> str:
    """Return what a stranger wrote as a terminal may have it."""
    return "".join(one if one.isprintable() else " " for one in text)
