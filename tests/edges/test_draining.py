"""A real agent that is ended in the middle of a print: neither way does the print any harm.

SIGTERM leaves the print to the next start, which goes on with the very next line. SIGUSR1 drains:
what prints is printed to its end, and nothing new begins.
"""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from protocols.gcode.program import read_program
from tests.fakes.processes import Coordinator, coordinator, started, stop, until
from tests.proofs.crash import difference, is_own

END_S = 60.0
MOVES = "".join(f"G1 X{10 + n % 90} Y{20 + n % 70} F6000\n" for n in range(100))
DWELL = "G4 S250\n"  # of the printer's time, 20 times as fast: time to ask for the reason
PLATE = f"G28\n{MOVES}{DWELL}{MOVES}G1 X1 Y1\n"


@dataclass
class Place:
    """A farm with one printer, and a plate that prints there."""

    folder: Path
    farm: Coordinator
    plate: Path

    @contextmanager
    def agent(self) -> Iterator["Popen[bytes]"]:
        config = self.folder / "agent.toml"
        config.write_text(
            f'agent_id = "pi-1"\nstate_dir = "{self.folder}/agent"\n'
            f'mqtt_url = "{self.farm.facts["mqtt_url"]}"\ncoordinator_url = "{self.farm.url}"\n'
            '[[printers]]\nid = "p1"\nprinter_class = "farmhand-220"\nmaterial = "PLA"\n'
            f'settings = {{ port = "{self.folder}/port" }}\n'
        )
        token = {"FARMHAND_AGENT_TOKEN": self.farm.token}
        log = self.folder / "agent.log"
        with started("agent", "--config", config, log=log, **token) as agent:
            yield agent

    def executed(self) -> list[str]:
        """Return what the printer executed, but for what agents say on their own account."""
        log = self.folder / "executed.log"
        lines = log.read_text().splitlines() if log.exists() else []
        commands = [line.partition("\t")[2] for line in lines]
        return [command for command in commands if command and not is_own(command)]

    def print_some(self) -> None:
        """Have the plate printed, and return in the midst of it."""
        clear = "printers/p1/clear"
        until(lambda: self.farm.ask(clear, method="POST")[0] == 200, "the printer")
        self.farm.farmhand("job", "submit", self.plate)
        until(lambda: len(self.executed()) > 20, "the first moves")


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    plate = folder / "plate.gcode"
    plate.write_text(PLATE)
    flags = ("--pty", folder / "port", "--log", folder / "executed.log", "--speed", "20")
    with ExitStack() as stack:
        farm = stack.enter_context(coordinator(folder / "s"))
        stack.enter_context(started("agent.simulator", *flags, log=folder / "printer.log"))
        yield Place(folder, farm, plate)


def test_an_agent_that_is_ended_and_begun_again_prints_on_with_the_next_line(
    tmp_path: Path,
) -> None:
    with place(tmp_path) as here:
        with here.agent() as agent:
            here.print_some()
            assert stop(agent, within_s=END_S) == 0
        assert here.farm.jobs()[0]["state"] == "printing"
        with here.agent():
            until(lambda: here.farm.jobs()[0]["state"] == "finished", "the end of the print")
    plate = read_program(PLATE.encode().splitlines(keepends=True))
    assert difference([item.command for item in plate], here.executed()) == ""


def test_an_agent_that_is_drained_ends_after_its_print_and_the_next_job_says_why(
    tmp_path: Path,
) -> None:
    with place(tmp_path) as here, here.agent() as agent:
        here.print_some()
        agent.send_signal(signal.SIGUSR1)
        job_id = here.farm.farmhand("job", "submit", here.plate, "--json").json["id"]
        why = f"jobs/{job_id}/why"
        until(lambda: "drained" in str(here.farm.ask(why)[1]), "the reason")
        assert agent.wait(END_S) == 0
        states = [job["state"] for job in here.farm.jobs()]
        assert states == ["finished", "ready"], (tmp_path / "agent.log").read_text()
    assert here.executed().count("G1 X1 Y1") == 1
