"""An agent or a simulated printer told wrong things, and an agent that can't get its plates."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.fakes.processes import Coordinator, coordinator, run, started, until

AGENT, PRINTER = "farmhand-agent", "farmhand-printer"


def table(**changes: str) -> str:
    """Return an agent's file with one printer."""
    keys = {"id": "p1", "printer_class": "farmhand-220", "driver": "marlin_serial", **changes}
    return "[[printers]]\n" + "".join(f'{key} = "{value}"\n' for key, value in keys.items())


WRONG_FILES = {
    "unknown key": ('agentid = "x"\n', "agentid"),
    "unknown key of a printer": (table(colour="red"), "printers.0.colour"),
    "unknown driver": (table(driver="teletype"), "marlin_serial"),
    "unknown setting of a driver": (table() + 'settings = { prot = "/dev/x" }\n', "'prot'"),
    "no port": (table(), "port"),
    "no broker's address": ('mqtt_url = "http://x"\n', "mqtt_url"),
    "no TOML": ("agent_id\n", "no TOML"),
}


@pytest.mark.parametrize(("text", "words"), WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_wrong_file_is_named_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(text)
    ended = run("agent", "--config", config, "--state-dir", tmp_path / "state")
    assert ended.code == 2
    assert words in ended.sentence(AGENT)
    assert not (tmp_path / "state").exists()


def test_a_journal_of_a_newer_agent_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as journal:
        journal.execute("PRAGMA user_version = 99")
    ended = run("agent", "--state-dir", tmp_path)
    assert ended.code == 3
    assert "version 99" in ended.sentence(AGENT)
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as journal:
        assert journal.execute("PRAGMA user_version").fetchone() == (99,)
        assert journal.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_a_state_folder_that_can_not_be_made_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run("agent", "--state-dir", tmp_path / "file" / "state")
    assert ended.code == 3
    assert "set state_dir" in ended.sentence(AGENT)


def test_a_printer_that_would_take_the_place_of_a_file_leaves_it(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("thesis")
    ended = run("agent.simulator", "--pty", precious)
    assert ended.code == 1
    assert str(precious) in ended.sentence(PRINTER)
    assert precious.read_text() == "thesis"


def test_a_control_socket_that_can_not_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run("agent.simulator", "--tcp", "0", "--control", tmp_path / "file" / "socket")
    assert ended.code == 1
    assert str(tmp_path / "file") in ended.sentence(PRINTER)


def test_a_printer_on_a_taken_port_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        ended = run("agent.simulator", "--tcp", str(other.getsockname()[1]))
    assert ended.code == 1
    assert "in use" in ended.sentence(PRINTER)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ((), "--pty LINK"),
        (("--tcp", "70000"), "PORT"),
        (("--tcp", "0", "--fault", "dance"), "lose_ok"),
    ],
)
def test_a_printer_with_wrong_settings_ends_with_2(flags: tuple[str, ...], words: str) -> None:
    ended = run("agent.simulator", *flags)
    assert ended.code == 2
    assert words in ended.sentence(PRINTER)


@contextmanager
def agent_at(farm: Coordinator, folder: Path, port: Path, **settings: str) -> Iterator[None]:
    """Run an agent with one printer on a port."""
    given = {"mqtt_url": farm.facts["mqtt_url"], "coordinator_url": farm.url, **settings}
    head = "".join(f'{key} = "{value}"\n' for key, value in given.items())
    config = folder / "agent.toml"
    config.write_text(
        f'agent_id = "pi-1"\nstate_dir = "{folder}/agent"\n{head}'
        + table(material="PLA")
        + f'settings = {{ port = "{port}" }}\n'
    )
    with started("agent", "--config", config, log=folder / "agent.log"):
        yield


def order(farm: Coordinator, folder: Path) -> str:
    """Declare the bed clear, send a plate, and return the job's id."""
    plate = folder / "plate.gcode"
    plate.write_text("G28\nM104 S200\nG1 X10 E1\n")
    until(lambda: farm.ask("printers/p1/clear", method="POST")[0] == 200, "the printer to appear")
    return str(farm.farmhand("job", "submit", plate, "--json").json["id"])


def test_a_port_that_does_not_exist_shows_at_the_printer_and_at_its_jobs(tmp_path: Path) -> None:
    with coordinator(tmp_path / "s") as farm, agent_at(farm, tmp_path, tmp_path / "no-port"):
        until(
            lambda: "no-port" in farm.ask("printers/p1")[1].get("message", ""),
            "the printer to say what is wrong",
        )
        plate = tmp_path / "plate.gcode"
        plate.write_text("G28\n")
        job_id = farm.farmhand("job", "submit", plate, "--json").json["id"]
        assert "p1" in farm.farmhand("job", "why", job_id).out
        assert farm.jobs()[0]["state"] == "ready"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"coordinator_url": "http://127.0.0.1:9"}, "http://127.0.0.1:9"),
        ({"token": "not-the-token-of-this-farm"}, "another token"),
    ],
    ids=["wrong address", "wrong token"],
)
def test_a_plate_that_can_not_be_fetched_is_the_reason_a_job_waits(
    tmp_path: Path, settings: dict[str, str], words: str
) -> None:
    port = tmp_path / "port"
    with (
        coordinator(tmp_path / "s") as farm,
        started("agent.simulator", "--pty", port, "--speed", "100", log=tmp_path / "printer.log"),
        agent_at(farm, tmp_path, port, **settings),
    ):
        job_id = order(farm, tmp_path)
        until(lambda: words in farm.farmhand("job", "why", job_id).out, "the reason to show")
        assert farm.jobs()[0]["state"] == "leased"
