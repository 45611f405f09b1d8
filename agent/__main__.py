"""The command `farmhand-agent`: read the settings, run until told to end.

`--drain` speaks to the agent that runs, `enroll` to a coordinator; `check` and `discover` look for
printers, `doctor` at the machine. Each has a module of its own, which is imported only then.
"""

import argparse
import asyncio
import math
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import cast

# structlog loads rich for prettier tracebacks where it is installed: MiB that a Pi has no use for.
sys.modules.setdefault("rich", cast(ModuleType, None))

from agent import launching  # noqa: E402
from agent.added import with_added  # noqa: E402
from agent.app import App, build  # noqa: E402
from agent.errors import JournalDamaged, SettingsInvalid  # noqa: E402
from agent.identity import with_identity  # noqa: E402
from agent.launcher import again, launched_by, verb_first  # noqa: E402
from agent.logs import configure  # noqa: E402
from agent.settings import AgentSettings, load  # noqa: E402
from agent.supervisor import Supervisor  # noqa: E402

EXIT_SETTINGS = 2
EXIT_JOURNAL = 3
EXIT_ON_TRIAL = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the agent; returns 0 after SIGTERM, SIGINT or once it is drained, else 2 or 3.

    Those are for what a person must mend: settings, and a journal that can't be used. What the
    other commands return is told where they are.
    """
    arguments = verb_first(sys.argv[1:] if arguments is None else arguments)
    if "--version" in arguments:
        sys.stdout.write(f"farmhand-agent {build()}\n")
        return 0
    if "--ready" in arguments:
        return _ready([each for each in arguments if each != "--ready"])
    if arguments[:1] == ["octoprint-key"]:
        from agent.printers.octoprint_key import main as obtain_key

        return obtain_key(arguments[1:])
    try:
        if arguments[:1] == ["discover"]:
            return _discover(arguments[1:])
        if arguments[:1] == ["doctor"]:
            from agent.doctor import doctor

            return doctor(arguments[1:], _print)
        if arguments[:1] == ["check"]:
            return _check(arguments[1:])
        if "--drain" in arguments:
            from agent.drain_command import drain

            timeout_s, flags = _timeout_s([each for each in arguments if each != "--drain"])
            return drain(load(flags).state_dir, timeout_s=timeout_s, say=_print)
        if arguments[:1] == ["enroll"]:
            from agent.enroll_command import enroll

            return enroll(arguments[1:], _print)
        supervisor = Supervisor()
        settings = _settings(arguments)
        if settings.enroll_token.get_secret_value():
            from agent.enroll_command import enrol_at_first_start

            if enrol_at_first_start(settings, supervisor):
                settings = _settings(arguments)
        # What comes in on a serial line waits at most so long while another thread computes.
        sys.setswitchinterval(0.001)
        updating = asyncio.run(_run(settings, supervisor))
        launched = launched_by(os.environ)
        if updating and launched is not None:
            supervisor.hand_over(os.environ)
            again(launched)  # also where nothing could be written: the same version goes on then
    except SettingsInvalid as error:
        sys.stderr.write(f"farmhand-agent: {error}\n")
        return _unless_on_trial(EXIT_SETTINGS)
    except JournalDamaged as error:
        sys.stderr.write(f"farmhand-agent: {error}\n")
        return _unless_on_trial(EXIT_JOURNAL)
    return 0


def _unless_on_trial(code: int) -> int:
    """Return a code after which nobody starts us again; who is on trial is to be gone back from."""
    launched = launched_by(os.environ)
    on_trial = launched is not None and launching.read(Path(launched.state_dir)).trial == build()
    return EXIT_ON_TRIAL if on_trial else code


def _ready(arguments: Sequence[str]) -> int:
    """Say which version this is, and which form of the journal it writes, if it could run so.

    An update asks this of a version before it is put on trial.
    """
    from agent.journal import SCHEMA_VERSION
    from agent.printers.registry import open_driver  # noqa: F401  # loaded with the first printer

    try:
        load(arguments)
    except SettingsInvalid as error:
        sys.stderr.write(f"farmhand-agent: {error}\n")
        return EXIT_SETTINGS
    sys.stdout.write(f"farmhand-agent {build()} journal {SCHEMA_VERSION}\n")
    return 0


def _discover(arguments: Sequence[str]) -> int:
    """Look for printers, as the arguments say."""
    from agent.discover import discover

    parser = argparse.ArgumentParser(prog="farmhand-agent discover")
    parser.add_argument("port", nargs="*", help="look only on these serial ports")
    parser.add_argument(
        "--interface", action="append", default=[], metavar="ADDRESS",
        help="look for hosts only on the network with this address of ours",
    )  # fmt: skip
    parser.add_argument(
        "--skip", action="append", default=[], metavar="PORT", help="leave this port alone"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    wanted = parser.parse_args(arguments)
    return discover(
        wanted.port,
        _print,
        interfaces=wanted.interface,
        skip=wanted.skip,
        as_json=wanted.json,
    )


def _check(arguments: Sequence[str]) -> int:
    """Try each printer, as whom the agent runs as."""
    from agent.check import check
    from agent.step_down import step_down

    timeout_s, flags = _timeout_s(arguments, default_s=60.0)
    settings = _settings(flags, quiet=True)
    step_down(settings.state_dir)
    return asyncio.run(check(settings, timeout_s=timeout_s, say=_print))


def _settings(arguments: Sequence[str], *, quiet: bool = False) -> AgentSettings:
    """Return the settings, with logs set up by them; `quiet` leaves the words to a command."""
    settings = with_added(with_identity(load(arguments)))
    secrets = (settings.token, settings.mqtt_password, settings.enroll_token)
    configure(
        log_format=settings.log_format,
        log_level="error" if quiet else settings.log_level,
        secrets=[secret.get_secret_value() for secret in secrets],
    )
    return settings


def _timeout_s(
    arguments: Sequence[str], *, default_s: float = math.inf
) -> tuple[float, Sequence[str]]:
    """Return `--timeout SECONDS` and the other arguments."""
    parser = argparse.ArgumentParser(prog="farmhand-agent", add_help=False, allow_abbrev=False)
    parser.add_argument("--timeout", type=float, default=default_s, metavar="SECONDS")
    known, others = parser.parse_known_args(arguments)
    return known.timeout, others


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _run(settings: AgentSettings, supervisor: Supervisor) -> bool:
    """Run until a signal; what prints goes on, as far as its printer can by itself.

    SIGUSR1 drains: nothing new is taken, and the end comes once nothing prints. Returns whether
    another version is to go on now; who had it drained, or stopped, did not mean that.
    """
    from agent.printers.registry import open_driver

    agent = App(settings, open_driver, supervisor)
    app = asyncio.create_task(agent.run(), name="app")
    drained = asyncio.create_task(agent.drain.empty.wait(), name="drained")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, app.cancel)
    loop.add_signal_handler(signal.SIGUSR1, agent.drain.ask)
    await asyncio.wait((app, drained), return_when=asyncio.FIRST_COMPLETED)
    updating = agent.updates.due and not agent.drain.asked and not app.done()
    if not updating:  # who becomes another version goes on, for whoever supervises it
        supervisor.stopping()
    for task in (drained, app):
        task.cancel()
    await asyncio.wait((app,))
    if not app.cancelled():
        app.result()
    if updating:
        agent.updates.hand_over()
    return updating


if __name__ == "__main__":
    sys.exit(main())
