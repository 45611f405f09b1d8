"""Jobs on the page, in a real browser before a real farm: seen layer by layer, changed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from tests.edges.test_demo import box
from tests.fakes.farm_on_show import CHROMIUM, FarmOnShow, browser, farm_on_show, watched_page

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.skipif(shutil.which("prusa-slicer") is None, reason="prusa-slicer is missing"),
    pytest.mark.xdist_group("page"),
]


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


@contextmanager
def entered(
    chromium: Browser, farm: FarmOnShow, bears: str | tuple[str, ...], *, width: int = 1280
) -> Iterator[Page]:
    with watched_page(chromium, farm.url, bears=bears, width=width) as found:
        found.goto(f"{farm.url}/#token={farm.token}")
        expect(found.get_by_role("link", name="Printer 1", exact=True)).to_be_visible()
        yield found


@pytest.fixture
def page(chromium: Browser, farm: FarmOnShow) -> Iterator[Page]:
    with entered(chromium, farm, bears="GPU stall") as found:
        yield found


def asked(page: Page, farm: FarmOnShow, path: str) -> Any:
    answer = page.request.get(
        f"{farm.url}/api/v1/{path}", headers={"Authorization": f"Bearer {farm.token}"}
    )
    return answer.json()


def test_a_plate_is_seen_layer_by_layer_while_it_prints_and_afterwards(
    page: Page, farm: FarmOnShow, tmp_path: Path
) -> None:
    model = tmp_path / "lid.stl"
    model.write_text(box(30, 9))
    for clear in page.get_by_role("button", name="The bed of Printer").all():
        clear.click()
    page.get_by_label("Files to print").set_input_files(str(model))
    page.get_by_role("button", name="Print", exact=True).click()
    page.get_by_role("button", name="Look at its layers").click()
    expect(page.get_by_label("Follow the print")).to_be_checked()

    [plate] = asked(page, farm, page.url.split("/", 3)[3])["plates"]
    slider = page.get_by_role("slider")
    slider.press("End")
    layers = plate["layer_count"]
    expect(slider).to_have_attribute("aria-valuetext", f"layer {layers} of {layers}")
    expect(page.get_by_label("Follow the print")).not_to_be_checked()
    drawn = page.locator("[data-lines]")
    expect(drawn).to_have_attribute("data-layer", str(layers))
    all_lines = int(drawn.get_attribute("data-lines") or 0)
    assert all_lines > layers, "every layer has lines"
    slider.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", f"layer 1 of {layers}")
    expect(drawn).to_have_attribute("data-layer", "1")
    first_layer = int(drawn.get_attribute("data-lines") or 0)
    assert 0 < first_layer < all_lines / 2
    slider.press("ArrowRight")
    page.get_by_label("This layer only").check()
    expect(slider).to_have_attribute("aria-valuetext", f"layer 2 of {layers}")
    expect(drawn).to_contain_text("in this layer")
    expect(drawn).to_have_attribute("data-layer", "2")
    expect(drawn).not_to_have_attribute("data-lines", str(all_lines))
    assert 0 < int(drawn.get_attribute("data-lines") or 0) < all_lines - first_layer
    expect(page.get_by_role("list", name="Colours")).to_contain_text("outer wall")

    life = page.get_by_label("Its life")
    expect(life.get_by_role("listitem").filter(has_text="finished")).to_contain_text(":")
    expect(life).not_to_contain_text("not yet")
    expect(page.get_by_label("Runs")).to_contain_text("foretold")


@pytest.mark.parametrize("lacking", ["workers that draw", "workers"])
def test_where_a_browser_lacks_workers_the_page_itself_draws_the_layers(
    chromium: Browser, farm: FarmOnShow, lacking: str
) -> None:
    with entered(chromium, farm, bears=("GPU stall", "ERR_FAILED")) as page:
        if lacking == "workers":
            page.route("**/layers.worker-*.js", lambda route: route.abort())
        else:
            page.add_init_script("delete HTMLCanvasElement.prototype.transferControlToOffscreen")
        [job, *_] = [each for each in asked(page, farm, "jobs")["items"] if each["plates"]]
        page.goto(f"{farm.url}/jobs/{job['id']}")
        page.get_by_role("button", name="Look at its layers").click()
        layers = job["plates"][0]["layer_count"]
        drawn = page.locator("[data-lines]")
        expect(drawn).to_have_attribute("data-layer", str(layers))
        page.get_by_role("slider").press("Home")
        expect(drawn).to_have_attribute("data-layer", "1")
        assert int(drawn.get_attribute("data-lines") or 0) > 0
        assert not page.workers


def dropped(page: Page, model: str, on: str) -> None:
    """Drop a file called `hook.stl` on what a selector finds, as a hand does."""
    page.eval_on_selector(
        on,
        """(target, model) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([model], "hook.stl"));
            for (const type of ["dragover", "drop"])
                target.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true }));
        }""",
        model,
    )


def test_a_model_dropped_on_a_card_is_for_that_printer_and_told_of_before_it_is_ordered_once(
    chromium: Browser, farm: FarmOnShow
) -> None:
    keys: list[str | None] = []

    def order(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        if len(keys) == 1:
            route.abort()
        else:
            route.continue_()

    with entered(chromium, farm, bears="ERR_FAILED") as page:
        page.route("**/api/v1/jobs", order)
        dropped(page, box(14, 4), "[data-printer=printer-2]")
        told = page.get_by_role("status", name="What it takes")
        expect(told).to_contain_text("Fits on 1 of 2 printers")
        expect(told).to_contain_text("14 × 14 × 4 mm")
        told.get_by_text("Why not on the others?").click()
        expect(told).to_contain_text("Printer 1 the job is for printer-2 only")
        page.get_by_role("button", name="Print", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("The farm does not answer")
        page.get_by_role("button", name="Print", exact=True).click()
        expect(page.get_by_role("heading", name="hook", level=1)).to_be_visible()
        assert len(keys) == 2
        assert keys[0] == keys[1]
        assert asked(page, farm, page.url.split("/", 3)[3])["printer_id"] == "printer-2"


def test_a_job_that_waits_gets_more_copies_and_another_name(
    page: Page, farm: FarmOnShow, tmp_path: Path
) -> None:
    model = tmp_path / "peg.stl"
    model.write_text(box(10, 4))
    page.get_by_label("Files to print").set_input_files(str(model))
    page.get_by_role("combobox", name="Material").fill("PETG")  # no printer here holds it
    page.get_by_role("button", name="Print", exact=True).click()
    page.get_by_role("button", name="Change", exact=True).click()
    page.get_by_label("Copies in all").fill("7")
    page.get_by_label("Name").fill("Peg for Anna")
    page.get_by_label("Due").fill("2031-01-02T08:00")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("heading", name="Peg for Anna", level=1)).to_be_visible()
    expect(page.get_by_text("0/7 copies done")).to_be_visible()
    changed = asked(page, farm, page.url.split("/", 3)[3])
    assert (changed["copies"], changed["due_at"][:4]) == (7, "2031")


def test_a_job_and_its_sheet_can_be_read_by_everybody_on_a_phone(
    chromium: Browser, farm: FarmOnShow
) -> None:
    with entered(chromium, farm, bears="GPU stall", width=360) as page:
        page.goto(f"{farm.url}/jobs/{asked(page, farm, 'jobs')['items'][0]['id']}")
        page.get_by_role("button", name="Look at its layers").click()
        expect(page.locator("[data-lines]")).to_be_visible()
        page.get_by_text("All that happened").click()
        expect(page.get_by_text("job received")).to_be_visible()
        page.get_by_label("Moves without plastic").check()
        dropped(page, box(10, 4), "main")
        expect(page.get_by_role("status", name="What it takes")).to_contain_text("Fits on")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        found = Axe().run(page).response["violations"]
        serious = [each for each in found if each["impact"] in ("serious", "critical")]
        assert not serious, serious
