"""The page in a real browser, before a real farm: what a person does there."""

import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from tests.edges.test_demo import box
from tests.fakes.farm_on_show import CHROMIUM, FarmOnShow, browser, farm_on_show, watched_page
from tests.fakes.model_files import inch_3mf, textured_glb

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.skipif(shutil.which("prusa-slicer") is None, reason="prusa-slicer is missing"),
    pytest.mark.xdist_group("page"),
]

VIEWS = (
    "/",
    "/todo",
    "/queue",
    "/models",
    "/generate",
    "/wall",
    "/printers/printer-1",
    "/p/printer-1",
)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarmOnShow]:
    folder = tmp_path_factory.mktemp("farm")
    model = folder / "first.stl"
    model.write_text(box(12, 4))
    with farm_on_show(folder, model, printers=2, speed=200) as shown:
        yield shown


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture
def page(chromium: Browser, farm: FarmOnShow) -> Iterator[Page]:
    with watched_page(chromium, farm.url) as found:
        yield found


def enter(page: Page, farm: FarmOnShow) -> None:
    page.goto(f"{farm.url}/#token={farm.token}")
    expect(page.get_by_role("link", name="Printer 1", exact=True)).to_be_visible()


def test_a_stranger_sees_the_way_in_and_nothing_of_the_farm(
    chromium: Browser, farm: FarmOnShow
) -> None:
    with watched_page(chromium, farm.url, bears="401 (Unauthorized)") as page:
        page.goto(farm.url)
        expect(page.get_by_label("Password")).to_be_visible()
        assert "Printer 1" not in page.content()
        page.get_by_text("With the farm's token").click()
        page.get_by_label("Token").fill("of another farm")
        page.get_by_role("button", name="Log in").last.click()
        expect(page.get_by_role("alert")).to_contain_text("That token does not hold")


def test_a_token_in_the_address_lets_in_and_leaves_the_address(
    page: Page, farm: FarmOnShow
) -> None:
    enter(page, farm)
    assert farm.token not in page.url


def test_a_model_dropped_on_the_page_is_printed_and_its_bed_cleared(
    page: Page, farm: FarmOnShow, tmp_path: Path
) -> None:
    model = tmp_path / "hook.stl"
    model.write_text(box(14, 4))
    enter(page, farm)
    for clear in page.get_by_role("button", name="The bed of Printer").all():
        clear.click()
    page.get_by_label("Files to print").set_input_files(str(model))
    page.get_by_role("button", name="Print", exact=True).click()

    expect(page.get_by_role("heading", name="hook")).to_contain_text("printing")
    expect(page.get_by_role("heading", name="hook")).to_contain_text("finished")
    expect(page.get_by_text("1/1 copy done")).to_be_visible()

    page.get_by_role("navigation").get_by_role("link", name="To do").click()
    done = page.get_by_role("button", name="Clear the bed of Printer")
    expect(done).to_have_count(1)
    expect(page).to_have_title("(1) Farmhand")
    done.click()
    expect(page.get_by_role("heading", name="Nothing to do")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(done).to_have_count(1)


def test_a_job_is_paused_taken_up_and_cancelled_in_the_queue(
    page: Page, farm: FarmOnShow, tmp_path: Path
) -> None:
    model = tmp_path / "nobody.stl"
    model.write_text(box(10, 4))
    enter(page, farm)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("Files to print").set_input_files(str(model))
    page.get_by_role("combobox", name="Material").fill("PETG")  # no printer here holds it
    page.get_by_role("button", name="Print", exact=True).click()
    expect(page.get_by_role("heading", name="nobody")).to_be_visible()

    page.get_by_role("navigation").get_by_role("link", name="Queue").click()
    line = page.get_by_role("listitem").filter(has_text="nobody").first
    line.locator("summary").click()
    expect(line).to_contain_text("No printer holds PETG")
    line.get_by_role("button", name="Pause").click()
    expect(line).to_contain_text("paused")
    line.get_by_role("button", name="Go on").click()
    expect(line).to_contain_text("waiting")
    line.get_by_role("button", name="Cancel").click()
    page.get_by_role("group", name="Show").get_by_role("button", name="Done").click()
    expect(page.get_by_label("Done", exact=True)).to_contain_text("nobody")


def test_a_model_is_kept_looked_at_from_all_sides_and_printed(
    chromium: Browser, farm: FarmOnShow, tmp_path: Path
) -> None:
    model = tmp_path / "bracket.stl"
    model.write_text(box(16, 5))
    with watched_page(chromium, farm.url, bears="GPU stall") as page:
        enter(page, farm)
        page.get_by_role("navigation").get_by_role("link", name="Models").click()
        page.get_by_label("Model to add").set_input_files(str(model))
        expect(page.get_by_role("heading", name="bracket")).to_be_visible()
        expect(page.get_by_text("16.0 × 16.0 × 5.0 mm, 12 triangles")).to_be_visible()
        assert page.locator(".viewer canvas").count() == 1
        page.get_by_role("button", name="Print version 1").click()
        page.get_by_role("button", name="Print", exact=True).click()
        expect(page.get_by_role("heading", name="bracket", level=1)).to_contain_text("waiting")


@pytest.mark.slow
def test_models_are_shown_as_large_as_they_are_with_their_colours_in_any_unit(
    chromium: Browser, farm: FarmOnShow
) -> None:
    files = {
        "crate.3mf": (inch_3mf(2, 1, 0.5), "50.8 × 25.4 × 12.7 mm, 12 triangles"),
        "brick.glb": (textured_glb(20, 10, 30, "red"), "20.0 × 10.0 × 30.0 mm, 12 triangles"),
    }
    with watched_page(chromium, farm.url, bears="GPU stall") as page:
        enter(page, farm)
        for name, (content, told) in files.items():
            page.get_by_role("navigation").get_by_role("link", name="Models").click()
            file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
            page.get_by_label("Model to add").set_input_files(file)  # type: ignore[arg-type]
            expect(page.get_by_text(told)).to_be_visible()
            size = re.sub(" mm.*", " mm", told)
            expect(page.get_by_role("definition").filter(has_text=size)).to_be_visible()
        assert reds(page) > 1000, "the picture on the brick is drawn, in light"
        page.get_by_role("button", name="Print version 1").click()
        told = page.get_by_role("status", name="What it takes")
        expect(told.get_by_text("Read as metres")).to_have_count(1)
        page.get_by_role("button", name="Leave it").click()

        # As where there are more than stand on one page.
        page.route("**/api/v1/models?limit=60*", few)
        page.goto(f"{farm.url}/models")  # anew: nothing is remembered from before
        expect(page.locator("main .card")).to_have_count(1)
        page.get_by_role("button", name="Show more").click()
        expect(page.locator("main .card")).to_have_count(2)


def few(route: Route) -> None:
    """Let a question for sixty things be one for one."""
    route.continue_(url=route.request.url.replace("limit=60", "limit=1"))


def reds(page: Page) -> int:
    """Return how many dots of the model that is shown are red, and not in deep shadow."""
    shown = Image.open(io.BytesIO(page.locator(".viewer canvas").screenshot())).convert("RGB")
    dots = zip(*[iter(shown.tobytes())] * 3, strict=True)
    return sum(red > 150 and red > 3 * max(green, blue) for red, green, blue in dots)


@pytest.mark.parametrize(
    "size",
    [
        pytest.param((1280, 800), id="desk", marks=pytest.mark.slow),
        pytest.param((360, 740), id="phone"),
    ],
)
def test_every_view_can_be_read_by_everybody_and_fits(
    chromium: Browser, farm: FarmOnShow, size: tuple[int, int]
) -> None:
    width, height = size
    with watched_page(chromium, farm.url, width=width, height=height) as page:
        enter(page, farm)
        for view in VIEWS:
            page.goto(farm.url + view)
            expect(page.locator("main")).to_be_visible()
            expect(page.get_by_text("One moment")).to_have_count(0)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{view} is {wide} px wide"
            found = Axe().run(page).response["violations"]
            serious = [each for each in found if each["impact"] in ("serious", "critical")]
            assert not serious, f"{view}: {serious}"


@pytest.mark.slow  # it takes twenty-five seconds to be sure
def test_the_page_says_that_it_is_not_live_when_the_farm_is_gone(
    chromium: Browser, farm: FarmOnShow
) -> None:
    with watched_page(chromium, farm.url, bears="ERR_INTERNET_DISCONNECTED") as page:
        enter(page, farm)
        page.context.set_offline(True)
        expect(page.get_by_text("Not live for")).to_be_visible(timeout=40_000)
        # It took so long to be sure: what is seen is as old as that.
        expect(page.get_by_text("Not live for")).to_contain_text(re.compile(r"for [2-9]\d s"))
        page.context.set_offline(False)
        expect(page.get_by_text("Not live for")).to_have_count(0)
