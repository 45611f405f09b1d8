"""A real agent that is ended in the middle of a print: neither way does the print any harm.

SIGTERM leaves the print to the next start, which goes on with the very next line. `--drain` waits:
what prints is printed to its end, and nothing new begins.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from protocols.gcode.program import read_program
from tests.fakes.one_printer_farm import one_printer_farm
from tests.fakes.processes import Ended, run, stop, until
from tests.proofs.crash import difference

END_S = 60.0
MOVES = "".join(f"G1 X{10 + n % 90} Y{20 + n % 70} F6000\n" for n in range(100))
DWELL = "G4 S400\n"  # of the printer's time, 20 times as fast: time to ask for the reason
PLATE = f"M104 S200\nG28\n{MOVES}{DWELL}{MOVES}G1 X1 Y1 E1\n"


def plate_in(folder: Path) -> Path:
    plate = folder / "plate.gcode"
    plate.write_text(PLATE)
    return plate


@pytest.mark.slow
def test_an_agent_that_is_ended_and_begun_again_prints_on_with_the_next_line(
    tmp_path: Path,
) -> None:
    with one_printer_farm(tmp_path) as here:
        with here.agent() as agent:
            here.print_some(plate_in(tmp_path))
            assert stop(agent, within_s=END_S) == 0
        assert here.farm.jobs()[0]["state"] == "printing"
        with here.agent():
            until(lambda: here.farm.jobs()[0]["state"] == "finished", "the end of the print")
    plate = read_program(PLATE.encode().splitlines(keepends=True))
    assert difference([item.command for item in plate], here.executed()) == ""


def drain(config: Path, *flags: str) -> Ended:
    return run("agent", "--config", config, "--drain", *flags)


def test_an_agent_that_is_drained_ends_after_its_print_and_the_next_job_says_why(
    tmp_path: Path,
) -> None:
    with (
        one_printer_farm(tmp_path) as here,
        here.agent() as agent,
        ThreadPoolExecutor() as threads,
    ):
        here.print_some(plate_in(tmp_path))
        waiting = threads.submit(drain, here.config, "--timeout", "60")
        impatient = drain(here.config, "--timeout", "0")
        assert (impatient.code, "still prints" in impatient.out) == (4, True)
        job_id = here.farm.farmhand("job", "submit", tmp_path / "plate.gcode", "--json").json["id"]
        why = f"jobs/{job_id}/why"
        until(lambda: "drained" in str(here.farm.ask(why)[1]), "the reason")
        patient = waiting.result(END_S)
        assert patient.code == 0, patient
        assert re.search(r"printing: p1 at \d+%\n", patient.out)
        assert agent.wait(END_S) == 0
        states = [job["state"] for job in here.farm.jobs()]
        assert states == ["finished", "ready"], (tmp_path / "agent.log").read_text()
        assert drain(here.config).code == 5, "no agent runs any more"
    assert here.executed().count("G1 X1 Y1 E1") == 1
