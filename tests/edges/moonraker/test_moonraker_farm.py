"""The whole way: a plate is ordered, leased, printed by a real Moonraker, its bed to be cleared.

Coordinator, broker and agent are processes too; Klipper is a stand-in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest

from tests.edges.octoprint.bench import plate_of
from tests.fakes.moonraker_server import MoonrakerServer
from tests.fakes.processes import Coordinator, coordinator, started, stop, until


@contextmanager
def agent(folder: Path, farm: Coordinator, server: MoonrakerServer) -> Iterator["Popen[bytes]"]:
    config = folder / "agent.toml"
    config.write_text(
        f'agent_id = "pi-1"\nstate_dir = "{folder}/agent"\n'
        f'mqtt_url = "{farm.facts["mqtt_url"]}"\ncoordinator_url = "{farm.url}"\n'
        '[[printers]]\nid = "p1"\nprinter_class = "farmhand-220"\nmaterial = "PLA"\n'
        'driver = "moonraker"\n'
        f'settings = {{ url = "{server.url}", api_key = "{server.key}",'
        ' allow = ["cold", "unhomed"] }\n'
    )
    token = {"FARMHAND_AGENT_TOKEN": farm.token}
    with started("agent", "--config", config, log=folder / "agent.log", **token) as process:
        yield process


@pytest.mark.slow
def test_an_ordered_plate_is_printed_once_though_its_agent_is_restarted_in_the_middle(
    server: MoonrakerServer, tmp_path: Path
) -> None:
    def printing() -> bool:
        return server.klippy.status("print_stats")["state"] == "printing"

    plate = plate_of(tmp_path, "cube.gcode", layers=2, dwell_ms=600_000)
    # The coordinator refuses one that is neither homed nor hot.
    plate.path.write_text(plate.path.read_text().replace("M104 S50", "G28\nM104 S200"))
    before = len(server.klippy.begun)
    with coordinator(tmp_path / "s") as farm:
        with agent(tmp_path, farm, server) as process:
            until(lambda: farm.ask("printers/p1/clear", method="POST")[0] == 200, "the printer")
            farm.farmhand("job", "submit", plate.path)
            until(printing, "the print")
            assert stop(process, within_s=20) == 0
        assert printing(), "ending the agent disturbs no print"
        with agent(tmp_path, farm, server):
            server.klippy.hurry()
            until(lambda: farm.jobs()[0]["state"] == "finished", "the end")
            until(lambda: farm.ask("printers/p1")[1]["status"] == "needs_clearing", "the bed")
    server.klippy.dawdle()
    [begun] = server.klippy.begun[before:]
    assert server.printed(begun) == ["completed"]
