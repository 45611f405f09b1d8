"""Surveys that are kept beside their plates."""

import hashlib
import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from agent.printers import surveys
from agent.printers.driver import PlateFile
from agent.printers.surveys import SUFFIX, Surveys
from protocols.gcode.survey import survey

BEGIN = b";LAYER_CHANGE\n;Z:0.2\nG1 X10 Y20 Z0.2 E1 F1200\n"
BODY = b";TYPE:Solid infill\nG1 X10 Y25 E1\nM104 S200 T1\nM0 wait\n"


@pytest.fixture
def plate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlateFile:
    monkeypatch.setattr(surveys, "APART_BYTES_MIN", 1)
    path = tmp_path / "plate"
    path.write_bytes(BEGIN + BODY * 100)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return PlateFile(path=path, sha256=digest, name="plate")


def kept(plate: PlateFile) -> Path:
    return plate.path.with_name(plate.path.name + SUFFIX)


def forbid_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveys.surveying, "__name__", "nothing_that_could_be_run")


def test_a_plate_is_surveyed_once_for_all_processes(
    plate: PlateFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Surveys().of(plate)
    with plate.path.open("rb") as file:
        assert first == survey(file)
    forbid_reading(monkeypatch)
    assert Surveys().of(plate) == first


def test_what_was_kept_counts_only_whole_and_of_this_plate_and_this_code(
    plate: PlateFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Surveys().of(plate)
    whole = kept(plate).read_bytes()
    for spoilt in (b"", b"\x80", whole[:-1], whole.replace(b"tool", b"fool"), whole[:200]):
        if spoilt != whole:
            kept(plate).write_bytes(spoilt)
            assert Surveys().of(plate) == first
            assert kept(plate).read_bytes() == whole
    other = replace(plate, sha256="0" * 64)
    assert surveys._load(plate) is not None
    assert surveys._load(other) is None
    monkeypatch.setattr(surveys, "_made_by", lambda: "other")
    assert surveys._load(plate) is None


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("true",)


def test_a_kept_survey_can_build_nothing_but_surveys(plate: PlateFile) -> None:
    data = pickle.dumps(Evil())
    kept(plate).write_bytes(surveys._header(plate, data) + data)
    assert surveys._load(plate) is None
    with pytest.raises(pickle.UnpicklingError, match="system"):
        surveys._read(data)


def test_a_card_without_room_costs_only_the_keeping(
    plate: PlateFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert Surveys().of(plate).line_count == 201
    assert not kept(plate).exists()
