"""What every engine keeps to, judged on real models through the whole pipeline.

An engine that is not installed is judged by how it says so.
"""

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from slicing.curawasm_setup import fetch
from slicing.engine import Engine
from slicing.errors import (
    EngineMissing,
    EngineTimedOut,
    ModelTooLarge,
    ModelUnprintable,
    SettingsRefused,
    SlicingError,
)
from slicing.pipeline import make_plate
from slicing.registry import engine_names, open_engine
from slicing.request import SliceRequest
from slicing.results import SliceResult
from tests.fakes.solids import box, write_stl


def write_obj(path: Path, triangles: Any) -> None:
    corners = sorted({corner for face in triangles for corner in face})
    lines = [f"v {x} {y} {z}" for x, y, z in corners]
    lines += [
        "f " + " ".join(str(corners.index(corner) + 1) for corner in face) for face in triangles
    ]
    path.write_text("\n".join(lines) + "\n")


def write_3mf(path: Path, triangles: Any) -> None:
    corners = sorted({corner for face in triangles for corner in face})
    vertices = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in corners)
    faces = "".join(
        '<triangle v1="{}" v2="{}" v3="{}"/>'.format(*(corners.index(corner) for corner in face))
        for face in triangles
    )
    core = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "3D/3dmodel.model",
            f'<model unit="millimeter" xmlns="{core}"><resources><object id="1" type="model">'
            f"<mesh><vertices>{vertices}</vertices><triangles>{faces}</triangles></mesh></object>"
            '</resources><build><item objectid="1"/></build></model>',
        )


WRITERS: dict[str, Callable[[Path, Any], None]] = {
    "stl": write_stl,
    "obj": write_obj,
    "3mf": write_3mf,
}


@dataclass
class Bench:
    """One engine, and a folder to work in."""

    engine: Engine
    folder: Path
    told: list[tuple[float, str]] = field(default_factory=list)

    def slice(
        self,
        size: tuple[float, float, float] = (30, 20, 4),
        *,
        suffix: str = "stl",
        on_report: Callable[[float, str], None] = lambda _ratio, _stage: None,
        **changes: Any,
    ) -> SliceResult:
        model = self.folder / f"model.{suffix}"
        WRITERS[suffix](model, box(*size))
        request = SliceRequest(
            **{
                "kind": "slice",
                "model_path": model,
                "printer": "farmhand-220",
                "material": "pla",
                "quality": "draft",
                "engine": self.engine.name,
                "output_path": self.out / "plate.gcode",
                **changes,
            }
        )

        def report(ratio: float, stage: str) -> None:
            self.told.append((ratio, stage))
            on_report(ratio, stage)

        return make_plate(request, report)

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def plate(self) -> list[str]:
        return (self.out / "plate.gcode").read_text().splitlines()

    def refuses(self, kind: type[SlicingError], **changes: Any) -> None:
        with pytest.raises(kind):
            self.slice(**changes)
        assert list(self.out.iterdir()) == []


@cache
def wasm_fetched() -> bool:
    """Whether CuraEngine as WebAssembly is here; it is fetched once where npm answers."""
    with suppress(EngineMissing):
        fetch()
        return True
    return False


@pytest.fixture(params=engine_names())
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    engine = open_engine(request.param)
    try:
        if request.param == "curawasm":
            wasm_fetched()
        engine.installation()
    except EngineMissing as missing:
        pytest.skip(f"not installed here: {missing}")
    (tmp_path / "out").mkdir()
    return Bench(engine, tmp_path)


@pytest.mark.parametrize("name", engine_names())
def test_an_engine_that_is_missing_says_how_to_get_it(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("FARMHAND_ENGINES_FOLDER", str(tmp_path))
    with pytest.raises(EngineMissing, match=r"not installed.*: .*install"):
        open_engine(name).installation()


def test_it_tells_the_version_that_it_has(bench: Bench) -> None:
    assert bench.engine.version()[0].isdigit()


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_model_becomes_a_plate_in_the_middle_of_the_bed(bench: Bench, suffix: str) -> None:
    made = bench.slice(suffix=suffix)
    assert list(bench.out.glob("*.gcode")) == [Path(made.output_path)]
    (low_x, low_y, low_z), (high_x, high_y, high_z) = made.bounds_mm
    assert [low_x + high_x, low_y + high_y] == pytest.approx([220, 220], abs=0.5)
    assert [high_x - low_x, high_y - low_y] == pytest.approx([30, 20], abs=0.8)
    assert (low_z, high_z) == pytest.approx((0.28, 4), abs=0.29)
    assert 13 <= made.layers <= 15
    # A box of 2.4 cm3 with few layers: its shell alone is more than a third of it.
    assert 0.9 < made.filament_g < 3.2
    assert made.filament_mm == pytest.approx(made.filament_g / 1.24e-3 / 2.405, rel=0.02)
    assert 120 < made.time_s < 1500
    assert (made.engine, made.engine_version) == (bench.engine.name, bench.engine.version())


def test_progress_is_told_and_never_goes_back(bench: Bench) -> None:
    bench.slice()
    ratios = [ratio for ratio, _ in bench.told]
    assert len(set(ratios)) >= 5
    assert all(before <= after for before, after in pairwise(ratios))
    assert all(0 <= ratio <= 1 for ratio in ratios)


def test_equal_requests_give_equal_moves_where_it_says_so(bench: Bench) -> None:
    moves = []
    for _ in range(2):
        bench.slice()
        moves.append([line for line in bench.plate if not line.startswith(";")])
    assert moves[0] == moves[1] or not bench.engine.capabilities.deterministic


def test_the_heaters_are_set_as_the_material_wants_them(bench: Bench) -> None:
    bench.slice(material="petg")
    lines = [line.partition(";")[0].split() for line in bench.plate]
    heats = [" ".join(words) for words in lines if words[:1] in (["M104"], ["M109"])]
    # Warm, then hot, then the other layers, then off.
    assert list(dict.fromkeys(heats)) == ["M104 S160", "M109 S235", "M104 S240", "M104 S0"]


def extruded(lines: list[str]) -> Iterator[float]:
    """Every change of the filament's position that a file asks for, in mm."""
    relative, position = False, 0.0
    for line in lines:
        words = line.partition(";")[0].split()
        if words[:1] in (["M82"], ["M83"], ["G90"], ["G91"]):
            relative = words[0] in ("M83", "G91")
        values = [float(word[1:]) for word in words if word[0] == "E"]
        if words[:1] == ["G92"]:
            position = values[0] if values else position
        elif values:
            yield values[0] if relative else values[0] - position
            position = position + values[0] if relative else values[0]


def test_the_filament_is_never_pulled_back_by_more_than_a_retraction(bench: Bench) -> None:
    bench.slice()
    changes = list(extruded(bench.plate))
    assert sum(changes) > 100
    assert min(changes) >= -5.0


def test_wishes_reach_the_plate(bench: Bench) -> None:
    plain = bench.slice(size=(30, 20, 10))
    full = bench.slice(size=(30, 20, 10), settings={"infill": 100})
    assert full.filament_g > 1.3 * plain.filament_g
    wide = bench.slice(size=(30, 20, 10), settings={"brim": 5, "layer_height": 0.14})
    assert wide.bounds_mm[0][0] == pytest.approx(plain.bounds_mm[0][0] - 5, abs=0.8)
    assert wide.layers > 1.8 * plain.layers


def test_stopping_ends_the_program_and_leaves_nothing(bench: Bench) -> None:
    class Stop(BaseException):
        pass

    def stop(ratio: float, _stage: str) -> None:
        if ratio > 0.1:
            raise Stop

    before = children()
    with pytest.raises(Stop):
        bench.slice(on_report=stop)
    assert list(bench.out.iterdir()) == []
    assert children() <= before


def children() -> set[str]:
    """The processes that this one has started and that still run."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_nonsense_is_refused_by_its_kind(bench: Bench) -> None:
    bench.refuses(ModelUnprintable, size=(20, 0.05, 20))
    bench.refuses(ModelTooLarge, size=(300, 20, 20))
    bench.refuses(ModelTooLarge, size=(20, 20, 300))
    bench.refuses(SettingsRefused, settings={"layer_height": 0.5})
    bench.refuses(EngineTimedOut, limits={"engine_s_max": 0.01})
