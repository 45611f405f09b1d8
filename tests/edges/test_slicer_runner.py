"""The port `Slicer` with the real slicing process and the real slicer."""

import asyncio
import shutil
import zipfile
from pathlib import Path

import pytest

from coordinator.adapters.slicing_runner.runner import ChildSlicer
from coordinator.domain.slicing import Making, SliceWish
from coordinator.errors import Refused, Unavailable
from tests.fakes.solids import write_box

MODEL = Path(__file__).resolve().parents[2] / "configs" / "dev" / "barn.stl"
PRINTER_CLASS = "farmhand-220"
MIB = 1024 * 1024


@pytest.fixture
def slicer() -> ChildSlicer:
    return ChildSlicer(timeout_s=300, memory_bytes_max=4096 * MIB)


def wish(**changes: object) -> SliceWish:
    given: dict[str, object] = {
        "model": MODEL,
        "name": "barn.stl",
        "printer_class": PRINTER_CLASS,
        "material": "PLA",
        "quality": "draft",
    }
    return SliceWish(**{**given, **changes})  # type: ignore[arg-type]


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("*.gcode*")]


async def test_a_model_is_looked_at(slicer: ChildSlicer) -> None:
    found = await slicer.inspect(
        MODEL, printer_classes=(), material="PLA", quality="standard", overrides={}
    )
    assert found.triangles > 0
    assert all(length > 0 for length in found.size_mm)
    assert PRINTER_CLASS in found.fits


async def test_the_materials_that_profiles_describe_are_told(slicer: ChildSlicer) -> None:
    found = {each.name: each for each in await slicer.materials()}
    assert found["pla"].nozzle_celsius > found["pla"].bed_celsius > 0


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"material": "unobtainium"}, "unknown_material"),
        ({"quality": "perfect"}, "unknown_quality"),
        ({"printer_classes": ("nowhere",)}, "unknown_printer_class"),
        ({"overrides": {"brimm": 4}}, "setting_invalid"),
        ({"overrides": {"infill": "130%"}}, "setting_invalid"),
    ],
)
async def test_what_nobody_knows_is_refused_before_anything_is_stored(
    slicer: ChildSlicer, asked: dict[str, object], code: str
) -> None:
    given: dict[str, object] = {
        "printer_classes": (),
        "material": "",
        "quality": "",
        "overrides": {},
    }
    with pytest.raises(Refused, match=r"unobtainium|perfect|nowhere|brimm|infill") as caught:
        await slicer.inspect(MODEL, **{**given, **asked})  # type: ignore[arg-type]
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "model_empty"),
        (b"this is a letter to my aunt\n" * 50, "model_broken"),
        (MODEL.read_bytes()[:1000], "model_broken"),
    ],
)
async def test_a_file_that_is_no_sound_model_is_refused(
    slicer: ChildSlicer, tmp_path: Path, body: bytes, code: str
) -> None:
    path = tmp_path / "bad.stl"
    path.write_bytes(body)
    with pytest.raises(Refused) as caught:
        await slicer.inspect(path, printer_classes=(), material="", quality="", overrides={})
    assert caught.value.code == code
    assert caught.value.message


async def test_a_model_becomes_gcode_and_progress_is_told(
    slicer: ChildSlicer, tmp_path: Path
) -> None:
    output, said = tmp_path / "plate.gcode", list[tuple[float, str]]()
    made = await slicer.slice(wish(), output, lambda *what: said.append(what))
    assert output.read_bytes().count(b"\n") == made.line_count
    assert made.layer_count > 1
    assert made.time_s is not None
    assert made.time_s > 60
    assert "prusa" in made.engine.lower()
    told = [ratio for ratio, _ in said]
    assert told == sorted(told)
    assert said[0] == (0.0, "loading")
    assert told[-1] <= 1
    assert names_in(tmp_path) == ["plate.gcode"]


async def test_a_setting_that_can_not_be_is_refused(slicer: ChildSlicer, tmp_path: Path) -> None:
    asked = wish(overrides={"layer_height": 9})
    with pytest.raises(Refused, match="layer_height"):
        await slicer.slice(asked, tmp_path / "plate.gcode", lambda *_: None)
    assert names_in(tmp_path) == []


async def test_how_a_models_numbers_are_meant_and_whose_it_is_reach_the_mesh(
    slicer: ChildSlicer, tmp_path: Path
) -> None:
    model, output = tmp_path / "brick.stl", tmp_path / "made"
    write_box(model, 1, 2, 3)
    output.mkdir()
    told = Making(
        unit="in", up="y", lay_flat=False, title="Brick", author="Anna", source="https://a.b"
    )
    made = await slicer.make_printable(model, told, output, lambda *_: None)
    assert made.size_mm == pytest.approx((25.4, 76.2, 50.8))
    text = zipfile.ZipFile(output / "model.3mf").read("3D/3dmodel.model").decode()
    for words in ('Title">Brick<', 'Designer">Anna<', "Source: https://a.b"):
        assert words in text


async def test_stopped_in_the_middle_it_leaves_nothing(slicer: ChildSlicer, tmp_path: Path) -> None:
    begun = asyncio.Event()
    task = asyncio.create_task(
        slicer.slice(wish(), tmp_path / "plate.gcode", lambda *_: begun.set())
    )
    async with asyncio.timeout(60):
        await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert names_in(tmp_path) == []


async def test_too_slow_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    hasty = ChildSlicer(timeout_s=0.5, memory_bytes_max=4096 * MIB)
    with pytest.raises(Unavailable, match="took longer than 0"):
        await hasty.slice(wish(), tmp_path / "plate.gcode", lambda *_: None)
    assert names_in(tmp_path) == []


async def test_a_slicer_that_is_not_installed_is_told(
    slicer: ChildSlicer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("prusa-slicer", path="/usr/local/bin:/opt") is not None:
        pytest.skip("it is installed where PATH is not asked")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="install") as caught:
        await slicer.slice(wish(), tmp_path / "plate.gcode", lambda *_: None)
    assert caught.value.code == "engine_missing"
