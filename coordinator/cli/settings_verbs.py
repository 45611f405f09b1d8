"""`farmhand doctor`, `farmhand config`: what is wrong on this machine, and what is set here."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coordinator.cli.exits import CommandFailed
from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from coordinator.cli.doctor import Finding

config_app = typer.Typer(
    no_args_is_help=True, help="The coordinator's settings on this machine.", rich_markup_mode=None
)
Config = Annotated[Path | None, typer.Option("--config", help="The coordinator's TOML file.")]
StateDir = Annotated[Path | None, typer.Option("--state-dir", help="The coordinator's folder.")]

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
        failed += finding.level is doctor.Level.FAIL
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
    """Show what a coordinator that runs was started with, without secrets."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    told = connect(url, token_file).ask("GET", "settings")["items"]
    if as_json:
        output.print_json(told)
        return
    rows = ([each["name"], _value(each["value"]), each["origin"]] for each in told)
    output.print_table(["SETTING", "VALUE", "FROM"], rows, "it tells none")


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
