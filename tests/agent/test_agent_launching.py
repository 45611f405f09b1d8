"""Which version is started: counted, gone back from, and found again after anything."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import launching
from agent.launcher import runs, state_dir_of, verb_first
from agent.launching import DEATHS_MAX, INSTALLED, TRIES_MAX, Standing

OVER = "0.1.0"
ON_TRIAL = launching.try_out(Standing(), "0.2.0", trial_s=60.0, over=OVER)
SETTLED = launching.settled(launching.launch(ON_TRIAL, installed=OVER).standing)


def starts(standing: Standing, count: int) -> tuple[list[str], Standing]:
    versions = []
    for _ in range(count):
        launch = launching.launch(standing, installed=OVER)
        standing = launch.standing
        versions.append(launch.version)
    return versions, standing


def test_a_version_that_never_settles_is_gone_back_from() -> None:
    versions, standing = starts(ON_TRIAL, TRIES_MAX + 2)
    assert versions == ["0.2.0"] * TRIES_MAX + [INSTALLED] * 2
    assert (standing.told.version, standing.told.phase) == ("0.2.0", "rolled_back")


def test_only_a_trial_has_an_end_that_nobody_can_put_off() -> None:
    assert launching.launch(ON_TRIAL, installed=OVER).within_s == 60.0
    for standing in (Standing(), SETTLED):
        assert launching.launch(standing, installed=OVER).within_s is None


def test_a_version_that_settled_and_keeps_dying_is_gone_back_from() -> None:
    versions, standing = starts(SETTLED, DEATHS_MAX + 1)
    assert versions == ["0.2.0"] * DEATHS_MAX + [INSTALLED]
    assert standing.told.phase == "rolled_back"


def test_a_version_that_lasted_is_never_gone_back_from_by_itself() -> None:
    versions, _ = starts(launching.lasted(SETTLED), 50)
    assert versions == ["0.2.0"] * 50


def test_going_back_leads_to_the_version_before_not_to_what_is_installed() -> None:
    lasting = launching.lasted(SETTLED)
    newer = launching.try_out(lasting, "0.3.0", trial_s=60.0, over=OVER)
    assert starts(newer, TRIES_MAX + 1)[0][-1] == "0.2.0"
    settled = launching.settled(launching.launch(newer, installed=OVER).standing)
    assert starts(settled, DEATHS_MAX + 1)[0][-1] == "0.2.0"


def test_who_installs_another_version_by_hand_gets_it() -> None:
    for standing in (ON_TRIAL, launching.lasted(SETTLED)):
        launch = launching.launch(standing, installed="0.5.0")
        assert (launch.version, launch.standing) == (INSTALLED, Standing())


def test_a_version_that_changes_the_journal_is_left_with_the_journal_as_it_was(
    tmp_path: Path,
) -> None:
    journal = tmp_path / launching.JOURNAL
    (tmp_path / launching.FOLDER).mkdir()
    journal.write_text("as it was")
    launching.keep_journal(tmp_path)
    journal.write_text("in a newer form")
    journal.with_name(f"{journal.name}-wal").write_text("more of it")
    launching.bring_journal_back(tmp_path)
    assert journal.read_text() == "as it was"
    assert not journal.with_name(f"{journal.name}-wal").exists()


def test_once_it_settled_there_is_no_way_back_by_itself_to_who_can_not_read_the_journal() -> None:
    trial = launching.try_out(Standing(), "0.2.0", trial_s=60.0, over=OVER, journal_kept=True)
    assert not starts(trial, TRIES_MAX + 1)[1].journal_kept
    settled = launching.settled(launching.launch(trial, installed=OVER).standing)
    assert starts(settled, 20)[0] == ["0.2.0"] * 20


def test_what_was_written_is_read_and_nonsense_means_what_is_installed(tmp_path: Path) -> None:
    assert launching.read(tmp_path) == Standing()
    launching.write(tmp_path, SETTLED)
    assert launching.read(tmp_path) == SETTLED
    (tmp_path / launching.FOLDER / "standing.json").write_text('{"current": 1, "told": {}, "x": 2}')
    assert launching.read(tmp_path) == Standing()


@given(
    st.lists(st.sampled_from(["start", "settle", "last", "update"]), max_size=40),
)
def test_whatever_happens_something_that_ran_before_is_never_far(happenings: list[str]) -> None:
    standing, ran, unsettled = Standing(), {INSTALLED}, 0
    for number, happened in enumerate(happenings):
        match happened:
            case "start":
                launch = launching.launch(standing, installed=OVER)
                standing = launch.standing
                unsettled = 0 if launch.version in ran else unsettled + 1
                assert unsettled <= TRIES_MAX
            case "settle" if standing.trial is not None and standing.starts:
                ran.add(standing.trial)
                standing = launching.settled(standing)
                unsettled = 0
            case "last" if standing.trial is None:
                standing = launching.lasted(standing)
            case "update" if standing.trial is None:
                standing = launching.try_out(standing, f"1.0.{number}", trial_s=5.0, over=OVER)
                unsettled = 0
            case _:
                pass
        assert standing.current in ran


@pytest.mark.parametrize(
    ("arguments", "starts_one"),
    [
        ([], True),
        (["--config", "x.toml"], True),
        (["--state-dir=/x", "--log-level", "debug"], True),
        (["check"], False),
        (["discover", "--json"], False),
        (["--drain", "--timeout", "5"], False),
        (["--version"], False),
    ],
)
def test_only_an_agent_is_put_on_trial_never_a_command(
    arguments: list[str], starts_one: bool
) -> None:
    assert runs(arguments) is starts_one


def test_the_state_folder_is_found_where_the_agents_settings_find_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "agent.toml"
    config.write_text('state_dir = "/from/toml"\n')
    file = ["--config", str(config)]
    monkeypatch.chdir(tmp_path)
    variables = {"FARMHAND_AGENT_STATE_DIR": "/from/variable", "STATE_DIRECTORY": "/from/systemd"}
    assert state_dir_of([*file, "--state-dir=/from/flag"], variables) == Path("/from/flag")
    assert state_dir_of([*file, "--state-dir", "/from/flag"], variables) == Path("/from/flag")
    assert state_dir_of(file, variables) == Path("/from/variable")
    assert state_dir_of(file, {"STATE_DIRECTORY": "/from/systemd"}) == Path("/from/toml")
    assert state_dir_of([], {}) == Path("/from/toml")
    config.unlink()
    assert state_dir_of([], {"STATE_DIRECTORY": "/a:/b"}) == Path("/a")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("--config agent.toml check --timeout 5", "check --timeout 5 --config agent.toml"),
        ("--config=agent.toml enroll TOKEN", "enroll TOKEN --config=agent.toml"),
        ("check --config agent.toml", "check --config agent.toml"),
        ("--config check", "--config check"),
        ("--config agent.toml --drain", "--config agent.toml --drain"),
        ("--drain doctor", "doctor --drain"),
        ("--config agent.toml chek", "--config agent.toml chek"),
        ("", ""),
    ],
)
def test_settings_may_stand_before_a_verb_as_behind_it(said: str, meant: str) -> None:
    assert verb_first(said.split()) == meant.split()


def test_a_verb_behind_settings_starts_no_agent() -> None:
    assert not runs(verb_first(["--config", "agent.toml", "check"]))
    assert runs(verb_first(["--config", "agent.toml"]))
