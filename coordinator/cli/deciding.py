"""`farmhand generate cancel|approve|reject|settle`: what people decide about generations."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from coordinator.cli.generating import GenerationId, say
from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from coordinator.cli.client import Document


def cancel(
    generation_id: GenerationId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Have a generation end; what was charged by then stays charged."""
    _post(url, token_file, f"{_path(generation_id)}/cancel", None, as_json=as_json)


def approve(
    generation_id: GenerationId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Approve what was made."""
    _post(url, token_file, f"{_path(generation_id)}/approve", None, as_json=as_json)


def reject(
    generation_id: GenerationId,
    reason: Annotated[str, typer.Option(help="Why, for who asked.")] = "",
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Reject what was made: it is not printed."""
    said = {"reason": reason}
    _post(url, token_file, f"{_path(generation_id)}/reject", said, as_json=as_json)


class Settled(StrEnum):
    """What became of a paid call whose answer was lost."""

    HAPPENED = "happened"
    NEVER = "never"
    GIVE_UP = "give_up"


def settle(
    generation_id: GenerationId,
    outcome: Annotated[
        Settled, typer.Argument(help="happened: with --task; never: asked for again; give_up.")
    ],
    task: Annotated[str, typer.Option(help="The task's id at the provider.")] = "",
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Say what became of a paid call whose answer was lost, after a look at the provider."""
    said = {"outcome": outcome.value, "task_id": task}
    _post(url, token_file, f"{_path(generation_id)}/settle", said, as_json=as_json)


def _post(
    url: str, token_file: Path | None, path: str, said: "Document | None", *, as_json: bool
) -> None:
    from coordinator.cli.client import connect

    say(connect(url, token_file).ask("POST", path, said), as_json=as_json)


def _path(generation_id: str) -> str:
    return f"generations/{quote(generation_id, safe='')}"
