"""`farmhand printer labels`: a page of labels to be printed, with a code for each printer."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

import typer

from coordinator.cli import completing
from coordinator.cli.exits import CommandFailed
from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from coordinator.cli.client import Document

_STYLE = """
body { margin: 0; font-family: sans-serif; color: #000; background: #fff; }
main { display: flex; flex-wrap: wrap; gap: 4mm; }
article { width: 62mm; break-inside: avoid; padding: 3mm; border: 1px dashed #aaa; }
svg { width: 100%; } h2, p { margin: 0; overflow-wrap: anywhere; } p { font-size: 8pt; }
"""


def labels(
    to: Annotated[Path, typer.Argument(metavar="FILE", help="The page to write, .html.")],
    printers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PRINTER]...", help="Only these.", autocompletion=completing.printers
        ),
    ] = None,
    base: Annotated[
        str, typer.Option(help="The farm's address, as phones reach it: http://farm.local:8150.")
    ] = "",
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Write a page of labels, each with the code of its printer's own page."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    wanted = [("printer", each) for each in printers or ()] + ([("base", base)] if base else [])
    found = connect(url, token_file).ask("GET", f"labels?{urlencode(wanted)}")
    try:
        to.write_text(_page(found["items"]), encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{to} can't be written: {error.strerror}") from error
    if as_json:
        output.print_json(found)
    else:
        typer.echo(f"{len(found['items'])} labels in {to}; they lead to {found['base']}")


def _page(items: "list[Document]") -> str:
    shown = "\n".join(
        f'<article><svg viewBox="0 0 {each["modules"]} {each["modules"]}">'
        f'<path d="{each["path"]}"/></svg><h2>{escape(each["name"])}</h2>'
        f"<p>{escape(each['location'])}</p><p>{escape(each['url'])}</p></article>"
        for each in items
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Labels</title>'
        f"<style>{_STYLE}</style></head><body><main>\n{shown}\n</main></body></html>\n"
    )
