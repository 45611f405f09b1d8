"""`farmhand-agent doctor` on machines where something is wrong, or nothing is."""

import json
import os
import pty
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import doctor_farm, doctor_machine
from agent.doctor import doctor, examine, lines_of
from agent.doctor_machine import Account
from agent.settings import AgentSettings
from protocols.diagnosis import Finding, Level
from protocols.wire.from_agent import HostSample
from tests.fakes.processes import Coordinator, coordinator, run, started, until

NOBODY = Account(name="nobody", uid=65534, groups=frozenset({65534}))
DOCTORS = ("doctor.py", "doctor_farm.py", "doctor_machine.py")


def levels(found: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(each.about, each.level.value) for each in found]


@pytest.fixture
def port() -> Iterator[str]:
    master, slave = pty.openpty()
    os.fchmod(slave, 0o600)
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def ports(port: str, account: Account, pid: int | None = None) -> list[Finding]:
    return list(doctor_machine.serial_ports([port], {"mk3": port}, account, agent_pid=pid))


def test_a_port_that_the_agent_may_not_use_comes_with_the_command_that_lets_it(port: str) -> None:
    mine = Account(name="me", uid=os.stat(port).st_uid, groups=frozenset())
    assert [each.level for each in ports(port, mine)] == [Level.OK]
    [found] = ports(port, NOBODY)
    assert found.words == f"nobody may not use {port}"
    assert re.match(r"sudo usermod -aG \w+ nobody", found.mend)
    os.chmod(port, 0o060)
    of_its_group = Account(name="x", uid=1, groups=frozenset({os.stat(port).st_gid}))
    assert [each.level for each in ports(port, of_its_group)] == [Level.OK]


def test_a_port_that_is_not_there_or_that_another_program_holds_is_told(port: str) -> None:
    gone = list(doctor_machine.serial_ports([], {"mk3": "/dev/none"}, NOBODY, agent_pid=None))
    assert gone[0].words == "mk3: /dev/none is not there"
    root = Account(name="root", uid=0, groups=frozenset())
    pid = os.fork()
    if pid == 0:
        held = os.open(port, os.O_RDWR | os.O_NOCTTY)
        os.read(held, 1)
        os._exit(0)
    try:
        [found] = until(lambda: [e for e in ports(port, root) if e.level is Level.WARN], "it")
        assert f"(process {pid}) holds {port}" in found.words
        assert f"fuser -v {port}" in found.mend
        assert [each.level for each in ports(port, root, pid)] == [Level.OK], "the agent itself may"
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_programs_that_grab_boards_are_told_unless_our_rules_keep_them_away(
    tmp_path: Path,
) -> None:
    def found() -> list[tuple[str, str]]:
        return levels(doctor_machine.grabbers(tmp_path))

    assert found() == [("ModemManager", "ok"), ("brltty", "ok")]
    (tmp_path / "proc/7").mkdir(parents=True)
    (tmp_path / "proc/7/comm").write_text("ModemManager\n")
    rules = tmp_path / "usr/lib/udev/rules.d"
    rules.mkdir(parents=True)
    (rules / "85-brltty.rules").touch()
    assert found() == [("ModemManager", "warn"), ("brltty", "warn")]
    (rules / "70-farmhand.rules").touch()
    (rules / "85-brltty.rules").unlink()
    assert found() == [("ModemManager", "ok"), ("brltty", "ok")]


def test_an_agent_without_its_pump_is_told_how_to_build_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("agent.printers.pump.LIBRARY", tmp_path / "none")
    found = doctor_machine.pump()
    assert (found.level, "gcc" in found.mend) == (Level.WARN, True)
    monkeypatch.setenv("FARMHAND_PUMP", "off")
    assert doctor_machine.pump().level is Level.OK


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({}, ["ok", "ok"]),
        ({"under_voltage": False, "under_voltage_seen": False}, ["ok", "ok"]),
        ({"under_voltage": False, "under_voltage_seen": True}, ["warn", "ok"]),
        ({"under_voltage": True, "under_voltage_seen": True}, ["fail", "ok"]),
        ({"throttled": True, "throttled_seen": True, "cpu_celsius": 84.0}, ["ok", "warn"]),
        ({"throttled_seen": True}, ["ok", "warn"]),
        ({"memory_free_bytes": 1024}, ["ok", "ok", "warn"]),
        ({"memory_free_bytes": 1024**3}, ["ok", "ok", "ok"]),
    ],
)
def test_a_weak_supply_heat_and_little_memory_are_told(
    seen: dict[str, bool | float], expected: list[str]
) -> None:
    sample = HostSample(**seen)  # type: ignore[arg-type]  # of every kind
    assert [each.level.value for each in doctor_machine.supply(sample)] == expected


def test_a_state_folder_with_files_of_others_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    me = Account(name="me", uid=os.getuid(), groups=frozenset())
    assert ("state folder", "ok") in levels(doctor_machine.card(tmp_path, me))
    tmp_path.chmod(0o755)
    assert ("state folder", "warn") in levels(doctor_machine.card(tmp_path, me))
    (tmp_path / "journal.sqlite").touch()
    foreign = Account(name="other", uid=os.getuid() + 1, groups=frozenset())
    assert ("state folder", "fail") in levels(doctor_machine.card(tmp_path, foreign))
    assert ("state folder", "ok") in levels(doctor_machine.card(tmp_path / "none", me))


async def test_settings_that_can_not_be_read_are_the_only_finding(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text("prot = 1\n")
    found = [each async for each in examine(["--config", str(tmp_path / "agent.toml")])]
    assert [(each.about, each.level) for each in found] == [("settings", Level.FAIL)]
    assert lines_of(found[0])[0] == "fail settings: prot: no such setting"


async def test_a_farm_that_does_not_answer_is_told_as_coordinator_and_as_broker() -> None:
    settings = AgentSettings.model_validate(
        {"coordinator_url": "http://127.0.0.1:1", "mqtt_url": "mqtt://127.0.0.1:1"}
    )
    assert levels(doctor_farm.coordinator(settings)) == [("coordinator", "fail")]
    for runs in (False, True):
        assert (await doctor_farm.broker(settings, agent_runs=runs)).level is Level.FAIL


def doctored(config: Path, code: int) -> dict[str, dict[str, str]]:
    lines: list[str] = []
    assert doctor(["--json", "--config", str(config)], lines.append) == code, lines
    found = [json.loads(line) for line in lines]
    for each in found:
        assert bool(each["mend"]) == (each["level"] != "ok"), "what is wrong can be mended"
    return {each["about"]: each for each in found}


def listed(farm: Coordinator) -> Any:
    """Return the only agent."""
    [agent] = farm.ask("agents")[1]["items"]
    return agent


def test_an_agent_of_a_farm_is_well_until_it_is_revoked(tmp_path: Path) -> None:
    state = tmp_path / "pi"
    flags = ("--host", "0.0.0.0", "--broker-host", "0.0.0.0", "--agents", "enrolled")
    with coordinator(tmp_path / "farm", *flags) as farm:
        config = tmp_path / "agent.toml"
        config.write_text(f'state_dir = "{state}"\n')
        token = farm.farmhand("agent", "token").out.strip()
        enrolled = run("agent", "enroll", token, "--coordinator", farm.url, "--config", config)
        assert enrolled.code == 0, enrolled.err
        found = doctored(config, code=0)
        assert found["agent"]["level"] == "warn"
        assert "lets us in as" in found["broker"]["words"]
        for about in ("coordinator", "plates", "enrolment", "broker"):
            assert found[about]["level"] == "ok", found[about]
        with started("agent", "--config", config, log=tmp_path / "agent.log"):
            until(lambda: listed(farm)["online"], "it")
            found = doctored(config, code=0)
            assert found["agent"]["level"] == "ok"
            assert listed(farm)["online"], "it was left alone"
        name = listed(farm)["id"]
        assert farm.ask(f"agents/{name}/revoke", method="POST")[0] == 200
        found = doctored(config, code=1)
        assert found["plates"]["level"] == found["broker"]["level"] == "fail"
        assert f"farmhand agent token --for {name}" in found["plates"]["mend"]


def test_what_it_tells_people_to_type_exists() -> None:
    room = Path(doctor_farm.__file__).parent
    said = "".join((room / name).read_text() for name in DOCTORS)
    main = (room / "__main__.py").read_text()
    verbs = set(re.findall(r"farmhand-agent ([a-z]+)", said))
    assert {"enroll", "discover", "check"} <= verbs
    for verb in verbs - {"doctor"}:
        assert f'["{verb}"]' in main
