"""`farmhand model`, `farmhand project` and jobs of models, against a served farm."""

from pathlib import Path

from coordinator.cli.exits import Exit
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.fake_farm import MODEL
from tests.fakes.served_farm import ServedFarm


async def test_a_model_is_brought_updated_printed_and_fetched(
    farmhand: Farmhand, tmp_path: Path
) -> None:
    file, copy = tmp_path / "hub.stl", tmp_path / "copy.stl"
    file.write_bytes(MODEL)
    assert "farmhand model add" in (await farmhand("model", "ls")).out
    project = (await farmhand("project", "add", "Rover", "--json")).json["id"]
    about = ("--project", project, "--tag", "spare", "--licence", "CC0")
    added = await farmhand("model", "add", str(file), *about, "--json")
    assert added.code == Exit.OK, added.err
    model = added.json["id"]
    file.write_bytes(MODEL + b"two\n")
    assert "version: 2" in (await farmhand("model", "update", model, str(file))).out
    shown = (await farmhand("model", "show", model)).out
    assert "20.0 x 20.0 x 20.0 mm" in shown
    assert "CC0" in shown
    listed = await farmhand("model", "ls", "--tag", "spare", "--project", project)
    assert "hub" in listed.out
    assert "no models" in (await farmhand("model", "ls", "--text", "cap")).out
    fetched = await farmhand("model", "fetch", model, str(copy), "--version", "1")
    assert (fetched.code, copy.read_bytes()) == (Exit.OK, MODEL)
    ordered = await farmhand("job", "submit", "--model", f"{model}/1", "--due", "9999d", "--json")
    assert (ordered.json["model_version"], ordered.json["late"]) == (1, False)
    assert "version 1" in (await farmhand("job", "show", ordered.json["id"])).out
    assert ordered.json["id"] in (await farmhand("job", "ls", "--model", model)).out
    assert "no jobs" in (await farmhand("job", "ls", "--owner", "user:bert")).out


async def test_things_are_renamed_and_put_away(farmhand: Farmhand, tmp_path: Path) -> None:
    file = tmp_path / "hub.stl"
    file.write_bytes(MODEL)
    project = (await farmhand("project", "add", "Rover", "--json")).json["id"]
    model = (await farmhand("model", "add", str(file), "--json")).json["id"]
    changed = await farmhand("model", "change", model, "--name", "Cap", "--tag", "a", "--archive")
    assert "Cap" in changed.out
    assert "archived: yes" in changed.out
    assert "no models" in (await farmhand("model", "ls")).out
    assert "Cap" in (await farmhand("model", "ls", "--archived")).out
    assert "Boat" in (await farmhand("project", "change", project, "--name", "Boat")).out
    assert "Boat" in (await farmhand("project", "ls")).out


async def test_a_job_gets_another_place_and_one_thing_is_ordered_at_once(
    farmhand: Farmhand, tmp_path: Path
) -> None:
    file = tmp_path / "hub.stl"
    file.write_bytes(MODEL)
    job = (await farmhand("job", "submit", str(file), "--json")).json["id"]
    changed = await farmhand(
        "job", "change", job, "--priority", "3", "--due", "2020-01-01", "--json"
    )
    assert (changed.json["priority"], changed.json["late"]) == (3, True)
    assert "late" in (await farmhand("job", "ls")).out
    assert (await farmhand("job", "change", job, "--due", "none", "--json")).json["due_at"] is None
    assert (await farmhand("job", "submit")).code == Exit.USAGE
    assert (await farmhand("job", "submit", str(file), "--model", "m")).code == Exit.USAGE


async def test_a_job_is_moved_ordered_again_and_stands_in_no_timetable_without_printers(
    farmhand: Farmhand, tmp_path: Path
) -> None:
    file = tmp_path / "hub.stl"
    file.write_bytes(MODEL)
    first, second = [
        (await farmhand("job", "submit", str(file), "--priority", priority, "--json")).json["id"]
        for priority in ("4", "0")
    ]
    moved = await farmhand("job", "move", second, "--to", "1", "--json")
    assert moved.json["priority"] == 4
    assert (await farmhand("job", "move", second)).code == Exit.USAGE
    moved = await farmhand("job", "move", second, "--after", first)
    assert (moved.code, second in moved.out) == (Exit.OK, True)
    again = await farmhand("job", "again", first, "--copies", "5", "--json")
    assert (again.json["copies"], again.json["name"]) == (5, "hub.stl")
    table = await farmhand("job", "timetable")
    assert "nothing is printed" in table.out
    assert "3 more wait" in table.out
    assert (await farmhand("job", "timetable", "--json")).json["left_out"] == 3
    assert "no job waits" in (await farmhand("job", "lacking")).out
    assert (await farmhand("job", "lacking", "--json")).json == []


async def test_printers_are_described_and_jobs_ask_for_it(
    farm: ServedFarm, farmhand: Farmhand, tmp_path: Path
) -> None:
    await farm.printers_arrive("p-1", "p-2")
    file = tmp_path / "hub.stl"
    file.write_bytes(MODEL)
    said = ("--group", "lab", "--tag", "fast", "--location", "room 1", "--material", "PETG")
    shown = (await farmhand("printer", "set", "p-1", *said)).out
    assert "group: lab" in shown
    assert "material: PETG" in shown
    listed = (await farmhand("printer", "ls", "--group", "lab", "--tag", "fast")).out
    assert "p-1" in listed
    assert "p-2" not in listed
    job = await farmhand("job", "submit", str(file), "--group", "lab", "--tag", "fast", "--json")
    assert job.json["printer_tags"] == ["fast"]
    assert (await farmhand("job", "submit", str(file), "--group", "hall")).code == Exit.FAILED
