"""Every view of a large farm, in a real browser: it fits, and everybody can read it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import Browser, Page, expect

from tests.benchmarks.page_farm import large_farm
from tests.benchmarks.page_looks import Look, looks
from tests.fakes.farm_on_show import CHROMIUM, browser, watched_page
from tests.fakes.processes import Coordinator
from tests.fakes.reading import obstacles

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.xdist_group("page"),
    pytest.mark.slow,
]

PRINTERS, JOBS, EVENTS = 500, 200, 2000
SIZES = ((1440, 900), (360, 740))


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


def test_every_view_of_five_hundred_printers_can_be_read_by_everybody_and_fits(
    chromium: Browser, farm: Coordinator, subtests: pytest.Subtests
) -> None:
    with watched_page(chromium, farm.url) as page:
        page.goto(f"{farm.url}/#token={farm.token}")
        expect(page.locator("[data-printer]")).to_have_count(PRINTERS)
        for look in looks(farm.url, farm.token):
            with subtests.test(look.name):
                _open(page, farm, look)
                for width, height in SIZES:
                    page.set_viewport_size({"width": width, "height": height})
                    wide = page.evaluate("document.documentElement.scrollWidth")
                    found = obstacles(page)
                    assert (max(wide, width), found) == (width, [])


def _open(page: Page, farm: Coordinator, look: Look) -> None:
    """Show a view, as somebody finds it who made its choices before."""
    for key, value in look.choices:
        kept = [f"farmhand-{key}", value]
        page.evaluate("([key, value]) => localStorage.setItem(key, value)", kept)
    there = page.url.partition("#")[0] == farm.url + look.path.partition("#")[0]
    page.goto(farm.url + look.path)
    if there:
        page.reload()  # only what stands behind # differs: nothing was loaded
    expect(page.locator("main")).to_be_visible()
    expect(page.get_by_text("One moment")).to_have_count(0)
