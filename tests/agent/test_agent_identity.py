"""What an agent got when it enrolled completes its settings, and contradicts none."""

import os
import stat
from pathlib import Path

import pytest

from agent.app import broker_of
from agent.enroll_command import enrol_at_first_start
from agent.enrolling import Wish, enrol, is_in_the_clear
from agent.errors import EnrolmentFailed, SettingsInvalid
from agent.identity import Identity, keep, read, with_identity
from agent.settings import AgentSettings, load
from agent.supervisor import Supervisor

NOBODY = Supervisor({})
IDENTITY = Identity(
    agent_id="pi-3",
    secret="s" * 43,
    mqtt_url="mqtts://farm.local:8883",
    coordinator_url="https://farm.local:8150",
)


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


def settings(folder: Path, *flags: str) -> AgentSettings:
    return with_identity(load(["--state-dir", str(folder), *flags]))


def test_an_agent_that_enrolled_needs_no_further_settings(tmp_path: Path) -> None:
    keep(tmp_path, IDENTITY, "the authority's certificate")
    found = settings(tmp_path)
    broker = broker_of(found)
    assert (broker.host, broker.port, broker.tls) == ("farm.local", 8883, True)
    assert (broker.username, broker.password) == ("pi-3", IDENTITY.secret)
    assert broker.ca_file == str(tmp_path / "authority.pem")
    assert found.coordinator_url == "https://farm.local:8150"
    assert found.token.get_secret_value() == f"agent_pi-3_{IDENTITY.secret}"


def test_what_is_set_wins(tmp_path: Path) -> None:
    keep(tmp_path, IDENTITY, "")
    found = settings(tmp_path, "--mqtt-url", "mqtt://other:1", "--token", "the farm's")
    assert (found.mqtt_url, found.token.get_secret_value()) == ("mqtt://other:1", "the farm's")
    assert found.agent_id == "pi-3"
    assert found.ca_file is None


def test_another_name_than_the_farm_knows_is_refused(tmp_path: Path) -> None:
    keep(tmp_path, IDENTITY, "")
    assert settings(tmp_path, "--agent-id", "pi-3").agent_id == "pi-3"
    with pytest.raises(SettingsInvalid, match="the farm knows this agent as 'pi-3'"):
        settings(tmp_path, "--agent-id", "pi-4")


def test_who_never_enrolled_goes_on_as_before(tmp_path: Path) -> None:
    found = settings(tmp_path, "--mqtt-password", "shared", "--mqtt-username", "farm")
    assert broker_of(found).username == "farm"
    assert found.mqtt_url == "mqtt://127.0.0.1:1883"


def test_it_is_kept_for_the_folders_owner_only_and_damage_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    keep(folder, IDENTITY, "certificate")
    path = folder / "credential.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_uid == folder.stat().st_uid
    assert read(folder) == IDENTITY
    for damage in ("", "{}", '{"agent_id": "pi-3"}', "[]"):
        path.write_text(damage)
        with pytest.raises(SettingsInvalid, match=r"is damaged: remove it and enrol again"):
            read(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_an_administrator_enrols_for_the_user_that_the_agent_runs_as(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    keep(tmp_path, IDENTITY, "certificate")
    for name in ("credential.json", "authority.pem"):
        assert (tmp_path / name).stat().st_uid == 12345


def test_a_token_in_the_settings_is_not_looked_at_once_the_agent_has_enrolled(
    tmp_path: Path,
) -> None:
    keep(tmp_path, IDENTITY, "")
    assert not enrol_at_first_start(settings(tmp_path, "--enroll-token", "enroll_1_2"), NOBODY)
    assert not enrol_at_first_start(load(["--state-dir", str(tmp_path / "other")]), NOBODY)


def test_the_secret_is_kept_before_it_is_sent_and_sent_again_with_the_same_token(
    tmp_path: Path,
) -> None:
    def attempt(token: str) -> str:
        wish = Wish(
            token=token,
            coordinator_url="http://127.0.0.1:9",
            state_dir=tmp_path,
            agent_id=None,
            host_name="pi",
            ca_file=None,
        )
        with pytest.raises(EnrolmentFailed, match="does not answer") as caught:
            enrol(wish)
        assert caught.value.retry
        pending = tmp_path / "enrolling.json"
        assert stat.S_IMODE(pending.stat().st_mode) == 0o600
        assert token not in pending.read_text()
        return pending.read_text()

    first = attempt("enroll_1_x")
    assert attempt("enroll_1_x") == first
    assert attempt("enroll_2_x") != first


def test_only_plain_http_beyond_this_machine_is_in_the_clear() -> None:
    assert is_in_the_clear("http://farm.local:8150")
    assert not is_in_the_clear("http://127.0.0.1:8150")
    assert not is_in_the_clear("https://farm.local:8150")
