"""`farmhand fleet`: which agent runs which version, and how a release comes to all of them."""

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from coordinator.cli import completing
from coordinator.cli.called import CALLED
from coordinator.cli.exits import CommandFailed
from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from coordinator.cli.client import Document, FarmClient

app = typer.Typer(
    no_args_is_help=True, help="Versions of the agents, and updates.", rich_markup_mode=None
)

Rollout = Annotated[
    str, typer.Argument(metavar="[ROLLOUT]", help="The rollout's id; the last one.")
]
Agents = Annotated[
    list[str] | None,
    typer.Option("--agent", help="Only these; repeat it.", autocompletion=completing.agents),
]
Canaries = Annotated[
    list[str] | None,
    typer.Option("--canary", help="Who is first; repeat it.", autocompletion=completing.agents),
]


@app.command("ls")
def list_agents(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """List the agents with their versions, and how their last update went."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    agents = connect(url, token_file).agents()
    if as_json:
        output.print_json(agents)
        return
    output.print_table(
        ["AGENT", "VERSION", "STATE", "PRINTERS", "LAST UPDATE"],
        (
            [
                each["id"],
                each["build"] or "",
                {True: "online", False: "offline", None: "never seen"}[each["online"]],
                str(each["printers"]),
                _of_update(each["update"]),
            ]
            for each in agents
        ),
        f"no agents; `{CALLED} agent token` lets one in",
    )


@app.command()
def update(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="A release's version.")],
    agents: Agents = None,
    canaries: Canaries = None,
    wave_size: Annotated[int, typer.Option(help="Of each wave; else a quarter of the rest.")] = 0,
    soak: Annotated[float, typer.Option(help="Seconds that an agent has to be well.")] = 60.0,
    start: Annotated[float, typer.Option(help="Seconds that it has to become so.")] = 120.0,
    troubles: Annotated[int, typer.Option(help="So many may go wrong before all halts.")] = 0,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Bring a release to the agents: canaries first, then wave by wave, never in mid-print."""
    from coordinator.cli.client import connect

    said = {
        "version": version,
        "agents": agents or None,
        "canaries": canaries or None,
        "wave_size": wave_size,
        "soak_s": soak,
        "start_s": start,
        "troubles_max": troubles,
    }
    _say(connect(url, token_file).ask("POST", "rollouts", said), as_json=as_json)


@app.command()
def show(
    rollout: Rollout = "", as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Show how far a rollout is, agent by agent."""
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    _say(farm.ask("GET", f"rollouts/{_id(farm, rollout)}"), as_json=as_json)


@app.command()
def halt(
    rollout: Rollout = "", as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Ask no other agent; who has not begun its trial lets it be."""
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    _say(farm.ask("POST", f"rollouts/{_id(farm, rollout)}/halt"), as_json=as_json)


@app.command()
def resume(
    rollout: Rollout = "", as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Go on with a rollout that was halted; who went wrong is asked once more."""
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    _say(farm.ask("POST", f"rollouts/{_id(farm, rollout)}/resume"), as_json=as_json)


def _id(farm: "FarmClient", said: str) -> str:
    if said:
        return quote(said, safe="")
    rollouts = farm.ask("GET", "rollouts")["items"]
    if not rollouts:
        raise CommandFailed(f"there was no rollout yet: {CALLED} fleet update VERSION")
    return quote(rollouts[0]["id"], safe="")


def _of_update(update: "Document | None") -> str:
    if update is None:
        return ""
    words = f": {update['words']}" if update["words"] else ""
    return f"{update['version']} {update['phase'].replace('_', ' ')}{words}"


def _say(rollout: "Document", *, as_json: bool) -> None:
    from coordinator.cli import output

    if as_json:
        output.print_json(rollout)
        return
    words = f": {rollout['words']}" if rollout["words"] else ""
    typer.echo(f"{rollout['id']}  {rollout['version']}  {rollout['state']}{words}")
    output.print_table(
        ["AGENT", "WAVE", "STATE", ""],
        (
            [
                each["agent_id"],
                "canary" if each["stage"] == 0 else str(each["stage"]),
                each["state"].replace("_", " "),
                each["words"],
            ]
            for each in rollout["agents"]
        ),
        "no agents",
    )
