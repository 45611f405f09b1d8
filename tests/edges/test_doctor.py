"""`farmhand doctor` and `config show` on machines where something is wrong, or nothing is."""

import json
import os
import re
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer.main

from coordinator.adapters.db import schema
from coordinator.adapters.db.database import SqliteFile
from coordinator.cli.main import app
from tests.fakes.mosquitto import free_port, start_mosquitto
from tests.fakes.postgresql_process import PostgresqlProcess
from tests.fakes.processes import Ended, coordinator, run

MAIN = "coordinator.cli.main"
DOCTORS = ("doctor.py", "doctor_services.py", "doctor_providers.py")
CLI = Path(__file__).parents[2] / "coordinator" / "cli"


def doctor(folder: Path, code: int = 0, **settings: str) -> dict[str, list[dict[str, str]]]:
    """Return what it finds, by what it is about."""
    ports = {"FARMHAND_PORT": str(free_port()), "FARMHAND_BROKER_PORT": str(free_port())}
    ended = run(MAIN, "doctor", "--json", FARMHAND_STATE_DIR=str(folder), **ports | settings)
    assert ended.code == code, ended.out + ended.err
    found: dict[str, list[dict[str, str]]] = {}
    for line in ended.out.splitlines():
        finding = json.loads(line)
        assert bool(finding["mend"]) == (finding["level"] != "ok"), "what is wrong can be mended"
        found.setdefault(finding["about"], []).append(finding)
    return found


def levels(found: list[dict[str, str]]) -> list[str]:
    return [each["level"] for each in found]


def test_a_new_machine_has_nothing_that_fails(tmp_path: Path) -> None:
    found = doctor(tmp_path / "farm")
    assert levels(found["coordinator"]) == ["warn"]
    assert found["coordinator"][0]["mend"] == "farmhand coordinator"
    assert levels(found["ports"]) == ["ok", "ok"]
    assert re.search(r"prusaslicer \d+\.\d", found["slicer"][0]["words"])
    assert not (tmp_path / "farm").exists(), "it only looks"


def test_files_that_others_may_read_are_told_with_the_command_that_hides_them(
    tmp_path: Path,
) -> None:
    folder, config = tmp_path / "farm", tmp_path / "coordinator.toml"
    folder.mkdir(mode=0o755)
    (folder / "token").write_text("t")
    (folder / "token").chmod(0o644)
    config.write_text('ntfy_url = "https://ntfy.example/secret"\n')
    config.chmod(0o644)
    ended = run(MAIN, "doctor", "--config", config, "--state-dir", folder)
    assert ended.code == 1
    assert f"chmod 600 {folder / 'token'}" in ended.out
    assert f"chmod 600 {config}" in ended.out
    assert f"chmod 700 {folder}" in ended.out
    assert "secret" not in ended.out.replace("secrets", "")
    for path in (folder / "token", config):
        path.chmod(0o600)
    folder.chmod(0o700)
    found = doctor(folder)
    assert levels(found["secrets"]) == levels(found["state folder"]) == ["ok"]


def test_a_damaged_database_is_found(tmp_path: Path) -> None:
    path = tmp_path / "farm.sqlite3"
    schema.migrate(SqliteFile(path))
    assert levels(doctor(tmp_path)["database"]) == ["ok"]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    assert levels(doctor(tmp_path)["database"]) == ["ok", "warn"]
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(20_000))
    found = doctor(tmp_path, code=1)
    assert levels(found["database"]) == ["fail"]
    assert "farmhand restore" in found["database"][0]["mend"]


def test_a_server_that_does_not_answer_is_found(
    tmp_path: Path, postgresql: PostgresqlProcess
) -> None:
    url = postgresql.new_database()
    found = doctor(tmp_path, FARMHAND_DATABASE_URL=url)
    assert "PostgreSQL 15" in found["database"][0]["words"]
    found = doctor(tmp_path, code=1, FARMHAND_DATABASE_URL=url.replace("farm_", "no_farm_"))
    assert levels(found["database"]) == ["fail"]


def test_a_port_that_is_taken_is_found_with_who_to_ask(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        found = doctor(tmp_path, code=1, FARMHAND_PORT=port)
    assert levels(found["ports"]) == ["fail", "ok"]
    assert "ss -ltnp" in found["ports"][0]["mend"]


def test_a_broker_elsewhere_is_asked_to_keep_something(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path) as port:
        found = doctor(tmp_path, FARMHAND_BROKER_URL=f"mqtt://127.0.0.1:{port}")
        assert levels(found["broker"]) == ["ok"]
    found = doctor(tmp_path, code=1, FARMHAND_BROKER_URL=f"mqtt://127.0.0.1:{port}")
    assert levels(found["broker"]) == ["fail"]


def test_a_coordinator_that_runs_is_asked_itself(tmp_path: Path) -> None:
    with coordinator(tmp_path / "farm"):
        found = doctor(tmp_path / "farm")
    assert levels(found["coordinator"]) == levels(found["parts"]) == ["ok"]
    assert found["agents"][0]["mend"] == "farmhand agent token"
    assert "ports" not in found


def test_each_command_of_ours_that_mends_something_exists() -> None:
    source = "".join((CLI / name).read_text() for name in DOCTORS)
    for words in set(re.findall(r"farmhand ([a-z][a-z -]+?)(?= -|[\"`,]| [A-Z])", source)):
        command: Any = typer.main.get_command(app)
        for word in words.split():
            if not hasattr(command, "commands"):
                break  # what follows is an argument
            assert word in command.commands, words
            command = command.commands[word]


def test_settings_that_can_not_be_used_are_the_only_finding(tmp_path: Path) -> None:
    ended = run(MAIN, "doctor", "--json", FARMHAND_PORT="many", FARMHAND_STATE_DIR=str(tmp_path))
    assert ended.code == 1
    assert (ended.json["about"], ended.json["level"]) == ("settings", "fail")


def shown(*flags: str | Path, **settings: str) -> dict[str, Any]:
    ended = run(MAIN, "config", "show", "--json", *flags, **settings)
    assert ended.code == 0, ended.err
    documents = map(json.loads, ended.out.splitlines())
    return {each["name"]: (each["value"], each["origin"]) for each in documents}


def test_each_setting_says_where_it_comes_from_the_strongest_source_first(tmp_path: Path) -> None:
    config, credentials = tmp_path / "c.toml", tmp_path / "credentials"
    config.write_text('port = 9000\nbroker_port = 1900\nmail_from = "a@b"\nmail_to = "c@d"\n')
    credentials.mkdir()
    (credentials / "smtp_url").write_text("smtp://me:geheim@mail.example:587")
    found = shown(
        "--config",
        config,
        "--state-dir",
        tmp_path / "farm",
        FARMHAND_BROKER_PORT="1901",
        FARMHAND_BROKER_URL="mqtt://me:geheim@broker.example:1883",
        CREDENTIALS_DIRECTORY=str(credentials),
    )
    assert found["state_dir"] == (str(tmp_path / "farm"), "flag --state-dir")
    assert found["port"] == (9000, str(config))
    assert found["broker_port"] == (1901, "environment, FARMHAND_BROKER_PORT")
    assert found["host"] == ("127.0.0.1", "default")
    value, origin = found["smtp_url"]
    assert (origin, "geheim" in value) == ("credential smtp_url", False)
    assert found["broker_url"][0] == "mqtt://me:***@broker.example:1883"
    assert found["token"] == ("", "default")


@pytest.mark.parametrize("flags", [(), ("--origin",)])
def test_people_get_a_table(tmp_path: Path, flags: tuple[str, ...]) -> None:
    ended: Ended = run(MAIN, "config", "show", *flags, cwd=tmp_path, FARMHAND_PORT="9000")
    assert ended.code == 0
    assert "9000" in ended.out
    assert ("FARMHAND_PORT" in ended.out, "log_level" in ended.out) == (bool(flags), bool(flags))
