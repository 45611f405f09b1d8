"""`farmhand model` and `farmhand project`: the geometry that the farm keeps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from coordinator.cli.client import Document

app = typer.Typer(
    no_args_is_help=True, help="Models: geometry with versions.", rich_markup_mode=None
)
project_app = typer.Typer(
    no_args_is_help=True, help="Projects: what models are gathered in.", rich_markup_mode=None
)

ModelId = Annotated[str, typer.Argument(metavar="MODEL", help="The model's id.")]
ProjectId = Annotated[str, typer.Argument(metavar="PROJECT", help="The project's id.")]
File = Annotated[Path, typer.Argument(help="STL, 3MF, OBJ, PLY or GLB.")]
Name = Annotated[str | None, typer.Option(help="What to call it.")]
Description = Annotated[str | None, typer.Option(help="For people.")]
InProject = Annotated[str | None, typer.Option("--project", help="The project it belongs to.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Repeatable.")]
Text = Annotated[str, typer.Option(help="Only with this in their names.")]
Archived = Annotated[bool, typer.Option("--archived", help="Those that were put away, too.")]
Note = Annotated[str, typer.Option(help="What is new about it.")]
Author = Annotated[str, typer.Option(help="Who made it, where that is somebody else.")]
Licence = Annotated[str, typer.Option(help="Under which it may be used: CC-BY-4.0.")]
Source = Annotated[str, typer.Option(help="Where it was found.")]
PutAway = Annotated[
    bool | None, typer.Option("--archive/--restore", help="Put it away, or bring it back.")
]


@app.command("ls")
def list_models(
    text: Text = "",
    project: Annotated[str, typer.Option(help="Only of this project.")] = "",
    tag: Annotated[str, typer.Option(help="Only with this tag.")] = "",
    archived: Archived = False,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """List models in order of arrival."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    wanted = {"text": text, "project_id": project, "tag": tag, "archived": str(archived).lower()}
    models = connect(url, token_file).all_of("models", _narrowed(wanted))
    if as_json:
        output.print_json(models)
        return
    output.print_table(
        ["ID", "NAME", "VERSION", "SIZE", "TAGS", "OWNER"],
        (
            [
                model["id"],
                model["name"],
                str(model["latest"] or ""),
                _size(model["newest"]),
                " ".join(model["tags"]),
                model["owner"],
            ]
            for model in models
        ),
        "no models; farmhand model add FILE brings one",
    )


@app.command()
def show(
    model_id: ModelId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Show a model and all its versions."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    model = farm.ask("GET", _path(model_id))
    versions = farm.ask("GET", f"{_path(model_id)}/versions")["items"]
    if as_json:
        output.print_json({**model, "versions": versions})
        return
    _say(model, as_json=False)
    output.print_table(
        ["VERSION", "FILE", "SIZE", "FROM", "AUTHOR", "LICENCE", "NOTE"],
        (
            [
                str(version["number"]),
                version["file_name"],
                _size(version),
                version["origin"]["provider"] or version["origin"]["url"] or version["author"],
                version["origin"]["author"],
                version["origin"]["licence"],
                version["note"],
            ]
            for version in versions
        ),
        "no version yet",
    )


@app.command()
def add(
    file: File,
    name: Name = None,
    description: Description = None,
    project: InProject = None,
    tag: Tags = None,
    note: Note = "",
    author: Author = "",
    licence: Licence = "",
    source: Source = "",
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Make a model of a file, its first version."""
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    said = _said(name=name or file.stem, description=description, project_id=project, tags=tag)
    model = farm.ask("POST", "models", said)
    farm.send(f"{_path(model['id'])}/versions", file, _about(note, author, licence, source))
    _say(farm.ask("GET", _path(model["id"])), as_json=as_json)


@app.command()
def update(
    model_id: ModelId,
    file: File,
    note: Note = "",
    author: Author = "",
    licence: Licence = "",
    source: Source = "",
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Add a version to a model; the earlier ones stay."""
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    farm.send(f"{_path(model_id)}/versions", file, _about(note, author, licence, source))
    _say(farm.ask("GET", _path(model_id)), as_json=as_json)


@app.command()
def change(
    model_id: ModelId,
    name: Name = None,
    description: Description = None,
    project: InProject = None,
    tag: Tags = None,
    archived: PutAway = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Change what is said of a model; the tags that are given replace those that are."""
    from coordinator.cli.client import connect

    said = _said(
        name=name, description=description, project_id=project, tags=tag, archived=archived
    )
    _say(connect(url, token_file).ask("PATCH", _path(model_id), said), as_json=as_json)


@app.command()
def fetch(
    model_id: ModelId,
    to: Annotated[Path, typer.Argument(metavar="FILE", help="Where it is written.")],
    number: Annotated[int | None, typer.Option("--version", help="Else the newest.")] = None,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Save a version's mesh as a file."""
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    version = farm.ask("GET", f"{_path(model_id)}/versions/{number or 'latest'}")
    farm.save_artifact(version["sha256"], to)
    typer.echo(f"{to}  version {version['number']}, {version['size_bytes']} bytes")


@project_app.command("ls")
def list_projects(
    text: Text = "",
    archived: Archived = False,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """List projects in order of arrival."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    wanted = _narrowed({"text": text, "archived": str(archived).lower()})
    projects = connect(url, token_file).all_of("projects", wanted)
    if as_json:
        output.print_json(projects)
        return
    output.print_table(
        ["ID", "NAME", "OWNER", "DESCRIPTION"],
        ([each["id"], each["name"], each["owner"], each["description"]] for each in projects),
        "no projects; farmhand project add NAME makes one",
    )


@project_app.command("show")
def show_project(
    project_id: ProjectId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Show a project; `model ls --project` lists what is in it."""
    from coordinator.cli.client import connect

    path = f"projects/{quote(project_id, safe='')}"
    _say(connect(url, token_file).ask("GET", path), as_json=as_json)


@project_app.command("add")
def add_project(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    description: Description = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Make a project."""
    from coordinator.cli.client import connect

    said = _said(name=name, description=description)
    _say(connect(url, token_file).ask("POST", "projects", said), as_json=as_json)


@project_app.command("change")
def change_project(
    project_id: ProjectId,
    name: Name = None,
    description: Description = None,
    archived: PutAway = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Change what is said of a project."""
    from coordinator.cli.client import connect

    said = _said(name=name, description=description, archived=archived)
    path = f"projects/{quote(project_id, safe='')}"
    _say(connect(url, token_file).ask("PATCH", path, said), as_json=as_json)


def _say(thing: "Document", *, as_json: bool) -> None:
    from coordinator.cli import output

    if as_json:
        output.print_json(thing)
        return
    newest = thing.get("newest")
    facts = {
        "description": thing["description"],
        "owner": thing["owner"],
        "project": thing.get("project_id"),
        "tags": " ".join(thing.get("tags", ())),
        "version": f"{newest['number']}, {_size(newest)}" if newest else None,
        "remarks": "; ".join(newest["remarks"]) if newest else None,
        "archived": "yes" if thing["archived"] else None,
    }
    output.print_facts(f"{thing['id']}  {thing['name']}", facts)


def _size(version: "Document | None") -> str:
    if version is None or version["size_mm"] is None:
        return ""
    return " x ".join(f"{side:.1f}" for side in version["size_mm"]) + " mm"


def _about(note: str, author: str, licence: str, source: str) -> dict[str, str]:
    return {"note": note, "author": author, "licence": licence, "source_url": source}


def _said(**fields: object) -> "Document":
    return {name: value for name, value in fields.items() if value is not None}


def _narrowed(wanted: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in wanted.items() if value]


def _path(model_id: str) -> str:
    return f"models/{quote(model_id, safe='')}"
