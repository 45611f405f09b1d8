"""The command against a served farm: what it prints, and how it ends."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coordinator.cli.exits import Exit
from coordinator.usecases.absorbing import absorb
from protocols.wire.from_agent import CommandResult
from protocols.wire.to_agent import Command
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.fake_farm import MODEL
from tests.fakes.served_farm import AGENT, ServedFarm
from tests.fakes.story import lose_a_printing_run, lose_a_run

GCODE = "G28\nG1 X10 E1\n"


@pytest.fixture
def plate(tmp_path: Path) -> str:
    file = tmp_path / "two words.gcode"
    file.write_text(GCODE)
    return str(file)


async def test_a_file_is_submitted_with_all_that_is_wanted_of_it(
    farm: ServedFarm, farmhand: Farmhand, plate: str
) -> None:
    ended = await farmhand(
        "job", "submit", plate, "--copies", "3", "--material", "PLA", "--set", "brim=5", "--json"
    )
    assert ended.code == Exit.OK, ended.err
    assert ended.json["name"] == "two words.gcode"
    assert ended.json["copies"] == 3
    assert ended.json["settings"] == {"brim": "5"}
    assert len(farm.store.tables.jobs) == 1


async def test_jobs_are_listed_for_people_and_for_programs(farmhand: Farmhand, plate: str) -> None:
    assert "farmhand job submit" in (await farmhand("job", "ls")).out
    job_id = (await farmhand("job", "submit", plate, "--json")).json["id"]
    listed = await farmhand("job", "ls")
    assert job_id in listed.out
    assert "\x1b" not in listed.out, "no colour into a pipe"
    assert [job["id"] for job in (await farmhand("job", "ls", "--json")).json] == [job_id]
    assert (await farmhand("job", "ls", "--state", "lost", "--json")).json == []
    assert job_id in (await farmhand("job", "show", job_id)).out


async def test_a_job_is_steered_and_a_second_cancel_fails(farmhand: Farmhand, plate: str) -> None:
    job_id = (await farmhand("job", "submit", plate, "--json")).json["id"]
    assert "paused" in (await farmhand("job", "pause", job_id)).out
    assert "ready" in (await farmhand("job", "resume", job_id)).out
    assert "cancelled" in (await farmhand("job", "cancel", job_id)).out
    again = await farmhand("job", "cancel", job_id)
    assert again.code == Exit.FAILED
    assert "already" in again.err


async def test_waiting_for_a_job_that_does_not_finish_ends_with_its_own_code(
    farmhand: Farmhand, plate: str
) -> None:
    job_id = (await farmhand("job", "submit", plate, "--json")).json["id"]
    await farmhand("job", "cancel", job_id)
    for flags in ([], ["--json"]):
        watched = await farmhand("job", "watch", job_id, *flags)
        assert watched.code == Exit.JOB_FAILED
        assert "cancelled" in watched.out


async def test_a_job_tells_why_it_waits_and_a_cleared_bed_is_no_reason_any_more(
    farm: ServedFarm, farmhand: Farmhand, plate: str
) -> None:
    await farm.printers_arrive("p-1")
    job_id = (await farmhand("job", "submit", plate, "--json")).json["id"]
    assert "bed" in (await farmhand("job", "why", job_id)).out
    assert "bed: clear" in (await farmhand("printer", "clear", "p-1")).out
    assert "bed" not in (await farmhand("job", "why", job_id)).out


async def test_printers_are_listed_with_what_they_measure(
    farm: ServedFarm, farmhand: Farmhand
) -> None:
    assert "agent" in (await farmhand("printer", "ls")).out
    await farm.printers_arrive("p-1", "p-2")
    listed = await farmhand("printer", "ls")
    assert "tool0 22/0" in listed.out
    assert "needs clearing" in listed.out
    assert (await farmhand("printer", "ls", "--status", "idle", "--json")).json == []
    assert "marlin_serial" in (await farmhand("printer", "show", "p-2")).out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("job", "show", "nothing"), Exit.FAILED, "no job"),
        (("job", "submit", "/nowhere/x.stl"), Exit.FAILED, "/nowhere/x.stl"),
        (("job", "ls", "--state", "happy"), Exit.FAILED, "printing"),
        (("job", "submit"), Exit.USAGE, ""),
        (("job", "dance"), Exit.USAGE, ""),
        (("job", "ls", "--url", "nonsense"), Exit.USAGE, "http://"),
        (("job", "ls", "--url", "http://127.0.0.1:9"), Exit.NOT_REACHABLE, "farmhand coordinator"),
    ],
)
async def test_every_kind_of_failure_has_its_code_and_says_what_to_do(
    farmhand: Farmhand, arguments: tuple[str, ...], code: Exit, words: str
) -> None:
    ended = await farmhand(*arguments)
    assert ended.code == code
    assert words in ended.err
    assert "Traceback" not in ended.err


async def test_a_wrong_token_is_told_apart_from_no_coordinator(
    farmhand: Farmhand, tmp_path: Path
) -> None:
    file = tmp_path / "wrong"
    file.write_text("not the token at all\n")
    ended = await farmhand("job", "ls", "--token-file", str(file))
    assert ended.code == Exit.NOT_ALLOWED
    assert "token" in ended.err


async def test_a_setting_without_a_value_is_a_slip_of_the_user(
    farmhand: Farmhand, plate: str
) -> None:
    ended = await farmhand("job", "submit", plate, "--set", "brim")
    assert ended.code == Exit.USAGE
    assert "KEY=VALUE" in ended.err


# A person waits for it; a tenth of a second is what it takes, ten times that on a busy machine.
HELP_S_MAX = 2.0


def test_help_comes_at_once_and_without_the_heavy_libraries() -> None:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "coordinator.cli.main", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert time.monotonic() - started < HELP_S_MAX
    assert "demo" in done.stdout
    for heavy in ("aiohttp", "pydantic", "sqlalchemy", "rich.table"):
        assert f" {heavy}\n" not in done.stderr, f"{heavy} is loaded for help"


async def test_a_lost_run_is_found_and_settled(farm: ServedFarm, farmhand: Farmhand) -> None:
    lost = await lose_a_run(farm.farm)
    shown = await farmhand("job", "show", lost.job_id)
    assert lost.run_id in shown.out
    assert lost.reason in shown.out
    assert (
        f"state: lost\n  reason: {lost.reason}" in (await farmhand("run", "show", lost.run_id)).out
    )
    assert (await farmhand("run", "settle", lost.run_id, "perhaps")).code == Exit.USAGE
    settled = await farmhand("run", "settle", lost.run_id, "finished", "--json")
    assert (settled.code, settled.json["state"]) == (Exit.OK, "finished")
    again = await farmhand("run", "settle", lost.run_id, "finished")
    assert again.code == Exit.FAILED
    assert "nothing to settle" in again.err


async def test_somebody_is_at_a_bed_and_then_is_not(farm: ServedFarm, farmhand: Farmhand) -> None:
    await farm.printers_arrive("p-1")
    said = (await farmhand("printer", "clearing", "p-1")).out
    assert "bed: clearing, by user:admin at 2030" in said
    assert "bed: occupied" in (await farmhand("printer", "clearing", "p-1", "--undo")).out


async def test_a_printer_is_taken_out_for_service_and_given_back(
    farm: ServedFarm, farmhand: Farmhand
) -> None:
    await farm.printers_arrive("p-1")
    assert "in service" in (await farmhand("printer", "service", "p-1", "on")).out
    assert "in service" not in (await farmhand("printer", "service", "p-1", "off")).out


async def test_whoever_lists_printers_hears_that_the_broker_is_away(
    farm: ServedFarm, farmhand: Farmhand, plate: str
) -> None:
    farm.link.connected = False
    listed = await farmhand("printer", "ls")
    assert (listed.code, listed.err) == (Exit.OK, f"farmhand: {farm.link.trouble}\n")
    job_id = (await farmhand("job", "submit", plate, "--json")).json["id"]
    assert farm.link.trouble in (await farmhand("job", "why", job_id)).out


async def test_an_upload_that_is_refused_before_its_end_says_why(
    farmhand: Farmhand, tmp_path: Path
) -> None:
    model = tmp_path / "large.stl"
    with model.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    ended = await farmhand("job", "submit", str(model))
    assert ended.code == Exit.FAILED
    assert "upload_bytes_max" in ended.err


async def test_a_file_keeps_its_name_whatever_is_in_it(farmhand: Farmhand, tmp_path: Path) -> None:
    plate = tmp_path / 'größe "3".gcode'
    plate.write_text(GCODE)
    submitted = await farmhand("job", "submit", str(plate), "--json")
    assert submitted.json["name"] in ('größe "3".gcode', "größe %223%22.gcode")


async def test_alarms_stand_above_the_list_and_everything_in_what_is_shown_of_a_printer(
    farm: ServedFarm, farmhand: Farmhand
) -> None:
    await farm.printers_arrive("p-1", "p-2")
    await farm.something_is_wrong("p-1")
    listed = await farmhand("printer", "ls")
    assert listed.err.splitlines() == ["farmhand: pi-1: the supply is too weak"]
    shown = (await farmhand("printer", "show", "p-1")).out
    assert "host: under-voltage seen" in shown
    assert "alarm: the supply is too weak" in shown
    assert "warning: 2.0% of the lines arrive broken" in shown


async def test_lines_go_to_a_printer_and_its_words_come_back(
    farm: ServedFarm, farmhand: Farmhand
) -> None:
    await farm.printers_arrive("p-1")

    async def answer(command: Command) -> None:
        ok = command.arguments.get("line") != "G28"
        words = f"{command.name} {dict(command.arguments)}" if ok else "it moves the head"
        await absorb(farm.farm, CommandResult(id=command.id, agent_id=AGENT, ok=ok, message=words))

    farm.link.answer = answer
    sent = await farmhand("printer", "send", "p-1", "M220", "S90")
    assert sent.out == "send {'line': 'M220 S90'}\n"
    forced = await farmhand("printer", "send", "p-1", "--force", "M104 S0")
    assert forced.out == "send {'line': 'M104 S0', 'force': True}\n"
    shown = await farmhand("printer", "dialogue", "p-1", "--all", "--lines", "5")
    assert shown.out == "dialogue {'show': 'all', 'lines': 5}\n"
    assert (await farmhand("printer", "emergency-stop", "p-1")).out == "emergency_stop {}\n"
    refused = await farmhand("printer", "send", "p-1", "G28")
    assert (refused.code, refused.out) == (Exit.FAILED, "")
    assert "it moves the head" in refused.err


async def test_whoever_settles_a_run_sees_what_was_said_last(
    farm: ServedFarm, farmhand: Farmhand
) -> None:
    lost = await lose_a_printing_run(farm.farm)
    shown = (await farmhand("run", "show", lost.run_id)).out
    for words in ("layer: 12", "line: 4711", "ended: ", "amiss: the supply", "< start"):
        assert words in shown


async def test_the_evidence_of_a_lost_run_is_shown(farm: ServedFarm, farmhand: Farmhand) -> None:
    run = await lose_a_printing_run(farm.farm)
    shown = (await farmhand("run", "show", run.run_id)).out
    for fact in ("layer: 12", "line: 4711", "started: 2029-12-31T12", "ended: 2029-12-31T12"):
        assert fact in shown
    assert "the supply is too weak" in shown
    assert "    -0.120 > N4712 G1 X1*99" in shown.replace("      ", "    ")


async def test_what_an_order_would_take_is_told_before_it_is_one(
    farm: ServedFarm, farmhand: Farmhand, tmp_path: Path
) -> None:
    await farm.printers_arrive("p-1", "p-2")
    file = tmp_path / "hub.stl"
    file.write_bytes(MODEL)
    told = await farmhand("job", "estimate", str(file), "--copies", "2", "--printer", "p-2")
    assert told.code == Exit.OK
    assert "hub.stl: 2 min" in told.out
    assert "fits on 1 of 2 printers; 0 of them are free" in told.out
    assert "1: the job is for p-2 only" in told.out
    told = await farmhand("job", "estimate", str(file), "--material", "PETG")
    assert "no printer holds PETG" in told.out
    assert (await farmhand("job", "ls", "--json")).json == []
    assert (await farmhand("job", "estimate")).code == Exit.USAGE
