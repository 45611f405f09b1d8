"""Where a setting comes from, and what is no setting."""

from pathlib import Path

import pytest

from coordinator import state_place
from coordinator.cli import place
from coordinator.errors import SettingsInvalid
from coordinator.help_format import SECTIONS
from coordinator.settings import Settings, load

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Begin where nobody configured anything."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"FARMHAND_{name.upper()}", raising=False)
    for name in ("CREDENTIALS_DIRECTORY", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def test_without_anything_it_listens_on_this_machine_only(tmp_path: Path) -> None:
    settings = load()
    assert (settings.host, settings.broker_host) == ("127.0.0.1", "127.0.0.1")
    assert settings.state_dir == tmp_path / "state" / "farmhand"


def test_help_begins_with_what_people_need_first_and_has_a_place_for_every_setting(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in Settings.model_fields:
        assert any(name.startswith(beginnings) for _, beginnings in SECTIONS), name
    with pytest.raises(SystemExit):
        load(["--help"])
    said = capsys.readouterr().out
    places = [said.index(f"--{name}") for name in ("state-dir", "host", "token", "homeassistant")]
    assert places == sorted(places)
    assert "dict[" not in said
    assert "list[" not in said


def test_for_an_administrator_the_state_folder_is_that_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = tmp_path / "service"
    monkeypatch.setattr(state_place, "SERVICE", service)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    own = load().state_dir
    service.mkdir()
    assert load().state_dir == place.state_dir_default() == service != own
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert load().state_dir == own


def test_each_source_wins_over_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml = tmp_path / "config" / "farmhand" / "coordinator.toml"
    toml.parent.mkdir(parents=True)
    toml.write_text("port = 1001\n")
    assert load().port == 1001
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "port").write_text("1002")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert load().port == 1002
    (tmp_path / ".env").write_text("FARMHAND_PORT=1003\nOF_ANOTHER_PROGRAM=1\n")
    assert load().port == 1003
    monkeypatch.setenv("FARMHAND_PORT", "1004")
    assert load().port == 1004
    assert load(["--port", "1005"]).port == 1005


def test_a_key_that_nobody_knows_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARMHAND_PROT", "1")
    with pytest.raises(SettingsInvalid, match="FARMHAND_PROT"):
        load()
    monkeypatch.delenv("FARMHAND_PROT")
    (tmp_path / ".env").write_text("FARMHAND_PROT=1\n")
    with pytest.raises(SettingsInvalid, match=r"\.env sets FARMHAND_PROT"):
        load()
    (tmp_path / ".env").unlink()
    (tmp_path / "my.toml").write_text("prot = 1\n")
    with pytest.raises(SettingsInvalid, match="'prot'"):
        load(["--config", str(tmp_path / "my.toml")])


def test_keys_of_the_other_commands_are_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARMHAND_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("FARMHAND_AGENT_ID", "pi-1")
    assert load().port == 8150


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--port", "70000"], "'port'"),
        (["--port", "x"], "'port'"),
        (["--broker", "rabbit"], "'broker'"),
        (["--host", "a b"], "'host'"),
        (["--broker-host", "127.0.0.1\nallow_anonymous true"], "'broker_host'"),
        (["--public-url", "example.org"], "'public_url' can't be used: write http"),
        (["--broker-username", "farm"], "go together"),
        (["--tls-key-file", "key.pem"], "go together"),
        (["--broker-public-url", "farm.local"], "write mqtt://HOST:1883 or mqtts://HOST:8883"),
        (["--agents", "closed"], "'agents'"),
        (["--trusted-proxies", "my-proxy"], "'trusted_proxies'"),
        (["--oidc-issuer", "http://id.example", "--oidc-client-id", "f"], "write https"),
        (["--oidc-issuer", "https://id.example"], "go together"),
        (["--oidc-otherwise", "admin"], "'oidc_otherwise'"),
        (["--oidc-roles", '{"makers": "king"}'], "'oidc_roles"),
        (["--slicing-timeout-s", "0"], "'slicing_timeout_s'"),
        (["--upload-bytes-max", "-1"], "'upload_bytes_max'"),
        (["--gcode-policy", '{"colt": "warn"}'], "there is no rule colt; there are .*cold"),
    ],
)
def test_a_value_that_can_not_be_is_told(flags: list[str], words: str) -> None:
    with pytest.raises(SettingsInvalid, match=words):
        load(flags)


def test_a_file_that_is_no_toml_or_not_there_is_told(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    with pytest.raises(SettingsInvalid, match=f"--config names {path}, which is no file"):
        load(["--config", str(path)])
    path.write_text("port = \n")
    with pytest.raises(SettingsInvalid, match=f"{path} is no TOML"):
        load(["--config", str(path)])


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARMHAND_TOKEN", "geheim")
    monkeypatch.setenv("FARMHAND_PORT", "x")
    with pytest.raises(SettingsInvalid) as caught:
        load()
    monkeypatch.delenv("FARMHAND_PORT")
    assert "geheim" not in f"{caught.value} {load()!r}"


def test_the_example_names_every_setting_and_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each setting stands there commented out; taking the marks away changes nothing."""
    lines = (REPOSITORY / "configs" / "coordinator.toml").read_text().splitlines()
    settings = [line.removeprefix("#") for line in lines if line[:1] == "#" and line[1:2] != " "]
    (tmp_path / "all.toml").write_text("\n".join(settings))
    named = {line.split(" = ")[0] for line in settings}
    assert named == set(Settings.model_fields)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME")
    given = load(["--config", str(tmp_path / "all.toml")])
    assert given.model_dump() == load().model_dump()
