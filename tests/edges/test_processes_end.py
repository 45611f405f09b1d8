"""SIGTERM: every process ends in time and with 0, also while it prints, and leaves no orphan."""

import json
import socket
from pathlib import Path

from tests.fakes.processes import (
    coordinator,
    descendants,
    ended,
    run,
    started,
    stop,
    until,
)

# What a person at a terminal waits for without a second Ctrl-C.
END_S = 2.0
BARN = Path(__file__).parents[2] / "configs" / "dev" / "barn.stl"
MOVES = "".join(f"G1 X{10 + n % 90} Y{20 + n % 70} F600\n" for n in range(5000))
LONG_PLATE = f"M104 S200\nG28\n{MOVES}G1 X1 Y1 E1\n"


def ask(control: Path, line: str) -> str:
    """Say a line to a simulated printer's control socket and return the answer."""
    with socket.socket(socket.AF_UNIX) as talk:
        talk.connect(str(control))
        talk.sendall(line.encode() + b"\n")
        return talk.makefile().readline()


def test_all_end_in_time_while_a_plate_prints_and_the_print_goes_no_further(
    tmp_path: Path,
) -> None:
    port, control, log = tmp_path / "port", tmp_path / "control", tmp_path / "executed.log"
    plate = tmp_path / "plate.gcode"
    plate.write_text(LONG_PLATE)
    flags = ("--pty", port, "--control", control, "--log", log)
    config = tmp_path / "agent.toml"
    with (
        coordinator(tmp_path / "s") as farm,
        started("agent.simulator", *flags, log=tmp_path / "printer.log") as printer,
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
            until(lambda: farm.jobs()[0]["state"] == "printing", "the print to start")
            until(lambda: log.read_text().count("G1") > 20, "the first moves")
            children = descendants(farm.process.pid)
            assert children, "the broker"
            assert stop(agent, within_s=END_S) == 0
            # The board lives on, and executes what it has in its buffers, and no more.
            status = json.loads(ask(control, "status"))
            assert status["state"] != "halted"
            assert log.read_text().count("G1") < 5000
            assert stop(farm.process, within_s=END_S) == 0
            assert stop(printer, within_s=END_S) == 0
        until(lambda: ended(children), "its children to be gone")
        assert not port.is_symlink()
        assert not control.exists()
        assert not (farm.folder / "coordinator.json").exists()
    for words in tmp_path.glob("*.log"):
        assert "Traceback" not in words.read_text(), words


def test_a_coordinator_that_slices_ends_in_time_with_its_slicer_and_begins_anew(
    tmp_path: Path,
) -> None:
    with coordinator(tmp_path / "s") as farm:
        wish = ("--class", "farmhand-220", "--material", "PLA", "--quality", "fine")
        job_id = farm.farmhand("job", "submit", BARN, *wish, "--json").json["id"]
        # The broker, the slicing process and the slicer.
        children = until(
            lambda: found if len(found := descendants(farm.process.pid)) > 2 else None, "the slicer"
        )
        assert stop(farm.process, within_s=END_S) == 0
        # They are killed by now; whoever inherited them may take a moment to notice.
        until(lambda: ended(children), "the slicer to be gone")
    with coordinator(tmp_path / "s") as farm:
        until(lambda: farm.ask(f"jobs/{job_id}")[1]["plates"], "it to be sliced")
        staging = farm.folder / "artifacts" / ".staging"
        assert list(staging.iterdir()) == []


def test_a_killed_coordinator_takes_its_broker_along(tmp_path: Path) -> None:
    with coordinator(tmp_path / "s") as farm:
        children = descendants(farm.process.pid)
        farm.process.kill()
        farm.process.wait()
        until(lambda: ended(children), "the broker to end")


def test_help_names_every_setting_and_says_how_to_name_a_file() -> None:
    for module in ("coordinator", "agent", "agent.simulator"):
        shown = run(module, "--help")
        assert (shown.code, shown.err) == (0, "")
        assert "--config" in shown.out
        for inside in ("factory", "SecretStr", "(default: )", "None", "null"):
            assert inside not in shown.out, f"{module}: {inside}"
    assert "--state-dir" in run("coordinator.cli.main", "coordinator", "--help").out
