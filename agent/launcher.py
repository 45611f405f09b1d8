"""The program `farmhand-agent`: it starts the version of the agent that is current here.

What was installed by other means runs in this very process; any other version takes its place
(`exec`), so that a service manager sees one process, whichever version runs. A version on trial is
given an alarm of the kernel's, which goes on through `exec`: one that hangs is ended, whatever it
does. What ends is begun again by the service manager, and this finds out by the count of starts
that it has to go back. Only the standard library, so that it costs no time and needs no release.
"""

import json
import os
import signal
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path

from agent import launching

# Handed from launcher to agent: how this was started, to be started so again.
VARIABLE = "FARMHAND_LAUNCHED"

# Of the agent that systemd runs (systemd/farmhand-agent.service).
SERVICE_STATE = Path("/var/lib/farmhand/agent")
CONFIG_PLACES = ("agent.toml", "~/.config/farmhand/agent.toml", "/etc/farmhand/agent.toml")
# As for wrong settings: a person has to mend it, and no service manager tries it again.
EXIT_LACKS = 2
_ANSWERS = frozenset({"--drain", "--ready", "--version", "--help", "-h"})
VERBS = frozenset({"check", "discover", "doctor", "enroll", "octoprint-key"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """How the launcher was started.

    Attributes:
        state_dir: where it looked for versions.
        installed: the version that the launcher itself is of.
        command: its program with all `arguments`, which are told apart as well.
        python_path: the variable PYTHONPATH as it was; None where it was not set.
    """

    state_dir: str
    installed: str
    command: tuple[str, ...]
    arguments: tuple[str, ...]
    python_path: str | None


def main() -> int:
    """Start the version that is current; returns what the agent returns, if it runs in here."""
    arguments, variables = verb_first(sys.argv[1:]), os.environ
    state_dir = state_dir_of(arguments, variables)
    launched = Launched(
        state_dir=str(state_dir),
        installed=_installed(),
        command=(sys.executable, *sys.orig_argv[1:]),
        arguments=tuple(arguments),
        python_path=variables.get("PYTHONPATH"),
    )
    variables[VARIABLE] = _said(launched)
    if not _is_ours(state_dir):
        version = launching.INSTALLED
    elif runs(arguments):
        version = _begin(state_dir, launched.installed)
    else:
        version = launching.read(state_dir).current
    if version != launching.INSTALLED and launching.is_whole(state_dir, version):
        home = str(launching.home_of(state_dir, version))
        paths = [home, *filter(None, [launched.python_path])]
        os.execve(
            sys.executable,
            [sys.executable, "-P", "-m", "agent", *arguments],
            {**variables, "PYTHONPATH": os.pathsep.join(paths)},
        )
    try:
        from agent.__main__ import main as run
    except ModuleNotFoundError as error:
        return _lacks(error)
    return run(arguments)


def _lacks(error: ModuleNotFoundError) -> int:
    """Say what to install where a library is not there; a part of our own is a fault of ours."""
    if str(error.name).partition(".")[0] in ("agent", "protocols"):
        raise error
    sys.stderr.write(
        f"farmhand-agent: {error.name} is not installed here; pip install 'farmhand[agent]' "
        "brings all it needs\n"
    )
    return EXIT_LACKS


def _begin(state_dir: Path, installed: str) -> str:
    """Return which version is to run, written down as started; an alarm is set for a trial."""
    standing = launching.read(state_dir)
    launch = launching.launch(standing, installed=installed)
    if not launching.is_whole(state_dir, launch.version):
        told = launching.Told(
            version=launch.version, phase="rolled_back", words="its files are not there"
        )
        launch = launching.Launch(
            standing=launching.Standing(told=told), version=launching.INSTALLED
        )
    if launch.standing != standing:
        try:
            if standing.journal_kept and launch.version != standing.trial:
                launching.bring_journal_back(state_dir)
            launching.write(state_dir, launch.standing)
        except OSError as error:
            # Uncounted, a trial could go on for ever; on a full card what is current still prints.
            sys.stderr.write(f"farmhand-agent: {state_dir}: {error.strerror}\n")
            return standing.current
    if launch.within_s is not None:
        signal.alarm(max(1, int(launch.within_s)))
    return launch.version


def _is_ours(state_dir: Path) -> bool:
    """Whether what lies there may run as who we are: an administrator runs nobody else's code."""
    try:
        return (state_dir / launching.FOLDER).stat().st_uid == os.geteuid()
    except OSError:
        return False


def runs(arguments: Sequence[str]) -> bool:
    """Whether these arguments start an agent, and not one of its commands."""
    is_command = bool(arguments) and not arguments[0].startswith("-")
    return not is_command and not _ANSWERS & set(arguments)


def verb_first(arguments: Sequence[str]) -> list[str]:
    """Return arguments with the verb before settings that stood before it: `--config X check`."""
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        has_value = "=" not in arguments[at] and arguments[at] not in _ANSWERS
        at += 2 if has_value else 1
    if at >= len(arguments) or arguments[at] not in VERBS:
        return list(arguments)
    return [*arguments[at:], *arguments[:at]]


def state_dir_of(arguments: Sequence[str], variables: Mapping[str, str]) -> Path:
    """Return the state folder as the agent's own settings would, from where it mostly stands.

    A flag, a variable, the TOML file, the default. The agent refuses updates where it finds
    another, as in `.env`.
    """
    given = _flag(arguments, "--state-dir") or variables.get("FARMHAND_AGENT_STATE_DIR", "")
    if not given:
        given = _from_file(_flag(arguments, "--config"))
    if not given:
        given = variables.get("STATE_DIRECTORY", "").split(":")[0]
    if not given and os.geteuid() == 0 and SERVICE_STATE.is_dir():
        return SERVICE_STATE  # an administrator means the service
    return Path(given) if given else Path.home() / ".local/state/farmhand-agent"


def launched_by(variables: Mapping[str, str]) -> Launched | None:
    """Return how the launcher of this process was started; None where there was none."""
    try:
        said = json.loads(variables[VARIABLE])
        lists = {name: tuple(said[name]) for name in ("command", "arguments")}
        return Launched(**{**said, **lists})
    except (KeyError, TypeError, ValueError):
        return None


def again(launched: Launched) -> None:
    """Become the launcher anew; it looks for itself what is current now."""
    variables = {name: value for name, value in os.environ.items() if name != VARIABLE}
    variables.pop("PYTHONPATH", None)
    if launched.python_path is not None:
        variables["PYTHONPATH"] = launched.python_path
    os.execve(launched.command[0], list(launched.command), variables)


def _said(launched: Launched) -> str:
    return json.dumps(asdict(launched))


def _installed() -> str:
    try:
        return version_of("farmhand")
    except PackageNotFoundError:
        return ""


def _flag(arguments: Sequence[str], name: str) -> str:
    for index, argument in enumerate(arguments):
        if argument == name and index + 1 < len(arguments):
            return arguments[index + 1]
        if argument.startswith(f"{name}="):
            return argument.partition("=")[2]
    return ""


def _from_file(config: str) -> str:
    places = [Path(config)] if config else [Path(place).expanduser() for place in CONFIG_PLACES]
    for path in places:
        try:
            return str(tomllib.loads(path.read_text()).get("state_dir", ""))
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            return ""  # the agent itself says what is wrong with it
    return ""


if __name__ == "__main__":
    sys.exit(main())
