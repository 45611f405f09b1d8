"""`farmhand doctor`, `farmhand config`: what is wrong on this machine, and what is set here."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from coordinator.cli.exits import CommandFailed
from coordinator.cli.options import Json, TokenFile, Url
from protocols.diagnosis import Finding, Level

if TYPE_CHECKING:
    from coordinator.setting_origins import SettingTold

config_app = typer.Typer(
    no_args_is_help=True, help="The coordinator's settings on this machine.", rich_markup_mode=None
)
Config = Annotated[Path | None, typer.Option("--config", help="The coordinator's TOML file.")]
StateDir = Annotated[Path | None, typer.Option("--state-dir", help="The coordinator's folder.")]

Name = Annotated[str, typer.Argument(metavar="SETTING", help="Its name, as `show` has it.")]

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(config: Config = None, state_dir: StateDir = None, as_json: Json = False) -> None:
    """Look for what is wrong with the coordinator on this machine; each line says what mends it.

    Whether or not it runs. The exit code is 1 where something fails.
    """
    failed = asyncio.run(_examined(_flags(config, state_dir), as_json=as_json))
    if failed:
        raise CommandFailed(f"{failed} of these do not work")


async def _examined(flags: list[str], *, as_json: bool) -> int:
    from coordinator.cli import doctor, output

    failed = 0
    async for finding in doctor.examine(flags):
        failed += finding.level is Level.FAIL
        if as_json:
            output.print_json(_document(finding))
        else:
            output.console().print(_line(finding), soft_wrap=True)
    return failed


@config_app.command("show")
def show(
    origin: Annotated[
        bool, typer.Option("--origin", help="Also where each comes from, the defaults too.")
    ] = False,
    config: Config = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Show what is set, without secrets; with --origin all settings, and where each comes from."""
    from coordinator.cli import output
    from coordinator.setting_origins import DEFAULT, origins

    told = origins(_flags(config, state_dir))
    if origin:
        told = _with_chosen(told)
    if as_json:
        for each in told:
            document = {"name": each.name, "value": each.value, "origin": each.origin}
            output.print_json(document)
        return
    shown = [each for each in told if origin or each.origin != DEFAULT]
    output.print_table(
        ["SETTING", "VALUE", *(["FROM"] if origin else [])],
        ([each.name, _value(each.value), *([each.origin] if origin else [])] for each in shown),
        "nothing is set: all settings are the defaults (--origin shows them)",
    )


@config_app.command("running")
def running(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """Show what is in force at a coordinator that runs, without secrets."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    told = connect(url, token_file).ask("GET", "settings")["items"]
    if as_json:
        output.print_json(told)
        return
    rows = ([each["name"], _value(each["value"]), each["origin"]] for each in told)
    output.print_table(["SETTING", "VALUE", "FROM"], rows, "it tells none")


@config_app.command("set")
def set_setting(
    name: Name,
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="true, 30, 22:00-07:00, '{\"USD\": 10}'.")
    ],
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Change a setting of a coordinator that runs; it goes before what a file says."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    body = {"value": _typed(value)}
    told = connect(url, token_file).ask("PUT", f"settings/{quote(name, safe='')}", body)
    if as_json:
        output.print_json(told)
        return
    from_when = ", from the coordinator's next start on" if told["change"]["waits"] else ""
    typer.echo(f"{name} is {_value(told['value'])}{from_when}")


@config_app.command("unset")
def unset_setting(
    name: Name, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Go back to what the coordinator was started with."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    told = connect(url, token_file).ask("DELETE", f"settings/{quote(name, safe='')}")
    if as_json:
        output.print_json(told)
    else:
        typer.echo(f"{name} is {_value(told['value'])}, by {told['origin']}")


def _typed(value: str) -> Any:
    """Return what was meant: a text unless it reads as something else."""
    import json

    try:
        return json.loads(value)
    except ValueError:
        return value


def _with_chosen(told: "list[SettingTold]") -> "list[SettingTold]":
    """Return settings with what people changed at the coordinator that runs here, if one does."""
    from dataclasses import replace

    from coordinator.cli.client import connect

    try:
        running = connect("", None).ask("GET", "settings")["items"]
    except CommandFailed as error:
        typer.echo(f"what was changed while it runs is not shown: {error}", err=True)
        return told
    chosen = {each["name"]: each for each in running if each["origin"] == "page"}
    return [
        replace(each, value=chosen[each.name]["value"], origin="page", file=None)
        if each.name in chosen
        else each
        for each in told
    ]


def _flags(config: Path | None, state_dir: Path | None) -> list[str]:
    flags = ["--config", str(config)] if config is not None else []
    return flags + (["--state-dir", str(state_dir)] if state_dir is not None else [])


def _value(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value)


def _document(finding: "Finding") -> dict[str, str]:
    return {
        "about": finding.about,
        "level": finding.level.value,
        "words": finding.words,
        "mend": finding.mend,
    }


def _line(finding: "Finding") -> object:
    from rich.text import Text

    text = Text(f"{finding.level.value:<5}", style=_COLOURS[finding.level.value])
    text.append(f"{finding.about}: ", style="bold")
    text.append(finding.words)
    if finding.mend:
        text.append(f"\n     -> {finding.mend}", style="dim")
    return text
