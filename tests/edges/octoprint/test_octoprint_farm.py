"""The whole way: a plate is ordered, leased, printed by a real OctoPrint, its bed to be cleared.

Coordinator, broker and agent are processes too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from agent.printers.driver import PlateFile
from tests.edges.octoprint.bench import plate_of
from tests.fakes.octoprint_server import OctoPrintServer
from tests.fakes.processes import Coordinator, coordinator, started, stop, until


@contextmanager
def agent(folder: Path, farm: Coordinator, server: OctoPrintServer) -> Iterator["Popen[bytes]"]:
    config = folder / "agent.toml"
    config.write_text(
        f'agent_id = "pi-1"\nstate_dir = "{folder}/agent"\n'
        f'mqtt_url = "{farm.facts["mqtt_url"]}"\ncoordinator_url = "{farm.url}"\n'
        '[[printers]]\nid = "p1"\nprinter_class = "farmhand-220"\nmaterial = "PLA"\n'
        'driver = "octoprint"\n'
        f'settings = {{ url = "{server.url}", api_key = "{server.key}",'
        ' allow = ["cold", "unhomed"] }\n'
    )
    token = {"FARMHAND_AGENT_TOKEN": farm.token}
    with started("agent", "--config", config, log=folder / "agent.log", **token) as process:
        yield process


def hot(plate: PlateFile) -> PlateFile:
    """Home and heat first: the coordinator refuses a plate that does neither."""
    plate.path.write_text(plate.path.read_text().replace("M104 S50", "G28\nM104 S200"))
    return plate


def printer(farm: Coordinator) -> Any:
    return farm.ask("printers/p1")[1]


def test_an_ordered_plate_is_printed_once_though_its_agent_is_restarted_in_the_middle(
    server: OctoPrintServer, tmp_path: Path
) -> None:
    plate = hot(plate_of(tmp_path, "cube.gcode", layers=40, dwell_ms=100))
    with coordinator(tmp_path / "s") as farm:
        with agent(tmp_path, farm, server) as process:
            until(lambda: farm.ask("printers/p1/clear", method="POST")[0] == 200, "the printer")
            farm.farmhand("job", "submit", plate.path)
            until(lambda: server.state == "Printing", "the print")
            assert stop(process, within_s=20) == 0
        assert server.state == "Printing", "ending the agent disturbs no print"
        with agent(tmp_path, farm, server):
            until(lambda: farm.jobs()[0]["state"] == "finished", "the end")
            until(lambda: printer(farm)["status"] == "needs_clearing", "the bed")
    [run] = [path for path in server.runs() if "plates/" not in path]
    assert server.printed(run)["success"] == 1
    assert server.printed(run)["failure"] == 0


@pytest.mark.slow
def test_what_a_person_prints_at_octoprint_keeps_the_farm_off_and_has_its_bed_cleared(
    server: OctoPrintServer, tmp_path: Path
) -> None:
    with coordinator(tmp_path / "s") as farm, agent(tmp_path, farm, server):
        until(lambda: farm.ask("printers/p1/clear", method="POST")[0] == 200, "the printer")
        before = server.runs()
        server.put("vase.gcode", plate_of(tmp_path, "vase", layers=400, dwell_ms=100).path)
        server.ask("api/files/local/vase.gcode", {"command": "select", "print": True})
        until(lambda: printer(farm)["status"] == "busy", "the foreign print")
        plate = hot(plate_of(tmp_path, "own.gcode", layers=2, dwell_ms=10))
        farm.farmhand("job", "submit", plate.path)
        server.ask("api/job", {"command": "cancel"})
        until(lambda: printer(farm)["status"] == "needs_clearing", "the bed")
        assert farm.jobs()[0]["state"] == "ready"
        assert server.runs() == before, "nothing of ours was begun"
