"""`farmhand generate`: models of words, pictures, code and links."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer
from typer.core import TyperGroup

from coordinator.cli.exits import JobFailed, UsageWrong
from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.cli.client import Document, FarmClient


class _Prompted(TyperGroup):
    """A group whose first word may be a prompt: what is no verb is what is wanted."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the words as they were typed, behind the verb that they mean."""
        return super().parse_args(ctx, self.meant(args))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the verb that is meant, and the words behind it."""
        return super().resolve_command(ctx, self.meant(args))

    def meant(self, args: list[str]) -> list[str]:
        """Return the words with the verb that they mean."""
        known = (*self.commands, "-h", "--help")
        return ["new", *args] if args and args[0] not in known else args


app = typer.Typer(
    cls=_Prompted,
    no_args_is_help=True,
    help="Models from providers: farmhand generate 'a hook for a 25 mm rail'.",
    rich_markup_mode=None,
)
GenerationId = Annotated[str, typer.Argument(metavar="GENERATION", help="The generation's id.")]
Watch = Annotated[bool, typer.Option("--watch/--no-watch", help="Show its progress to the end.")]
Pictures = Annotated[
    list[Path] | None, typer.Option("--picture", help="A JPEG, PNG or WebP. Repeatable.")
]
Print = Annotated[bool, typer.Option("--print", help="Have it printed, too.")]
Copies = Annotated[int, typer.Option(min=1, help="How many.")]
Material = Annotated[str, typer.Option(help="PLA, PETG ...; any if not given.")]
Quality = Annotated[str, typer.Option(help="draft, standard ...")]
Class = Annotated[str, typer.Option("--class", help="Only printers of this class.")]
Options = Annotated[
    list[str] | None, typer.Option("--option", metavar="KEY=VALUE", help="Of the provider.")
]
Reuse = Annotated[
    bool, typer.Option("--reuse", help="What the same request brought before will do.")
]
Values = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Of the code. Repeatable.")
]


@app.command()
def new(
    prompt: Annotated[str, typer.Argument(help="What is wanted, in words.")] = "",
    provider: Annotated[str, typer.Option(help="Its name; see provider ls.")] = "",
    size: Annotated[str, typer.Option(help="How long its longest side: 60mm, 2.5cm, 3in.")] = "",
    picture: Pictures = None,
    code: Annotated[Path | None, typer.Option(help="A file with code that makes it.")] = None,
    link: Annotated[str, typer.Option(help="An address that it is fetched from.")] = "",
    name: Annotated[str, typer.Option(help="What to call the model.")] = "",
    project: Annotated[str, typer.Option(help="The project it goes into.")] = "",
    model: Annotated[str, typer.Option(help="A model that it is a new version of.")] = "",
    mesh: Annotated[str, typer.Option(metavar="MODEL[/N]", help="A mesh to work on.")] = "",
    option: Options = None,
    parameter: Values = None,
    seed: Annotated[int | None, typer.Option(help="The same again, where it can do that.")] = None,
    cost_max: Annotated[
        float | None, typer.Option(help="What it may cost, in the provider's unit.")
    ] = None,
    reuse: Reuse = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only say what it would cost.")
    ] = False,
    printed: Print = False,
    copies: Copies = 1,
    material: Material = "",
    quality: Quality = "",
    printer_class: Class = "",
    watch: Watch = True,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Ask a provider for a model."""
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    said: Document = {
        "prompt": prompt,
        "provider": provider,
        "url": link,
        "code": _text_of(code) if code is not None else "",
        "name": name,
        "project_id": project,
        "model_id": model,
        **(_mesh_of(farm, mesh) if mesh else {}),
        "options": pairs(option or []),
        "parameters": pairs(parameter or []),
        "reuse": reuse,
        "size_mm": millimetres(size) if size else None,
        "seed": seed,
        "cost_max": cost_max,
        "pictures": [brought(farm, each) for each in picture or []],
        "print": printing(
            printed, copies=copies, material=material, quality=quality, printer_class=printer_class
        ),
    }
    if estimate:
        _say_cost(farm.ask("POST", "generations/estimate", without_none(said)), as_json=as_json)
    else:
        made = farm.ask("POST", "generations", without_none(said))
        _finish(farm, made, watch=watch, as_json=as_json)


@app.command()
def chat(
    generation_id: GenerationId,
    prompt: Annotated[str, typer.Argument(help="What is to be different.")],
    picture: Pictures = None,
    parameter: Values = None,
    printed: Print = False,
    copies: Copies = 1,
    material: Material = "",
    quality: Quality = "",
    printer_class: Class = "",
    watch: Watch = True,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Have what was made changed: a further version of the same model."""
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    said: Document = {
        "prompt": prompt,
        "pictures": [brought(farm, each) for each in picture or []],
        "parameters": pairs(parameter or []),
        "print": printing(
            printed, copies=copies, material=material, quality=quality, printer_class=printer_class
        ),
    }
    made = farm.ask("POST", f"{_path(generation_id)}/messages", without_none(said))
    _finish(farm, made, watch=watch, as_json=as_json)


@app.command()
def again(
    generation_id: GenerationId,
    parameter: Values = None,
    printed: Print = False,
    copies: Copies = 1,
    material: Material = "",
    quality: Quality = "",
    printer_class: Class = "",
    watch: Watch = True,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Have its code made again with other values: a further version, which costs nothing."""
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    said: Document = {
        "parameters": pairs(parameter or []),
        "print": printing(
            printed, copies=copies, material=material, quality=quality, printer_class=printer_class
        ),
    }
    made = farm.ask("POST", f"{_path(generation_id)}/again", without_none(said))
    _finish(farm, made, watch=watch, as_json=as_json)


@app.command("ls")
def list_generations(
    state: Annotated[
        list[str] | None, typer.Option("--state", help="Only in this state. Repeatable.")
    ] = None,
    provider: Annotated[str, typer.Option(help="Only of this provider.")] = "",
    text: Annotated[str, typer.Option(help="Only with this in name, words or address.")] = "",
    mine: Annotated[bool, typer.Option("--mine", help="Only one's own.")] = False,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """List generations, the newest first."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    wanted = [("state", each) for each in state or []] + [("provider", provider), ("text", text)]
    wanted += [("mine", "true")] if mine else []
    found = connect(url, token_file).all_of("generations", wanted)
    if as_json:
        output.print_json(found)
        return
    print_generations(found)


def print_generations(found: "Sequence[Document]") -> None:
    """Print a table of generations."""
    from coordinator.cli import output

    output.print_table(
        ["ID", "STATE", "PROVIDER", "NAME", "COST", "MODEL", "WHY"],
        (
            [
                each["id"],
                output.state_text(each["state"]),
                each["provider"],
                each["name"],
                cost(each),
                " ".join(f"{made['model_id']}/{made['version']}" for made in each["made"]),
                why(each),
            ]
            for each in found
        ),
        "no generations; farmhand generate 'a hook' asks for one",
    )


@app.command()
def show(
    generation_id: GenerationId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Show a generation."""
    from coordinator.cli.client import connect

    say(connect(url, token_file).ask("GET", _path(generation_id)), as_json=as_json)


@app.command()
def watch(
    generation_id: GenerationId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Show a generation's progress to its end."""
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    _finish(farm, farm.ask("GET", _path(generation_id)), watch=True, as_json=as_json)


def millimetres(text: str) -> float:
    """Return a length in mm: `60`, `60mm`, `2.5cm`, `3in`.

    Raises:
        UsageWrong: it is none.
    """
    units = {"mm": 1.0, "cm": 10.0, "in": 25.4, "m": 1000.0}
    number = text.strip().lower()
    unit = next((each for each in units if number.endswith(each)), "")
    try:
        return float(number.removesuffix(unit)) * units.get(unit, 1.0)
    except ValueError:
        raise UsageWrong(f"{text!r} is no length: write 60mm, 2.5cm or 3in") from None


def cost(generation: "Document") -> str:
    """Return what a generation cost, with a question mark while nobody knows for sure."""
    parts = []
    for each in generation["costs"]:
        known = each["charged"]
        if known != "0":
            parts.append(f"{known or each['reserved']} {each['unit']}{'' if known else '?'}")
    return " + ".join(parts)


def why(generation: "Document") -> str:
    """Return why a generation failed or waits; nothing where all is well."""
    if generation["waits"]:
        return str(generation["waits"])
    trouble = generation["trouble"]
    return str(trouble["message"]) if trouble else ""


def _finish(farm: "FarmClient", made: "Document", *, watch: bool, as_json: bool) -> None:
    from coordinator.cli.watching_generations import watch_generation

    if watch:
        made = watch_generation(farm, made, silent=as_json)
    say(made, as_json=as_json)
    if made["state"] in ("failed", "cancelled"):
        raise JobFailed(f"{made['id']}: {why(made) or made['state']}")


def say(generation: "Document", *, as_json: bool) -> None:
    """Print a generation."""
    from coordinator.cli import output

    if as_json:
        output.print_json(generation)
        return
    output.print_facts(
        f"{generation['id']}: {generation['state'].replace('_', ' ')}",
        {
            "name": generation["name"],
            "provider": generation["provider"],
            "model": " ".join(f"{e['model_id']}/{e['version']}" for e in generation["made"]),
            "job": " ".join(generation["job_ids"]),
            "values (--set)": ", ".join(_value(each, generation) for each in generation["form"]),
            "it says": generation["said"],
            "look at": "; ".join(generation["remarks"]),
            "cost": cost(generation),
            "task at the provider": generation["task_id"],
            "why": why(generation),
        },
    )


def _value(field: "Document", generation: "Document") -> str:
    return f"{field['name']}={generation['parameters'].get(field['name'], field['default'])}"


def _say_cost(found: "Document", *, as_json: bool) -> None:
    from coordinator.cli import output

    if as_json:
        output.print_json(found)
        return
    at_most = "" if found["exact"] else "at most "
    output.print_facts(
        f"{found['provider']}: {at_most}{found['amount']} {found['unit']}"
        if found["amount"]
        else f"{found['provider']}: nothing",
        {
            "would be refused": found["objection"],
            "limits": "; ".join(
                f"{each['most']} {found['unit']} {each['words']}, {each['spent']} are spent"
                for each in found["limits"]
            ),
            "made before": found["like"] and f"{found['like']}; --reuse takes that, for nothing",
        },
    )


def _mesh_of(farm: "FarmClient", mesh: str) -> "Document":
    """Return which mesh of which model is to be worked on."""
    model_id, _, number = mesh.partition("/")
    its_id, its_number = quote(model_id, safe=""), quote(number or "latest", safe="")
    version = farm.ask("GET", f"models/{its_id}/versions/{its_number}")
    return {"model_id": model_id, "mesh_sha256": version["sha256"]}


def brought(farm: "FarmClient", picture: Path) -> str:
    """Bring a picture to the farm; return its hash."""
    return str(farm.send("generation-pictures", picture, {})["sha256"])


def printing(wanted: bool, **said: object) -> "Document | None":
    """Return how something is to be printed, None where it is not."""
    return dict(said) if wanted else None


def pairs(given: list[str]) -> dict[str, Any]:
    """Return settings that were typed as KEY=VALUE.

    Raises:
        UsageWrong: one of them is none.
    """
    found: dict[str, Any] = {}
    for each in given:
        key, sign, value = each.partition("=")
        if not sign:
            raise UsageWrong(f"{each!r} is no setting: write KEY=VALUE")
        try:
            plain = json.loads(value)
        except ValueError:
            plain = value
        found[key] = plain if isinstance(plain, bool | int | float | str) else value
    return found


def _text_of(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageWrong(f"{path} can't be read as text: {error}") from error


def without_none(said: "Document") -> "Document":
    """Return what was said, without what is left to the farm."""
    return {name: value for name, value in said.items() if value is not None}


def _path(generation_id: str) -> str:
    return f"generations/{quote(generation_id, safe='')}"
