"""Commands as the documentation has them: what is proved is what people type."""

import re
from collections.abc import Mapping
from pathlib import Path

_HEADING = re.compile(r"^(#+) (.+)$")
# As the pages write them: two spaces at least, so that none is taken for a part of a word.
_COMMENT = re.compile(r"\s{2,}# .*$")


def commands(page: Path, heading: str) -> list[str]:
    """Return the commands in a section's blocks of shell, in order, without comments.

    Raises:
        LookupError: the page has no such section, or that has none.
    """
    depth, in_shell, in_block = 0, False, False
    found: list[str] = []
    for line in page.read_text().splitlines():
        if line.startswith("```"):
            in_shell, in_block = not in_block and line == "```sh", not in_block
        elif in_shell:
            if depth and (command := _COMMENT.sub("", line).strip()):
                found.append(command)
        elif not in_block and (told := _HEADING.match(line)):
            if depth and len(told[1]) <= depth:
                break
            if told[2] == heading:
                depth = len(told[1])
    if not found:
        raise LookupError(f"{page.name} has no commands under {heading!r}")
    return found


def filled(command: str, values: Mapping[str, str]) -> str:
    """Return a command with what the reader has to put in, by what stands for it."""
    for placeholder, value in values.items():
        command = command.replace(placeholder, value)
    return command
