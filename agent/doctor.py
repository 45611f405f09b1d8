"""The command `farmhand-agent doctor`: what is wrong with this machine, and what mends it.

It looks whether or not the agent runs, changes nothing and opens no port. Printers themselves are
tried by `farmhand-agent check`.
"""

import argparse
import asyncio
import json
import platform
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from agent import doctor_farm, doctor_machine
from agent.added import with_added
from agent.app import build
from agent.doctor_machine import Account
from agent.errors import SettingsInvalid
from agent.host import Host
from agent.identity import with_identity
from agent.logs import configure
from agent.printers.serial_port import find_ports
from agent.running import Running, look
from agent.settings import AgentSettings, load
from protocols.diagnosis import Finding, Level, fail, ok, warn

EXIT_NOTHING_FAILS = 0
EXIT_SOMETHING_FAILS = 1


def doctor(arguments: Sequence[str], say: Callable[[str], None]) -> int:
    """Look at everything and say a line about each; returns one of the exit codes.

    Args:
        arguments: `--json`, and settings as flags.
        say: takes one line.
    """
    parser = argparse.ArgumentParser(
        prog="farmhand-agent doctor",
        description="Look for what is wrong with this machine. Other flags are settings: --config, "
        "--state-dir ... Printers are tried by `farmhand-agent check`.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    wanted, flags = parser.parse_known_args(arguments)
    configure(log_format="console", log_level="critical", secrets=[])
    return asyncio.run(_said(flags, say, as_json=wanted.json))


async def _said(flags: Sequence[str], say: Callable[[str], None], *, as_json: bool) -> int:
    failed = False
    async for finding in examine(flags):
        failed |= finding.level is Level.FAIL
        for line in [json.dumps(asdict(finding))] if as_json else lines_of(finding):
            say(line)
    return EXIT_SOMETHING_FAILS if failed else EXIT_NOTHING_FAILS


def lines_of(finding: Finding) -> list[str]:
    """Return a finding as a person reads it."""
    lines = [f"{finding.level.value:<5}{finding.about}: {finding.words}"]
    return lines + ([f"     -> {finding.mend}"] if finding.mend else [])


async def examine(flags: Sequence[str], *, root: Path = Path("/")) -> AsyncIterator[Finding]:
    """Yield what there is to be found, as it is found.

    Args:
        flags: settings, as for `settings.load`.
        root: where /sys, /proc and /etc are.
    """
    try:
        settings = with_added(with_identity(load(flags)))
    except SettingsInvalid as error:
        yield fail("settings", str(error), "mend what it names, in /etc/farmhand/agent.toml")
        return
    machine = f"Python {platform.python_version()}, {platform.machine()}, {platform.platform()}"
    yield ok("machine", machine)
    agent = _running(settings)
    yield _itself(settings, agent)
    account = Account.owning(settings.state_dir)
    wanted = {
        printer.id: str(port)
        for printer in settings.printers
        if str(port := printer.settings.get("port", "")).startswith("/dev/")
    }
    ports = [device for device, _ in find_ports()]
    pid = agent.pid if agent is not None else None
    for finding in doctor_machine.serial_ports(ports, wanted, account, agent_pid=pid):
        yield finding
    yield doctor_machine.pump()
    for finding in doctor_machine.grabbers(root):
        yield finding
    for finding in doctor_machine.supply(await Host(settings.state_dir, root=root).look()):
        yield finding
    for finding in doctor_machine.card(settings.state_dir, account):
        yield finding
    yield await asyncio.to_thread(doctor_machine.clock)
    yield doctor_farm.enrolment(settings)
    for finding in await asyncio.to_thread(lambda: list(doctor_farm.coordinator(settings))):
        yield finding
    yield await doctor_farm.broker(settings, agent_runs=agent is not None)


def _running(settings: AgentSettings) -> Running | None:
    try:
        return look(settings.state_dir)[0]
    except OSError:
        return None


def _itself(settings: AgentSettings, agent: Running | None) -> Finding:
    printers = f"{len(settings.printers)} printers"
    if agent is not None:
        return ok("agent", f"{build()} runs (process {agent.pid}), {printers}")
    words = f"{build()} does not run with {settings.state_dir}; {printers}"
    return warn("agent", words, "sudo systemctl start farmhand-agent")
