"""The page of one printer in a real browser, before a real farm with drawn cameras."""

import shutil
from collections.abc import Iterator

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.edges.test_demo import box
from tests.fakes.farm_on_show import CHROMIUM, FarmOnShow, browser, farm_on_show, watched_page

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.skipif(shutil.which("prusa-slicer") is None, reason="prusa-slicer is missing"),
    pytest.mark.xdist_group("page"),
]

HERE = "/printers/printer-1"


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarmOnShow]:
    folder = tmp_path_factory.mktemp("farm")
    model = folder / "first.stl"
    model.write_text(box(12, 4))
    with farm_on_show(folder, model, printers=1, speed=200) as shown:
        yield shown


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture
def page(chromium: Browser, farm: FarmOnShow) -> Iterator[Page]:
    with watched_page(chromium, farm.url) as found:
        found.goto(f"{farm.url}{HERE}#token={farm.token}")
        expect(found.get_by_role("heading", name="Printer 1", level=1)).to_be_visible()
        yield found


def test_the_camera_shows_the_bed_says_when_and_goes_on_while_it_is_looked_at(page: Page) -> None:
    picture = page.get_by_role("img", name="what the camera at Printer 1 sees")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") == 320
    expect(page.get_by_label("Camera")).to_contain_text("taken")
    first = picture.get_attribute("src")
    expect(picture).not_to_have_attribute("src", str(first))


def test_temperatures_are_drawn_and_told_in_a_table(page: Page) -> None:
    told = page.get_by_role("table", name="Temperatures of the last hour")
    expect(told.get_by_role("row", name="tool0")).to_contain_text("°C")
    expect(page.locator(".drawing canvas")).to_have_count(1)
    page.get_by_role("button", name="the last day").click()
    expect(page.get_by_role("table", name="Temperatures of the last day")).to_be_visible()


def test_a_heater_is_set_the_head_moved_and_the_fan_turned(page: Page) -> None:
    heat = page.get_by_label("Heat and fan")
    heat.get_by_label("Target of bed").fill("41")
    heat.get_by_role("button", name="Set bed").click()
    expect(heat).to_contain_text("→ 41 °C")
    heat.get_by_role("button", name="bed off").click()
    expect(heat).not_to_contain_text("→ 41 °C")
    page.get_by_role("button", name="Home all").click()
    page.get_by_role("button", name="1 mm", exact=True).click()
    page.get_by_role("button", name="Up: Z +1 mm").click()
    page.get_by_role("button", name="Fan 50 %").click()
    page.get_by_text("Terminal").click()
    page.get_by_label("Line to send").fill("M114")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".terminal pre")).to_contain_text(" Z1 ")


def test_what_it_is_to_people_is_changed_and_maintenance_done(page: Page) -> None:
    page.get_by_label("About it").get_by_role("button", name="Change").click()
    page.get_by_label("Place").fill("shelf 2")
    page.get_by_label("Tags").fill("enclosed, loud")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("About it")).to_contain_text("enclosed, loud")
    upkeep = page.get_by_label("Maintenance")
    upkeep.get_by_text("Add a task").click()
    upkeep.get_by_label("Task").fill("oil the rods")
    upkeep.get_by_label("Every").fill("30")
    upkeep.get_by_role("button", name="Add").click()
    expect(upkeep).to_contain_text("0 of 30 h printed")
    upkeep.get_by_role("button", name="oil the rods is done").click()
    expect(page.get_by_text("oil the rods: done.")).to_be_visible()


def test_the_last_run_shows_how_the_bed_looked_in_the_end(page: Page) -> None:
    runs = page.get_by_label("Last runs")
    expect(runs).to_contain_text("finished")
    runs.get_by_role("button", name="How first.stl looked in the end").click()
    expect(page.get_by_role("img", name="the bed when first.stl ended")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_at_360_pixels_nothing_is_cut_off_and_everybody_can_read_it(
    chromium: Browser, farm: FarmOnShow, scheme: str
) -> None:
    with watched_page(chromium, farm.url, width=360, height=740) as page:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(f"{farm.url}{HERE}#token={farm.token}")
        expect(page.get_by_role("table", name="Temperatures of the last hour")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        found = Axe().run(page).response["violations"]
        serious = [each for each in found if each["impact"] in ("serious", "critical")]
        assert not serious, serious
