"""A real farm with one printer: coordinator, agent and simulator, each a process of its own."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

from tests.fakes.processes import Coordinator, coordinator, started, until
from tests.proofs.crash import is_own


@dataclass
class Place:
    """A farm with one printer, and a plate that prints there."""

    folder: Path
    farm: Coordinator

    @property
    def config(self) -> Path:
        """The agent's settings."""
        return self.folder / "agent.toml"

    @contextmanager
    def agent(self, more: str = "") -> Iterator["Popen[bytes]"]:
        """Run the agent; `more` is what else is set of its printer."""
        self.config.write_text(
            f'agent_id = "pi-1"\nstate_dir = "{self.folder}/agent"\n'
            f'mqtt_url = "{self.farm.facts["mqtt_url"]}"\ncoordinator_url = "{self.farm.url}"\n'
            '[[printers]]\nid = "p1"\nprinter_class = "farmhand-220"\nmaterial = "PLA"\n'
            f'settings = {{ port = "{self.folder}/port" }}\n{more}\n'
        )
        token = {"FARMHAND_AGENT_TOKEN": self.farm.token}
        log = self.folder / "agent.log"
        with started("agent", "--config", self.config, log=log, **token) as agent:
            yield agent

    def executed(self) -> list[str]:
        """Return what the printer executed, but for what agents say on their own account."""
        log = self.folder / "executed.log"
        lines = log.read_text().splitlines() if log.exists() else []
        commands = [line.partition("\t")[2] for line in lines]
        return [command for command in commands if command and not is_own(command)]

    def clear_bed(self) -> None:
        """Declare the bed clear, once the printer is there."""
        clear = "printers/p1/clear"
        until(lambda: self.farm.ask(clear, method="POST")[0] == 200, "the printer")

    def printer(self) -> dict[str, Any]:
        """Return what the coordinator tells of the printer."""
        document: dict[str, Any] = self.farm.ask("printers/p1")[1]
        return document

    def print_some(self, plate: Path) -> None:
        """Have a plate printed, and return in the midst of it."""
        self.clear_bed()
        self.farm.farmhand("job", "submit", plate)
        until(lambda: len(self.executed()) > 20, "the first moves")


@contextmanager
def one_printer_farm(
    folder: Path, *printer_flags: str | Path, settings: Mapping[str, str] = {}
) -> Iterator[Place]:
    """Run coordinator and simulator; the agent comes and goes with `Place.agent`.

    Args:
        settings: of the coordinator, as its environment has them.
    """
    flags = ("--pty", folder / "port", "--log", folder / "executed.log", "--speed", "20")
    with ExitStack() as stack:
        farm = stack.enter_context(coordinator(folder / "s", **settings))
        stack.enter_context(
            started("agent.simulator", *flags, *printer_flags, log=folder / "printer.log")
        )
        yield Place(folder, farm)
