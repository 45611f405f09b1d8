"""What the manual tells people to type exists, and what it links to is there."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from coordinator.cli.main import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
COMMANDS = sorted(
    {
        line.partition("#")[0].removeprefix("./farmhand ").strip()
        for block in BLOCKS
        for line in block.splitlines()
        if line.startswith("./farmhand ")
    }
)
# Verbs of the launcher itself.
LAUNCHER = {"setup"}


def found(words: list[str]) -> tuple[Any, list[str]]:
    """Follow the words through the command's groups; return the verb and what is left."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        if command.invoke_without_command and (not words or words[0].startswith("--")):
            break
        assert words, "a group alone does nothing"
        # The group itself says what a word means that is no verb of it.
        _, command, words = command.resolve_command(typer.Context(command), words)
    return command, words


def test_the_manual_opens_with_the_two_commands() -> None:
    first = [line.split()[1] for line in BLOCKS[0].splitlines() if line.startswith("./farmhand")]
    assert first == ["demo", "test"]


@pytest.mark.parametrize("text", [one for one in COMMANDS if one not in LAUNCHER])
def test_a_command_of_the_manual_exists_with_its_options(text: str) -> None:
    command, rest = found(shlex.split(text))
    known = {option for parameter in command.params for option in parameter.opts}
    if command.context_settings.get("ignore_unknown_options"):
        return
    assert {word for word in rest if word.startswith("--")} <= known


@pytest.mark.parametrize("option", re.findall(r"^\| `(--[a-z-]+)", README, re.MULTILINE))
def test_an_option_of_the_demos_table_exists(option: str) -> None:
    command, _ = found(["demo"])
    assert option in {name for parameter in command.params for name in parameter.opts}


@pytest.mark.parametrize("folder", re.findall(r"^\| `([a-z]+)/`", README, re.MULTILINE))
def test_a_room_of_the_map_exists(folder: str) -> None:
    assert (ROOT / folder).is_dir()
