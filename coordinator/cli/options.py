"""The options that many verbs share."""

from pathlib import Path
from typing import Annotated

import typer

Url = Annotated[
    str, typer.Option("--url", help="The coordinator's address.", envvar="FARMHAND_URL")
]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", help="A file with the token. Default: FARMHAND_TOKEN."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
