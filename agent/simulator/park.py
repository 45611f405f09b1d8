"""`python -m agent.simulator.park`: an agent with simulated printers, all in one process.

What a coordinator starts for a person who wants to try the farm without a printer. The agent is the
real one, and talks to the printers over pseudo-terminals as to any others.
"""

import argparse
import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import cast

# structlog loads rich for prettier tracebacks where it is installed.
sys.modules.setdefault("rich", cast(ModuleType, None))

from agent.app import App as Agent  # noqa: E402
from agent.enroll_command import enrol_at_first_start  # noqa: E402
from agent.errors import SettingsInvalid  # noqa: E402
from agent.identity import with_identity  # noqa: E402
from agent.logs import configure  # noqa: E402
from agent.printers.registry import open_driver  # noqa: E402
from agent.settings import AgentSettings, PrinterSettings, load  # noqa: E402
from agent.simulator.app import App as Simulated  # noqa: E402
from agent.simulator.settings import PrinterSettings as SimulatedSettings  # noqa: E402
from agent.supervisor import Supervisor  # noqa: E402

PRINTERS_MAX = 6
SPEED_MAX = 200.0
AGENT_ID = "simulated"
PRINTER_CLASS = "farmhand-220"
MATERIAL = "PLA"
# Below the coordinator itself: what is simulated may be late.
_NICENESS = 5
_CACHE_BYTES_MAX = 256 * 1024 * 1024
_PR_SET_PDEATHSIG = 1  # prctl(2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal, or the death of the process that started this one.

    The token to enrol with comes from the environment, as every agent's.

    Returns:
        0 after a signal, 2 where it can't run; the reason is on stderr.
    """
    parser = argparse.ArgumentParser(prog="farmhand-park", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="ports, journal and plates")
    parser.add_argument("--printers", type=int, default=3, choices=range(1, PRINTERS_MAX + 1))
    parser.add_argument("--speed", type=float, default=30.0, help="times as fast as real ones")
    parser.add_argument("--parent", type=int, default=0, help="process to end with")
    given = parser.parse_args(arguments)
    _end_with(given.parent)
    os.nice(_NICENESS)
    folder: Path = given.folder
    try:
        settings = _agent_settings(folder)
        enrol_at_first_start(settings, Supervisor())
        settings = with_identity(settings)
        configure(log_format="json", log_level="info", secrets=_secrets(settings))
        speed = min(max(given.speed, 0.1), SPEED_MAX)
        asyncio.run(_run(settings, folder / "ports", given.printers, speed))
    except (SettingsInvalid, OSError) as error:
        sys.stderr.write(f"farmhand-park: {error}\n")
        return 2
    return 0


async def _run(settings: AgentSettings, ports: Path, count: int, speed: float) -> None:
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for asked in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(asked, stopped.set)
    async with asyncio.TaskGroup() as tasks:
        described = []
        for number in range(1, count + 1):
            port, camera = ports / f"{number}", ports / f"{number}.camera"
            made = Simulated(SimulatedSettings(pty=port, camera=camera, speed=speed, seed=number))
            ready = asyncio.Event()
            tasks.create_task(made.serve(stopped, ready.set), name=f"simulated {number}")
            await ready.wait()
            described.append(_described(number, port, camera))
        agent = Agent(settings.model_copy(update={"printers": described}), open_driver)
        running = tasks.create_task(agent.run(), name="agent")
        await stopped.wait()
        running.cancel()


def _described(number: int, port: Path, camera: Path) -> PrinterSettings:
    return PrinterSettings(
        id=f"{AGENT_ID}-{number}",
        name=f"Demo {number}",
        printer_class=PRINTER_CLASS,
        material=MATERIAL,
        camera=camera.read_text().strip(),
        settings={"port": str(port)},
    )


def _agent_settings(folder: Path) -> AgentSettings:
    flags = ["--agent-id", AGENT_ID, "--state-dir", str(folder / "agent")]
    return load([*flags, "--cache-bytes-max", str(_CACHE_BYTES_MAX)])


def _secrets(settings: AgentSettings) -> list[str]:
    told = (settings.token, settings.mqtt_password, settings.enroll_token)
    return [secret.get_secret_value() for secret in told]


def _end_with(parent: int) -> None:
    """Have the kernel end us with the process that started us; Linux only."""
    if not parent or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before we could ask
        sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
