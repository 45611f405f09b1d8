"""A coordinator in a place where it can't work, or not yet: one sentence, and nothing left over."""

import json
import os
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.mosquitto import free_port, start_mosquitto
from tests.fakes.processes import Ended, coordinator, run, until

PROGRAM = "farmhand coordinator"


def start(state: Path, *flags: str, **changes: str) -> Ended:
    """Start a coordinator that is expected to end by itself; errors only, for there is no log."""
    usual = ["--state-dir", str(state), "--log-level", "error"]
    return run("coordinator", *usual, *flags, **changes)


def refused(ended: Ended, *words: str, code: int = 1) -> None:
    """Hold an end against what it should have said."""
    said = ended.sentence(PROGRAM)
    assert ended.code == code, said
    for word in words:
        assert word in said


@pytest.fixture
def taken() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield str(other.getsockname()[1])


def test_a_taken_http_port_is_named_with_its_setting(tmp_path: Path, taken: str) -> None:
    ended = start(tmp_path / "s", "--port", taken, "--broker-port", "0")
    refused(ended, f"port {taken} for the HTTP API is taken", "set port to another")
    assert not (tmp_path / "s" / "coordinator.json").exists()


def test_a_taken_broker_port_is_named_with_its_setting(tmp_path: Path, taken: str) -> None:
    ended = start(tmp_path / "s", "--port", "0", "--broker-port", taken)
    refused(ended, f"port {taken} for the MQTT broker is taken", "broker_port", "broker_url")


def test_an_address_that_is_not_ours_is_named(tmp_path: Path) -> None:
    ended = start(tmp_path / "s", "--host", "192.0.2.1", "--port", "0", "--broker-port", "0")
    refused(ended, "the HTTP API can't listen on 192.0.2.1:0")


def test_a_host_name_that_nobody_knows_is_named(tmp_path: Path) -> None:
    for flag, words in (("--host", "HTTP API"), ("--broker-host", "broker")):
        ended = start(tmp_path / "s", "--port", "0", "--broker-port", "0", flag, "no.invalid")
        assert ended.code in (1, 2)
        assert words in ended.sentence(PROGRAM)


def test_a_broker_that_is_no_broker_is_a_setting_to_mend(tmp_path: Path) -> None:
    ended = start(tmp_path / "s", "--broker-url", "http://broker:1883")
    refused(ended, "write mqtt://HOST:1883", code=2)


def test_a_short_token_is_a_setting_to_mend(tmp_path: Path) -> None:
    ended = start(tmp_path / "s", "--port", "0", "--broker-port", "0", FARMHAND_TOKEN="short")
    refused(ended, "16 or more", code=2)


def test_a_broker_that_comes_later_is_reported_until_then_and_then_used(tmp_path: Path) -> None:
    plate = tmp_path / "plate.gcode"
    plate.write_text("G28\nG1 X1\n")
    port = free_port()
    with coordinator(tmp_path / "s", "--broker-url", f"mqtt://127.0.0.1:{port}") as farm:
        status, health = farm.ask("health")
        assert (status, health["status"], health["broker"]) == (200, "degraded", "failing")
        [trouble] = health["troubles"]
        assert f"mqtt://127.0.0.1:{port} (Connection refused): check" in trouble["words"]
        listed = farm.farmhand("printer", "ls")
        assert (listed.code, listed.sentence("farmhand")) == (0, trouble["words"])
        job_id = farm.farmhand("job", "submit", plate, "--json").json["id"]
        assert f"mqtt://127.0.0.1:{port}" in farm.farmhand("job", "why", job_id).out
        with start_mosquitto(tmp_path, port=port):
            until(lambda: farm.ask("health")[1]["status"] == "ok", "the link to come up")
            assert farm.farmhand("printer", "ls").err == ""
        until(lambda: farm.ask("health")[1]["broker"] == "failing", "the loss to show")


def test_a_database_that_another_program_holds_is_one_sentence_at_the_start(
    tmp_path: Path,
) -> None:
    with coordinator(tmp_path / "s"):
        pass
    with closing(sqlite3.connect(tmp_path / "s" / "farm.sqlite3")) as other:
        other.execute("BEGIN EXCLUSIVE")
        ended = start(tmp_path / "s", "--port", "0", "--broker-port", "0")
    refused(ended, "another program holds the database", "close it")


def test_a_database_that_is_held_later_refuses_orders_and_keeps_nothing_of_them(
    tmp_path: Path,
) -> None:
    plate = tmp_path / "plate.gcode"
    plate.write_text("G28\nG1 X1\n")
    with coordinator(tmp_path / "s") as farm:
        with closing(sqlite3.connect(tmp_path / "s" / "farm.sqlite3")) as other:
            other.execute("BEGIN IMMEDIATE")
            ended = farm.farmhand("job", "submit", plate)
        assert ended.code == 1
        assert "another program holds the database" in ended.sentence("farmhand")
        assert (farm.jobs(), farm.kept()) == ([], [])
        assert farm.farmhand("job", "submit", plate).code == 0


def test_a_database_of_a_newer_version_is_left_as_it_is(tmp_path: Path) -> None:
    with coordinator(tmp_path / "s"):
        pass
    with closing(sqlite3.connect(tmp_path / "s" / "farm.sqlite3")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    refused(start(tmp_path / "s"), "newer version of Farmhand (9999)", "upgrade")


def test_a_database_with_a_torn_page_is_one_sentence(tmp_path: Path) -> None:
    with coordinator(tmp_path / "s"):
        pass
    path = tmp_path / "s" / "farm.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8 * 4096))
    refused(start(tmp_path / "s"), "is damaged", "backup")


def test_a_database_of_another_program_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    path = tmp_path / "s" / "farm.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE recipes (name TEXT)")
    refused(start(tmp_path / "s"), "another program", "state_dir")
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("recipes",)]


def test_a_state_folder_that_is_a_file_or_below_one_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for place in (file, file / "below"):
        refused(start(place), str(place), "state_dir")


def test_a_state_folder_that_can_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    # Root may write anywhere but to a file system that is mounted read only.
    place = tmp_path / "place"
    place.mkdir()
    if os.getuid() == 0:
        mount = ["mount", "-t", "tmpfs", "-o", "ro", "farmhand-test", str(place)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("no file system can be mounted here")
    else:
        place.chmod(0o500)
    try:
        refused(start(place), str(place), "make it writable")
    finally:
        if os.getuid() == 0:
            subprocess.run(["umount", "-l", place], check=True)


def test_a_second_coordinator_in_the_same_folder_names_the_first(tmp_path: Path) -> None:
    with coordinator(tmp_path / "s") as farm:
        refused(start(tmp_path / "s"), f"process {farm.process.pid}", "state_dir")
        assert json.loads((tmp_path / "s" / "coordinator.json").read_text()) == farm.facts


def test_a_wrong_key_in_the_file_is_named(tmp_path: Path) -> None:
    config = tmp_path / "coordinator.toml"
    for text, words in (
        ("prot = 1\n", "'prot'"),
        ("port = 99999\n", "'port'"),
        ("port", "no TOML"),
    ):
        config.write_text(text)
        refused(start(tmp_path / "s", "--config", str(config)), words, code=2)
    assert not (tmp_path / "s").exists()


def test_a_broken_token_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "token").mkdir()
    ended = start(tmp_path / "s", "--port", "0", "--broker-port", "0")
    refused(ended, str(tmp_path / "s" / "token"), "remove it", code=2)
