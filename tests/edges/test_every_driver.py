"""A model is printed on every kind of printer, through the farm's real processes.

Real are: coordinator, broker, slicer, agent; OctoPrint, Moonraker and PrusaLink too.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.fakes.places import PLACES, Place
from tests.fakes.processes import Coordinator, coordinator, started, until
from tests.fakes.solids import write_box

CI = ("pty", "tcp", "moonraker")  # the others with ./farmhand prove drivers


def written(folder: Path, farm: Coordinator, place: Place) -> Path:
    config = folder / "agent.toml"
    config.write_text(
        f'agent_id = "pi-1"\nstate_dir = "{folder}/agent"\n'
        f'mqtt_url = "{farm.facts["mqtt_url"]}"\ncoordinator_url = "{farm.url}"\n'
        '[[printers]]\nid = "p1"\nprinter_class = "farmhand-220"\nmaterial = "PLA"\n'
        f'driver = "{place.driver}"\nsettings = {{ {place.settings} }}\n'
    )
    return config


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=[] if kind in CI else [pytest.mark.slow]) for kind in PLACES],
)
def test_a_model_is_sliced_leased_printed_once_and_its_bed_is_to_be_cleared(
    kind: str, tmp_path: Path
) -> None:
    def runs() -> list[Any]:
        return list(farm.ask(f"jobs/{job}")[1]["runs"])

    def printer() -> Any:
        return farm.ask("printers/p1")[1]

    model = tmp_path / "box.stl"
    write_box(model, 10, 10, 1)
    (tmp_path / "place").mkdir()
    with PLACES[kind](tmp_path / "place") as place, coordinator(tmp_path / "s") as farm:
        config, token = written(tmp_path, farm, place), {"FARMHAND_AGENT_TOKEN": farm.token}
        before = place.begun()
        with started("agent", "--config", config, log=tmp_path / "agent.log", **token):
            sent = farm.farmhand("job", "submit", "--json", model)
            assert sent.code == 0, sent
            job = sent.json["id"]
            until(lambda: farm.ask(f"jobs/{job}")[1]["plates"], "the plate")
            assert runs() == [], "nobody said that the bed is clear"
            until(lambda: farm.ask("printers/p1/clear", method="POST")[0] == 200, "the printer")
            until(lambda: runs() and runs()[0]["started_at"], "the print")
            place.hurry()
            until(lambda: farm.ask(f"jobs/{job}")[1]["state"] == "finished", "the end")
            until(lambda: printer()["status"] == "needs_clearing", "the bed")
        [run] = runs()
        assert run["state"] == "finished"
        assert run["leased_at"] < run["started_at"] < run["ended_at"]
        assert place.begun() == before + 1
