"""The systemd units do what the READMEs say of them, and systemd finds no fault with them."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import line_thread
from agent.settings import AgentSettings
from coordinator.settings import Settings

FOLDER = Path(__file__).parents[2] / "systemd"
SERVICES = sorted(path.name for path in FOLDER.glob("*.service"))
DAEMONS = ["farmhand-agent.service", "farmhand-agent@.service", "farmhand-coordinator.service"]
EXPOSURE_MAX = 2.0
CONSOLE_S_MAX = 60

analyze = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd")


def settings_in(unit: str) -> Iterator[tuple[str, str]]:
    text = (FOLDER / unit).read_text().replace("\\\n", "")
    for line in text.splitlines():
        if "=" in line and line[0] != "#":
            name, _, value = line.partition("=")
            yield name, value


def keys(unit: str) -> dict[str, str]:
    return dict(settings_in(unit))


def all_of(unit: str, key: str) -> list[str]:
    return [value for name, value in settings_in(unit) if name == key]


def said(*command: str | Path) -> str:
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        timeout=CONSOLE_S_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_stopping_the_agent_is_a_plain_sigterm_with_time_to_close_its_ports() -> None:
    agent = keys("farmhand-agent.service")
    assert not agent.keys() & {"ExecStop", "ExecStopPost", "KillSignal", "KillMode", "SendSIGHUP"}
    assert int(agent["TimeoutStopSec"]) > 2 * line_thread.END_S_MAX


def test_an_agent_that_was_drained_stays_ended_and_one_that_died_comes_back() -> None:
    agent = keys("farmhand-agent.service")
    assert agent["Restart"] == "on-failure"
    assert "SuccessExitStatus" not in agent


@pytest.mark.parametrize("unit", DAEMONS)
def test_a_daemon_is_watched_for_ever_but_not_started_again_with_settings_that_are_wrong(
    unit: str,
) -> None:
    daemon = keys(unit)
    assert daemon["Type"] == "notify"
    assert int(daemon["WatchdogSec"]) >= 30, "a card that is slow is not a loop that hangs"
    assert daemon["StartLimitIntervalSec"] == "0"
    assert "2" in daemon["RestartPreventExitStatus"].split()


def test_a_further_agent_is_the_first_with_a_name() -> None:
    named = (FOLDER / "farmhand-agent@.service").read_text()
    assert "-%i.toml" in named
    alone = named.replace("agent-%i", "agent").replace("agent %i", "agent")
    assert alone == (FOLDER / "farmhand-agent.service").read_text()


@pytest.mark.parametrize("unit", DAEMONS)
def test_a_credential_is_a_secret_setting_and_none_is_missing(unit: str) -> None:
    fields = (Settings if "coordinator" in unit else AgentSettings).model_fields
    credentials = [each.partition(":") for each in all_of(unit, "LoadCredential")]
    assert {name for name, _, _ in credentials} == {
        name for name, field in fields.items() if "SecretStr" in str(field.annotation)
    }
    # With a path, a file that is not there would keep the unit from starting.
    assert not any("/" in source for _, _, source in credentials)


@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_is_started_from_where_packages_lie(unit: str) -> None:
    for command in all_of(unit, "ExecStart"):
        assert command.startswith("/usr/lib/farmhand/bin/farmhand" if unit in DAEMONS else "/usr/")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the root of a machine on which all that the units name is installed."""
    root = tmp_path_factory.mktemp("machine")
    units = root / "usr/lib/systemd/system"
    shutil.copytree(FOLDER, units, ignore=shutil.ignore_patterns("*.md", "*.d", "udev"))
    for place in ("/usr/lib/systemd/system", "/lib/systemd/system"):
        for known in ("sysinit", "basic", "shutdown", "network-online", "time-sync", "multi-user"):
            found = Path(place, f"{known}.target")
            if found.exists():
                shutil.copy(found, units)
    for unit in SERVICES:
        for command in all_of(unit, "ExecStart"):
            program = root / command.split()[0].lstrip("/")
            program.parent.mkdir(parents=True, exist_ok=True)
            program.touch(mode=0o755)
    return root


@analyze
def test_systemd_understands_every_line_of_every_unit(machine: Path) -> None:
    # It ends with 0 whatever it complains of.
    units = [path.name.replace("@.", "@left.") for path in FOLDER.iterdir() if path.suffix]
    wanted = sorted(name for name in units if name.endswith((".service", ".path")))
    assert said("systemd-analyze", "verify", "--man=no", f"--root={machine}", *wanted) == ""


@analyze
@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_is_shut_in(unit: str) -> None:
    told = said("systemd-analyze", "security", "--offline=true", "--no-pager", FOLDER / unit)
    found = re.search(r"exposure level for \S+: ([\d.]+)", told)
    assert found is not None
    assert float(found[1]) <= EXPOSURE_MAX


@pytest.mark.skipif(
    not shutil.which("systemd-sysusers") or not shutil.which("systemd-tmpfiles"),
    reason="there is no systemd",
)
def test_users_and_folders_are_made_as_the_units_want_them(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/group").write_text("root:x:0:\ndialout:x:20:\nvideo:x:44:\n")
    for config in sorted((FOLDER / "sysusers.d").iterdir()):
        assert "Failed" not in said("systemd-sysusers", f"--root={tmp_path}", config)
    users = {line.split(":")[0] for line in (tmp_path / "etc/passwd").read_text().splitlines()}
    assert {keys(unit)["User"] for unit in DAEMONS} <= users
    groups = (tmp_path / "etc/group").read_text()
    for group in keys("farmhand-agent.service")["SupplementaryGroups"].split():
        assert re.search(rf"^{group}:.*\bfarmhand-agent$", groups, re.MULTILINE)
    if (tmp_path / "etc/passwd").stat().st_uid != 0:
        return  # only root can give folders away
    for config in sorted((FOLDER / "tmpfiles.d").iterdir()):
        said("systemd-tmpfiles", "--create", f"--root={tmp_path}", config)
    for unit in DAEMONS:
        if "@" not in unit:
            folder = tmp_path / "var/lib" / keys(unit)["StateDirectory"]
            assert folder.stat().st_mode & 0o777 == int(keys(unit)["StateDirectoryMode"], 8)
            assert folder.stat().st_uid != 0


def test_rules_for_devices_lead_somewhere_and_name_vendors_as_the_kernel_does() -> None:
    rules = (FOLDER / "udev/70-farmhand.rules").read_text().splitlines()
    lines = [line for line in rules if line and line[0] != "#"]
    for number, line in enumerate(lines):
        for label in re.findall(r'GOTO="(\w+)"', line):
            assert f'LABEL="{label}"' in lines[number + 1 :], line
        for ids in re.findall(r'ATTRS\{id\w+\}=="([^"]*)"', line):
            assert re.fullmatch(r"[0-9a-f\[\]|-]+", ids), line
        for term in line.split(", "):
            assert re.fullmatch(r'[A-Z_]+(\{[\w.]+\})?(==|!=|=|\+=)"[^"]*"', term), term
    told = {name for line in lines for name in re.findall(r'ENV\{(ID_MM_\w+)\}="1"', line)}
    assert told == {"ID_MM_DEVICE_IGNORE", "ID_MM_PORT_IGNORE"}
