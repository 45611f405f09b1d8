"""The slicing benchmark works: small runs of it; how fast anything is is never asserted here."""

import pytest

from tests.benchmarks import printable, slicing_pipeline, slicing_repair
from tests.benchmarks.slicing import main
from tests.fakes.meshes import MODELS, broken


def test_the_judge_tells_whole_from_broken() -> None:
    corners, volume_mm3 = broken("box", "one triangle lost")
    assert not slicing_repair.whole(corners, volume_mm3=volume_mm3, bodies=1)
    mended = slicing_repair.ours(corners)
    assert slicing_repair.whole(mended, volume_mm3=volume_mm3, bodies=1)
    assert not slicing_repair.whole(mended, volume_mm3=volume_mm3, bodies=2)
    assert not slicing_repair.whole(mended, volume_mm3=1.05 * volume_mm3, bodies=1)


def test_what_trimesh_alone_can_not_mend_is_mended() -> None:
    assert slicing_repair.mended(slicing_repair.ours, ["box"], "a patch lost")[0] == 1
    assert slicing_repair.mended(slicing_repair.trimesh_alone, ["box"], "a patch lost")[0] == 0
    assert len(MODELS) == 8


def test_the_pipeline_is_measured_beside_the_bare_engine() -> None:
    lines = list(slicing_pipeline.overhead(1, rings=12))
    assert [reached is None for reached, _ in lines] == [True] * 4 + [False]
    assert "of its engine's CPU" in lines[-1][1]


def test_making_printable_is_measured_beside_trimesh() -> None:
    [(reached, words)] = printable.sizes(1, rings={"small": 12})
    assert reached is None
    assert "528 triangles" in words
    assert "ratio" in words


def test_an_unknown_part_is_refused_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["speed"])
    assert "overhead, memory, repair, scan" in capsys.readouterr().err
