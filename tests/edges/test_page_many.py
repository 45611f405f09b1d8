"""Every view of a large farm, in a real browser: it fits, and everybody can read it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.benchmarks.page_farm import large_farm
from tests.benchmarks.page_looks import looks
from tests.fakes.farm_on_show import CHROMIUM, browser, watched_page
from tests.fakes.processes import Coordinator

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.xdist_group("page"),
    pytest.mark.slow,
]

PRINTERS, JOBS, EVENTS = 500, 200, 2000


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coordinator]:
    folder: Path = tmp_path_factory.mktemp("many") / "farm"
    folder.mkdir()
    with large_farm(folder, printers=PRINTERS, jobs=JOBS, events=EVENTS) as found:
        yield found


@pytest.fixture(scope="module")
def chromium(farm: Coordinator) -> Iterator[Browser]:
    """Lend a browser, after the farm is there: it would keep others from running a loop."""
    with browser() as found:
        yield found


def test_every_view_of_five_hundred_printers_can_be_read_by_everybody_and_fits_a_phone(
    chromium: Browser, farm: Coordinator
) -> None:
    with watched_page(chromium, farm.url, width=360, height=740) as page:
        page.goto(f"{farm.url}/#token={farm.token}")
        expect(page.locator("[data-printer]")).to_have_count(PRINTERS)
        for look in looks(farm.url, farm.token):
            for key, value in look.choices:
                kept = [f"farmhand-{key}", value]
                page.evaluate("([key, value]) => localStorage.setItem(key, value)", kept)
            page.goto(farm.url + look.path)
            page.reload()  # where only what stands behind # differs, nothing would be loaded
            expect(page.locator("main")).to_be_visible()
            expect(page.get_by_text("One moment")).to_have_count(0)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 360, f"{look.name} is {wide} px wide"
            found = Axe().run(page).response["violations"]
            serious = [each for each in found if each["impact"] in ("serious", "critical")]
            assert not serious, f"{look.name}: {serious}"
