"""Where settings come from, and what is refused by name."""

from pathlib import Path

import pytest

from agent.errors import SettingsInvalid
from agent.settings import AgentSettings, load

TOML = 'agent_id = "from-toml"\nlog_level = "debug"\n'


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "agent.toml"
    path.write_text(TOML)
    return path


def test_the_nearest_source_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load([]).agent_id == "from-toml"
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "agent_id").write_text("from-credentials\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert load([]).agent_id == "from-credentials"
    (tmp_path / ".env").write_text("FARMHAND_AGENT_AGENT_ID=from-dotenv\nSOMETHING_ELSE=1\n")
    assert load([]).agent_id == "from-dotenv"
    monkeypatch.setenv("FARMHAND_AGENT_AGENT_ID", "from-variable")
    assert load([]).agent_id == "from-variable"
    settings = load(["--agent-id", "from-flag"])
    assert (settings.agent_id, settings.log_level) == ("from-flag", "debug")


def test_an_unknown_key_is_named_wherever_it_stands(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text('[[printers]]\nid = "p"\nprinter_class = "c"\ndrivr = "x"\n')
    with pytest.raises(SettingsInvalid, match=r"printers\.0\.drivr: no such setting"):
        load([])
    config.write_text(TOML)
    monkeypatch.setenv("FARMHAND_AGENT_COLOUR", "red")
    with pytest.raises(SettingsInvalid, match="FARMHAND_AGENT_COLOUR: no such setting"):
        load([])
    monkeypatch.delenv("FARMHAND_AGENT_COLOUR")
    (tmp_path / ".env").write_text("FARMHAND_AGENT_TOKENN=x\n")
    with pytest.raises(SettingsInvalid, match="FARMHAND_AGENT_TOKENN: no such setting"):
        load([])


def test_a_credential_that_is_no_setting_is_named_but_for_keys_of_printers(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    (credentials / "mk4.key").write_text("of its host")
    assert load([]).agent_id == "from-toml"
    (credentials / "tokenn").write_text("x")
    with pytest.raises(SettingsInvalid, match="tokenn: no such setting"):
        load([])


def test_for_an_administrator_the_state_folder_is_that_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = tmp_path / "service"
    monkeypatch.setattr("agent.settings.SERVICE_STATE", service)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    own = AgentSettings().state_dir
    assert own != service
    service.mkdir()
    assert AgentSettings().state_dir == service
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert AgentSettings().state_dir == own


def test_a_printer_clears_its_bed_itself_only_where_it_was_told_how(config: Path) -> None:
    config.write_text(
        '[[printers]]\nid = "p"\nprinter_class = "c"\nbed_policy = "self_clearing"\n'
        'ejection = ["M190 R30", "G1 Y200"]\n'
    )
    assert load([]).printers[0].ejection == ["M190 R30", "G1 Y200"]
    for half in ('bed_policy = "self_clearing"', 'ejection = ["G1"]'):
        config.write_text(f'[[printers]]\nid = "p"\nprinter_class = "c"\n{half}\n')
        with pytest.raises(SettingsInvalid, match="needs `ejection`"):
            load([])


def test_a_wrong_value_is_named_and_a_secret_is_not_shown() -> None:
    with pytest.raises(SettingsInvalid, match="mqtt_url"):
        load(["--mqtt-url", "http://elsewhere"])
    assert "sesame" not in repr(load(["--token", "sesame"]))


def test_the_example_is_valid() -> None:
    example = Path(__file__).parents[2] / "configs" / "agent.toml"
    assert load(["--config", str(example)]).mqtt_url == "mqtt://127.0.0.1:1883"
