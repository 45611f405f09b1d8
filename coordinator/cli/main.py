"""The `farmhand` command: its verbs, and how it ends."""

import sys
from typing import Annotated

import typer

from coordinator.cli import (
    agents,
    asking_verbs,
    backups,
    bulk,
    deciding,
    demo_command,
    disk,
    equipping,
    estimates,
    events,
    fleet_verbs,
    generating,
    generating_batches,
    jobs,
    keys,
    labels,
    log_verbs,
    looking,
    maintenance,
    models,
    notices,
    printable,
    printers,
    profiles,
    providers,
    queueing,
    release_verbs,
    retiring,
    runs,
    settings_verbs,
    slicing_verbs,
    spools,
    statistics_verbs,
    tls_verbs,
    trial,
    users,
    verifying,
    webhooks,
)
from coordinator.cli.exits import CommandFailed, Exit
from coordinator.errors import SettingsInvalid

# Plain help: the drawing library alone would double the time until it shows.
app = typer.Typer(
    name="farmhand",
    help="A 3D-print farm: from a model to finished prints.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo_command.demo)
app.command("verify")(verifying.verify)
app.command("slice")(slicing_verbs.slice_model)
app.command("printable")(printable.make_printable)
app.command("backup")(backups.backup)
app.command("logs")(log_verbs.logs)
app.command("statistics")(statistics_verbs.statistics)
app.command("restore")(backups.restore)
app.command("health")(asking_verbs.health)
app.command("whoami")(asking_verbs.whoami)
app.command("openapi")(asking_verbs.openapi)
app.command("explain")(asking_verbs.explain)
app.add_typer(asking_verbs.artifact_app, name="artifact")
app.add_typer(asking_verbs.session_app, name="session")
app.command("doctor")(settings_verbs.doctor)
app.add_typer(settings_verbs.config_app, name="config")
app.add_typer(profiles.app, name="profiles")
jobs.app.command("all")(bulk.all_jobs)
jobs.app.command("estimate")(estimates.estimate)
for verb in (queueing.move, queueing.again, queueing.timetable, queueing.lacking):
    jobs.app.command()(verb)
printers.app.command("all")(bulk.all_printers)
printers.app.command("picture")(looking.picture)
printers.app.command("temperatures")(looking.temperatures)
printers.app.command("runs")(looking.runs)
runs.app.command("picture")(looking.run_picture)
printers.app.command("labels")(labels.labels)
printers.app.command("add")(equipping.add)
printers.app.command("remove")(equipping.remove)
printers.app.command("import")(equipping.import_printers)
agents.app.command("discover")(equipping.discover)
printers.app.command("retire")(retiring.retire_printer)
printers.app.command("restore")(retiring.restore_printer)
printers.app.command("retired")(retiring.list_retired)
agents.app.command("retire")(retiring.retire_agent)
agents.app.command("restore")(retiring.restore_agent)
app.add_typer(jobs.app, name="job")
app.add_typer(models.app, name="model")
app.add_typer(models.project_app, name="project")
app.add_typer(printers.app, name="printer")
app.add_typer(maintenance.app, name="maintenance")
app.add_typer(spools.app, name="spool")
app.add_typer(spools.material_app, name="material")
app.add_typer(runs.app, name="run")
app.add_typer(agents.app, name="agent")
app.add_typer(agents.broker_app, name="broker")
app.add_typer(fleet_verbs.app, name="fleet")
app.add_typer(release_verbs.app, name="release")
app.add_typer(tls_verbs.app, name="tls")
app.add_typer(trial.app, name="simulated")
app.add_typer(events.app, name="events")
app.add_typer(disk.app, name="disk")
app.add_typer(users.app, name="user")
app.add_typer(keys.app, name="key")
app.add_typer(webhooks.app, name="webhook")
for decision in (deciding.cancel, deciding.approve, deciding.reject, deciding.settle):
    generating.app.command(decision.__name__)(decision)
app.add_typer(notices.app, name="notice")
generating.app.command()(generating_batches.batch)
app.add_typer(generating.app, name="generate")
app.add_typer(providers.app, name="provider")


@app.command(
    "coordinator",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def run_coordinator(
    context: typer.Context,
    arguments: Annotated[list[str] | None, typer.Argument(help="Settings as flags.")] = None,
) -> None:
    """Run the farm's centre: database, broker, slicing, API."""
    from coordinator.__main__ import main as run

    del context
    sys.exit(run(arguments or []))


@app.command("setup")
def set_up(
    part: Annotated[str, typer.Argument(help="wasm, openscad, build123d or cadquery.")],
) -> None:
    """Fetch an optional part.

    wasm: a slicer for machines without one. openscad: OpenSCAD that runs in node, and its library
    BOSL2. build123d, cadquery: for models that are written in Python.
    """
    from coordinator.cli.slicing_child import set_up_part

    set_up_part(part)


_PASSES_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command("test", context_settings=_PASSES_ON)
def run_tests(context: typer.Context) -> None:
    """Run lint, types, contracts and tests; with arguments, only the tests they name to pytest."""
    from coordinator.cli.develop import test

    sys.exit(test(context.args))


@app.command("bench", context_settings=_PASSES_ON)
def run_benchmark(context: typer.Context) -> None:
    """Measure: `bench serial [SCENARIO ...]` compares hosts on one stand-in firmware."""
    from coordinator.cli.develop import long

    sys.exit(long("bench", context.args))


@app.command("prove", context_settings=_PASSES_ON)
def run_proof(context: typer.Context) -> None:
    """Prove at length: `prove crash --kills 200`, `prove simulation --seeds 1000`."""
    from coordinator.cli.develop import long

    sys.exit(long("prove", context.args))


@app.command("package", context_settings=_PASSES_ON)
def build_packages(context: typer.Context) -> None:
    """Build the Debian packages into dist/: `package agent --processor arm64`."""
    from coordinator.cli.develop import package

    sys.exit(package(context.args))


def main() -> None:
    """Run the command; the exit codes are those of `exits.Exit`."""
    try:
        # Completion is asked for by this name, however the command was started.
        app(prog_name="farmhand")
    except CommandFailed as error:
        typer.echo(f"farmhand: {error}", err=True)
        sys.exit(error.exit_code)
    except SettingsInvalid as error:
        typer.echo(f"farmhand: {error}", err=True)
        sys.exit(Exit.FAILED)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
