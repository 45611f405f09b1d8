"""Models from words on the page: real browser, coordinator and OpenSCAD, a stand-in for a model."""

import json
import tomllib
from collections.abc import Iterator

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.edges.rendering import openscad as there
from tests.edges.test_demo import box
from tests.fakes.fake_llm import FakeLlm
from tests.fakes.fake_meshy import FakeMeshy
from tests.fakes.farm_on_show import CHROMIUM, browser, watched_page
from tests.fakes.one_printer_farm import Place, one_printer_farm
from tests.fakes.paid_service import served
from tests.fakes.threads import apart

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.xdist_group("page"),
    pytest.mark.slow,
]

CODE = """\
// how wide, in mm
width = 12; // [5:40]
difference() {
    cube([30, 20, width]);
    translate([10, 8, -1]) cube([25, 6, width + 2]);
}
"""


@pytest.fixture(scope="module")
def paid() -> Iterator[FakeMeshy]:
    with apart(served(FakeMeshy())) as service:
        yield service


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory, paid: FakeMeshy) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("farm")
    there("native", folder / "jobs")  # or skipped, where code can't be rendered here
    reply = f"It has a slot of 6 mm.\n```openscad\n{CODE}```\n"
    with apart(served(FakeLlm(reply))) as model:
        writer = {
            "service": "openscad",
            "base_url": model.base_url,
            "api_key": model.key,
            "model": model.model,
            "engine": "native",
        }
        code = {"service": "openscad", "engine": "native"}
        meshy = {"service": "meshy", "base_url": paid.url, "api_key": paid.key}
        named = {"writer": writer, "code": code, "meshy": meshy}
        settings = {"FARMHAND_PROVIDERS": json.dumps(named)}
        with one_printer_farm(folder, settings=settings) as here:
            yield here


@pytest.fixture
def page(farm: Place) -> Iterator[Page]:
    url = farm.farm.url
    with browser() as chromium, watched_page(chromium, url, bears="GPU stall") as found:
        found.goto(f"{url}/generate#token={farm.farm.token}")
        yield found


def look_closely(page: Page) -> None:
    """Complain of what would keep somebody from using it."""
    found = Axe().run(page).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert not serious, serious


def test_words_become_a_part_whose_measures_are_fields_of_a_form(page: Page) -> None:
    wish = page.get_by_role("form", name="What shall be made")
    wish.get_by_label("By").select_option("writer")
    wish.get_by_label("What shall it be?").fill("a hook for a 25 mm rail")
    expect(wish.get_by_role("status", name="What it costs")).to_contain_text("costs nothing")
    wish.get_by_role("button", name="Generate").click()

    title = page.get_by_role("heading", name="a hook for a 25 mm rail")
    expect(title).to_contain_text("done")
    expect(page.get_by_text("30.0 × 20.0 × 12.0 mm")).to_be_visible()
    said = page.get_by_role("region", name="What was asked for")
    expect(said).to_contain_text("It has a slot of 6 mm.")
    look_closely(page)

    page.get_by_label("how wide, in mm").fill("20")
    page.get_by_role("button", name="Make it so").click()
    expect(page.get_by_text("30.0 × 20.0 × 20.0 mm")).to_be_visible()
    expect(said.get_by_role("listitem")).to_have_count(2)
    expect(said).to_contain_text("with width 20 → version 2")
    expect(page.get_by_label("how wide, in mm")).to_have_value("20")

    page.get_by_role("navigation").get_by_role("link", name="Generate").click()
    gallery = page.get_by_role("region", name="What was generated")
    expect(gallery.get_by_role("listitem")).to_have_count(2)
    expect(gallery.get_by_role("img").first).to_be_visible()
    gallery.get_by_role("searchbox").fill("no such words")
    expect(gallery).to_contain_text("Nothing is like that.")


def test_code_of_ones_own_needs_no_account_and_begins_with_an_example(page: Page) -> None:
    wish = page.get_by_role("form", name="What shall be made")
    wish.get_by_label("By").select_option("code")
    wish.get_by_role("button", name="Begin with an example").click()
    expect(wish.get_by_role("status", name="What it costs")).to_contain_text("costs nothing")
    look_closely(page)
    wish.get_by_label("Name").fill("S-hook")
    wish.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("heading", name="S-hook")).to_contain_text("done")
    expect(page.get_by_text("67.0 × 59.0 × 15.0 mm")).to_be_visible()
    page.get_by_label("how wide the hook is, in mm").fill("20")
    page.get_by_role("button", name="Make it so").click()
    expect(page.get_by_text("67.0 × 59.0 × 20.0 mm")).to_be_visible()


def test_a_batch_of_pictures_becomes_a_part_of_each(page: Page, paid: FakeMeshy) -> None:
    wish = page.get_by_role("form", name="What shall be made")
    wish.get_by_label("By").select_option("meshy")
    wish.get_by_label("A part of each picture, up to 25 at once").check()
    png = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
    sheets = [
        {"name": f"cup {number}.png", "mimeType": "image/png", "buffer": png + bytes([number])}
        for number in range(3)
    ]
    wish.get_by_label("Pictures to add").set_input_files(sheets)  # type: ignore[arg-type]
    wish.get_by_label("Longest side, mm").fill("60")
    expect(wish.get_by_role("status", name="What it costs")).to_contain_text("20 credits each, 3")
    wish.get_by_role("button", name="Generate").click()
    expect(page.get_by_text("3 parts asked for: see below.")).to_be_visible()
    gallery = page.get_by_role("region", name="What was generated")
    for number in range(3):
        expect(gallery.get_by_role("link", name=f"cup {number}")).to_be_visible()
    assert len(paid.tasks) == 3


def test_a_model_of_the_library_is_worked_on_with_the_options_that_are_for_that(
    page: Page, paid: FakeMeshy
) -> None:
    paid.file = box(22, 6).encode()
    navigation = page.get_by_role("navigation")
    navigation.get_by_role("link", name="Models").click()
    file = {"name": "hinge.stl", "mimeType": "model/stl", "buffer": box(20, 5).encode()}
    page.get_by_label("Model to add").set_input_files(file)  # type: ignore[arg-type]
    expect(page.get_by_text("20.0 × 20.0 × 5.0 mm, 12 triangles")).to_be_visible()
    navigation.get_by_role("link", name="Generate").click()
    wish = page.get_by_role("form", name="What shall be made")
    wish.get_by_label("By").select_option("meshy")
    operation = wish.get_by_role("combobox", name="operation")
    expect(wish.get_by_label("geometry resolution")).to_be_visible()
    expect(operation).to_have_count(0)

    wish.get_by_text("Have a model of the library worked on instead").click()
    chosen = wish.get_by_role("combobox", name="Model to be worked on")
    chosen.select_option(label="hinge, version 1")
    expect(wish.get_by_label("What shall it be?")).to_have_count(0)
    expect(wish.get_by_label("geometry resolution")).to_have_count(0)
    look_closely(page)
    operation.select_option("remesh")
    expect(wish.get_by_role("status", name="What it costs")).to_contain_text("5 credits")
    wish.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("heading", name="hinge", level=1)).to_contain_text("done")
    page.get_by_role("link", name="Version 2 in the library").click()
    expect(page.get_by_role("heading", name="hinge", level=1)).to_be_visible()
    assert [task.family for task in paid.tasks.values()][-1] == "remesh"


def test_who_looks_after_the_farm_is_told_how_providers_are_named(page: Page) -> None:
    page.get_by_text("What else could make models here").click()
    settings = page.get_by_label("Settings for words", exact=True)
    assert tomllib.loads(settings.input_value())["providers"]["writer"]["service"] == "openscad"
    look_closely(page)
