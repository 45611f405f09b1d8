"""SIGUSR1 drains a real agent: what prints is printed to its end, nothing new begins."""

import signal
from pathlib import Path

from tests.fakes.processes import coordinator, started, until

END_S = 60.0
MOVES = "".join(f"G1 X{10 + n % 90} Y{20 + n % 70} F6000\n" for n in range(100))
DWELL = "G4 S250\n"  # of the printer's time, 20 times as fast: time to ask for the reason


def test_an_agent_that_is_drained_ends_after_its_print_and_the_next_job_says_why(
    tmp_path: Path,
) -> None:
    port, log = tmp_path / "port", tmp_path / "executed.log"
    plate, config = tmp_path / "plate.gcode", tmp_path / "agent.toml"
    plate.write_text(f"G28\n{MOVES}{DWELL}{MOVES}G1 X1 Y1\n")
    flags = ("--pty", port, "--log", log, "--speed", "20")
    with (
        coordinator(tmp_path / "s") as farm,
        started("agent.simulator", *flags, log=tmp_path / "printer.log"),
    ):
        config.write_text(
            f'agent_id = "pi-1"\nstate_dir = "{tmp_path}/agent"\n'
            f'mqtt_url = "{farm.facts["mqtt_url"]}"\ncoordinator_url = "{farm.url}"\n'
            '[[printers]]\nid = "p1"\nprinter_class = "farmhand-220"\nmaterial = "PLA"\n'
            f'settings = {{ port = "{port}" }}\n'
        )
        token = {"FARMHAND_AGENT_TOKEN": farm.token}
        with started("agent", "--config", config, log=tmp_path / "agent.log", **token) as agent:
            until(lambda: farm.ask("printers/p1/clear", method="POST")[0] == 200, "the printer")
            farm.farmhand("job", "submit", plate)
            until(lambda: log.read_text().count("G1") > 20, "the first moves")
            agent.send_signal(signal.SIGUSR1)
            job_id = farm.farmhand("job", "submit", plate, "--json").json["id"]
            why = f"jobs/{job_id}/why"
            until(lambda: "drained" in str(farm.ask(why)[1]), "the reason")
            assert agent.wait(END_S) == 0
            states = [job["state"] for job in farm.jobs()]
            assert states == ["finished", "ready"], (tmp_path / "agent.log").read_text()
    assert log.read_text().count("G1 X1 Y1") == 1
