"""What the manual tells people to type exists, and what it links to is there."""

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from coordinator.cli.main import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGES = sorted(
    path
    for room in ("agent", "coordinator", "configs", "systemd")
    for path in (ROOT / room).rglob("*.md")
    if not {"node_modules", "built", "prompts"} & set(path.parts)
)
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


def typed(text: str) -> set[str]:
    """Return what a page has people type of the command, without the program's name."""
    lines = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL)).splitlines()
    found = (
        re.match(r"(?:sudo )?(?:\./)?farmhand (.*)", line.partition(" #")[0]) for line in lines
    )
    return {each[1].strip() for each in found if each}


COMMANDS = sorted(
    {command for page in (ROOT / "README.md", *PAGES) for command in typed(page.read_text())}
)
# Verbs of the launcher itself.
LAUNCHER = {"setup"}


@cache
def whole() -> Any:
    """Return the command with all its verbs."""
    return typer.main.get_command(app)


def found(words: list[str]) -> tuple[Any, list[str]]:
    """Follow the words through the command's groups; return the verb and what is left."""
    command = whole()
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


def places(page: Path) -> set[str]:
    """Return what a page links to, itself and the world aside."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    return {each for each in re.findall(r"\]\(([^)\s]+)\)", text) if ":" not in each}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_of_a_page_leads_somewhere(page: Path) -> None:
    for place in places(page):
        name, _, heading = place.partition("#")
        target = (page.parent / name) if name else page
        assert target.exists(), place
        if heading:
            headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            assert heading in {
                re.sub(r"[^a-z0-9 -]", "", each.lower()).replace(" ", "-") for each in headings
            }


def test_every_driver_has_a_page() -> None:
    told = "".join(page.read_text() for page in (ROOT / "agent/printers").glob("*.md"))
    drivers = re.findall(
        r'^(\w+) = "agent\.printers\.', (ROOT / "pyproject.toml").read_text(), re.M
    )
    assert drivers
    assert all(f"Driver `{driver}`" in told for driver in drivers)
