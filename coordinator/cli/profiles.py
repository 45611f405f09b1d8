"""`farmhand profiles`: what there is to slice with, what it holds, and taking over one's own."""

from pathlib import Path
from typing import Annotated, Any

import typer

from coordinator.cli.options import Json

app = typer.Typer(
    help="Printer classes, materials and qualities; needs no coordinator.", no_args_is_help=True
)
# A slicer has 250 settings, of which some 40 have a counterpart.
_SHOWN_MAX = 30

Configs = Annotated[Path | None, typer.Option("--configs", help="Another folder of profiles.")]


@app.command("ls")
def list_profiles(
    vendor: Annotated[
        bool, typer.Option("--vendor", help="Also the vendors' printers of the slicer here.")
    ] = False,
    settings: Annotated[bool, typer.Option("--settings", help="What --set takes.")] = False,
    configs: Configs = None,
    as_json: Json = False,
) -> None:
    """List printer classes, materials, qualities and engines, or the settings to choose."""
    from coordinator.cli.output import print_json, print_table
    from coordinator.cli.slicing_child import ask

    found = ask({"kind": "list", "vendor": vendor, **_folder(configs)})
    if as_json:
        print_json(found)
    elif settings:
        rows = [[one["name"], one["kind"], _range(one), one["words"]] for one in found["settings"]]
        print_table(["setting", "takes", "range", "meaning"], rows, "there are none")
    else:
        kinds = {"printers": "printer", "materials": "material", "qualities": "quality"}
        rows = [
            [one["name"], word, one["title"]] for key, word in kinds.items() for one in found[key]
        ]
        rows += [
            [one["name"], "engine", "installed" if one["installed"] else one["remedy"]]
            for one in found["engines"]
        ]
        print_table(["name", "kind", "title"], rows, "there are none")


@app.command("show")
def show_profile(name: str, configs: Configs = None, as_json: Json = False) -> None:
    """Show what one profile holds."""
    from coordinator.cli.output import print_facts, print_json
    from coordinator.cli.slicing_child import ask

    found = ask({"kind": "show", "name": name, **_folder(configs)})
    if as_json:
        print_json(found)
        return
    facts: dict[str, str | None] = {}
    for key, value in found["profile"].items():
        section = value if isinstance(value, dict) else {"": value}
        for own, each in section.items():
            if not key.endswith("gcode"):
                facts[f"{key}.{own}".rstrip(".")] = str(each)
    print_facts(f"{found['what']} {found['profile']['name']}", facts)


@app.command("import")
def import_profile(
    file: Annotated[Path, typer.Argument(help="INI, bundle, G-code, 3MF or JSON of a slicer.")],
    into: Annotated[Path, typer.Option("--into", help="The configs folder for the files.")],
    beside: Annotated[
        list[Path] | None, typer.Option("--beside", help="Where a JSON's parents lie.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="What they are to be called.")] = "",
    as_json: Json = False,
) -> None:
    """Take over your own profiles from PrusaSlicer, OrcaSlicer or Bambu Studio."""
    from coordinator.cli.output import print_json
    from coordinator.cli.slicing_child import ask

    request = {
        "kind": "import",
        "path": str(file.absolute()),
        "into": str(into.absolute()),
        "beside": [str(one.absolute()) for one in beside or ()],
        "name": name,
    }
    done = ask(request)
    if as_json:
        print_json(done)
        return
    for path in done["files"]:
        typer.echo(f"made {path}")
    for words in done["warnings"]:
        typer.echo(f"warning: {words}")
    if done["not_taken"]:
        first, more = done["not_taken"][:_SHOWN_MAX], len(done["not_taken"]) - _SHOWN_MAX
        rest = f" and {more} more (--json names all)" if more > 0 else ""
        typer.echo(f"not taken: {', '.join(first)}{rest}")


def _folder(configs: Path | None) -> dict[str, str]:
    return {"configs": str(configs.absolute())} if configs else {}


def _range(setting: dict[str, Any]) -> str:
    if setting["least"] is None:
        return str(setting["unit"])
    return f"{setting['least']:g} to {setting['most']:g} {setting['unit']}".strip()
