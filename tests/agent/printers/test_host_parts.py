"""What the drivers of print hosts share: handles, files, contact, settings."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent.errors import SettingsInvalid
from agent.printers.driver import RunState
from agent.printers.host_contact import BACK_OFF_S_MAX, Contact
from agent.printers.host_folder import Stored, plate_path, run_path, surplus
from agent.printers.host_handle import Handle, HandleFile
from agent.printers.octoprint import OctoPrintSettings
from protocols.wire.vocabulary import RunId

HANDLE = Handle(run_id=RunId("run-1"), job="farmhand/run-1.gcode", mark="0 0")


def test_a_handle_outlives_its_process_and_a_damaged_file_is_none(tmp_path: Path) -> None:
    path = tmp_path / "printers" / "p1" / "host_run.json"
    file = HandleFile(path)
    assert file.load() is None
    for handle in (HANDLE, HANDLE.end(RunState.FAILED, "it broke")):
        file.save(handle)
        assert HandleFile(path).load() == handle
    for damage in ("", "{", "[]", '{"ended": "sideways"}', '{"ended": null, "job": 1}'):
        path.write_text(damage)
        assert HandleFile(path).load() is None


def test_a_run_ends_once() -> None:
    ended = HANDLE.end(RunState.FINISHED)
    assert ended.end(RunState.FAILED, "late") is ended


def stored(path: str, date_s: float, size_bytes: int = 10) -> Stored:
    return Stored(path=path, size_bytes=size_bytes, date_s=date_s)


def test_the_oldest_plates_go_when_room_is_short_and_those_in_use_never() -> None:
    files = [stored(plate_path(name), date_s) for date_s, name in enumerate("abcd")]
    kept: dict[str, Any] = {"jobs": [], "plates": ["a"]}
    assert surplus(files, **kept, bytes_max=40) == []
    assert surplus(files, **kept, bytes_max=30) == [plate_path("b")]
    assert surplus(files, **kept, bytes_max=0) == [plate_path(name) for name in "dcb"]


def test_other_runs_files_go_and_what_is_not_ours_stays() -> None:
    mine, other = run_path(RunId("run-1")), run_path(RunId("run-2"))
    strange = ["vase.gcode", "farmhand/notes.txt", "farmhand/more/x.gcode", "other/run-3.gcode"]
    files = [stored(path, 0) for path in (mine, other, *strange)]
    assert surplus(files, jobs=[mine], plates=[], bytes_max=0) == [other]


def test_a_loss_is_told_once_and_so_is_its_end() -> None:
    now_s = 100.0
    with capture_logs() as logs:
        from structlog import get_logger

        contact = Contact(get_logger(), now=lambda: now_s)
        contact.heard()
        delays = [contact.lost(f"reason {number}") for number in range(8)]
        now_s = 135.0
        assert contact.age_s == 35
        assert "35 s old" in contact.findings[0].words
        contact.heard()
        assert contact.lost("again") == delays[0]
    assert delays == sorted(delays)
    assert delays[-1] == BACK_OFF_S_MAX
    assert [entry["event"] for entry in logs] == ["host.lost", "host.back", "host.lost"]
    assert logs[1]["gone_s"] == 35


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"api_key": "k"}, "'url' is missing"),
        ({"url": "octopi.local", "api_key": "k"}, "not like http"),
        ({"url": "http://octopi.local"}, "either 'api_key' or 'api_key_file'"),
        ({"url": "http://octopi.local", "api_key": 7}, "'api_key' must be text"),
        ({"url": "http://octopi.local", "api_key": "k", "connect": 1}, "true or false"),
        ({"url": "http://octopi.local", "api_key": "k", "bed_x_mm": -1}, "positive"),
        ({"url": "http://octopi.local", "api_key": "k", "apikey": "k"}, "'apikey' is no setting"),
    ],
)
def test_wrong_settings_name_their_key(table: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsInvalid, match=words):
        OctoPrintSettings.parse(table)


def test_a_key_may_lie_in_a_file_among_the_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mk3.key").write_text("secret\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    table = {"url": "http://octopi.local", "api_key_file": "mk3.key"}
    assert OctoPrintSettings.parse(table).key == "secret"
    with pytest.raises(SettingsInvalid, match="api_key_file"):
        assert OctoPrintSettings.parse({**table, "api_key_file": "gone.key"}).key
