"""A seed of `prove printable`, and that its judge can tell a miss."""

from pathlib import Path

import pytest

from tests.fakes import bad_files, bad_models
from tests.fakes.good_models import generated, real
from tests.fakes.meshes import box
from tests.proofs import printable


def test_there_are_sixty_models_of_either_kind() -> None:
    assert len(printable.BAD) == len(set(printable.BAD)) >= 60
    assert len(generated()) >= 60
    assert real()


@pytest.mark.parametrize(
    "name", ["an eggshell", "a speck far away", "a cut PLY", "a GLB that points beyond"]
)
def test_a_bad_model_is_caught_for_what_is_wrong_with_it(tmp_path: Path, name: str) -> None:
    assert printable.missed(name, tmp_path) == ""


@pytest.mark.parametrize("name", ["barn.stl", "bracket 40"])
def test_a_good_model_is_printable_and_keeps_its_size(tmp_path: Path, name: str) -> None:
    ((_, model),) = printable.good_models([name])
    assert printable.wronged(model, tmp_path) == ""


def test_the_judge_tells_what_was_not_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = bad_models.Bad(draw=box, fault="too large")
    mended = bad_models.Bad(draw=bad_models.MESHES["a film"].draw, remark="closed")
    monkeypatch.setitem(bad_models.MESHES, "sound", sound)
    monkeypatch.setitem(bad_models.MESHES, "mended", mended)
    monkeypatch.setitem(bad_files.FILES, "a cube", (*bad_files.FILES["a cut STL"][:2], "engine"))
    assert "told as 'none'" in printable.missed("sound", tmp_path)
    assert "could be mended" in printable.missed("mended", tmp_path)
    assert "not refused with engine" in printable.missed("a cube", tmp_path)


def test_the_judge_tells_a_good_model_that_is_called_bad(tmp_path: Path) -> None:
    assert "it is told" in printable.wronged(box(900, 20, 20), tmp_path)
