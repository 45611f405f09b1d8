"""What every workshop keeps to: the fake of the tests, and the slicing process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from coordinator.adapters.slicing_runner.runner import ChildSlicer
from coordinator.domain.slicing import Making
from coordinator.errors import Refused, Unavailable
from coordinator.ports_workshop import Workshop
from tests.fakes.fake_workshop import FakeWorkshop
from tests.fakes.meshes import box
from tests.slicing.test_geometry import text

WORKSHOPS: dict[str, Callable[[], Workshop]] = {
    "fake": FakeWorkshop,
    "process": lambda: ChildSlicer(timeout_s=120, memory_bytes_max=4 << 30),
}


@pytest.fixture(params=WORKSHOPS)
def workshop(request: pytest.FixtureRequest) -> Workshop:
    return WORKSHOPS[request.param]()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "cube.stl"
    path.write_bytes(text(box(20, 20, 20)))
    return path


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    return folder


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_a_sound_model_is_printable_as_it_is(
    workshop: Workshop, model: Path, output: Path
) -> None:
    told: list[tuple[float, str]] = []
    made = await workshop.make_printable(
        model, Making(), output, lambda *how_far: told.append(how_far)
    )
    assert (made.format, made.triangles, made.size_mm) == (".3mf", 12, (20.0, 20.0, 20.0))
    assert made.watertight
    assert made.volume_mm3 == pytest.approx(8000)
    assert made.wall_min_mm == pytest.approx(20)
    assert (made.bodies, made.faults, made.overhang_ratio) == (1, (), 0)
    assert "farmhand-220" in made.fits
    assert told[0] == (0.0, "loading")


async def test_what_was_made_lies_in_the_folder_and_nothing_else(
    workshop: Workshop, model: Path, output: Path
) -> None:
    made = await workshop.make_printable(model, Making(), output, lambda *_: None)
    pictures = {each.path.name for each in made.pictures}
    assert names_in(output) == {"model.3mf", *pictures}
    assert pictures
    assert all(each.path.read_bytes().startswith(b"\x89PNG") for each in made.pictures)


async def test_a_size_that_is_wanted_is_kept(workshop: Workshop, model: Path, output: Path) -> None:
    wanted = Making(longest_mm=55.5, unit="in")
    made = await workshop.make_printable(model, wanted, output, lambda *_: None)
    assert max(made.size_mm) == pytest.approx(55.5)


async def test_what_is_no_model_is_refused_and_leaves_nothing(
    workshop: Workshop, tmp_path: Path, output: Path
) -> None:
    letter = tmp_path / "letter.stl"
    letter.write_text("Dear aunt,\n" * 40)
    with pytest.raises(Refused) as caught:
        await workshop.make_printable(letter, Making(), output, lambda *_: None)
    assert caught.value.message
    assert names_in(output) == set()


async def test_a_workshop_that_can_not_start_says_so(model: Path, output: Path) -> None:
    fake = FakeWorkshop()
    fake.trouble = "it is closed"
    missing = ChildSlicer(timeout_s=9, memory_bytes_max=1 << 30, command=("/no/such/program",))
    for workshop in (fake, missing):
        with pytest.raises(Unavailable):
            await workshop.make_printable(model, Making(), output, lambda *_: None)
