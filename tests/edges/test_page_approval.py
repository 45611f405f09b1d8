"""Models from a link on the page: several parts, asked for by one person, judged by another."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import Browser, Page, expect

from tests.fakes.farm_on_show import CHROMIUM, browser, watched_page
from tests.fakes.library_servers import FilesServer
from tests.fakes.processes import Coordinator, coordinator
from tests.fakes.solids import write_box
from tests.fakes.threads import apart
from tests.fakes.troubled_server import served

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.xdist_group("page"),
    pytest.mark.slow,
]

PASSWORD = "four words as good"
# What the browser says of answers that refuse: who is not logged in yet.
REFUSED = "Failed to load resource"


def set_of_parts(folder: Path) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, size in (("lid", 20), ("cup", 30)):
            write_box(folder / "part.stl", size, size, 5)
            archive.write(folder / "part.stl", f"{name}.stl")
    return held.getvalue()


@pytest.fixture
def link(tmp_path: Path) -> Iterator[str]:
    files = FilesServer(**{"set.zip": set_of_parts(tmp_path)})
    with apart(served(files)) as server:
        yield f"{server.url}/set.zip"


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Coordinator]:
    settings = {
        "FARMHAND_PROVIDERS": json.dumps({"link": {"service": "link"}}),
        "FARMHAND_OUTBOUND_NETWORKS": "127.0.0.0/8",
        "FARMHAND_APPROVE_GENERATIONS": "true",
    }
    with coordinator(tmp_path / "farm", **settings) as here:
        yield here


def asked_for(page: Page, link: str, name: str) -> None:
    """Ask for what a link leads to, and leave it where it waits for somebody."""
    page.get_by_role("navigation").get_by_role("link", name="Generate").click()
    wish = page.get_by_role("form", name="What shall be made")
    wish.get_by_role("textbox", name="Link").fill(link)
    wish.get_by_role("textbox", name="Name").fill(name)
    wish.get_by_label("Print it when it is there").check()
    wish.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_contain_text("approve")


def test_what_somebody_asked_for_is_judged_by_an_operator_part_by_part(
    farm: Coordinator, link: str
) -> None:
    with browser() as chromium:
        with_somebody(chromium, farm, link)
        with watched_page(chromium, farm.url, bears="GPU stall") as page:
            page.goto(f"{farm.url}/todo#token={farm.token}")
            expect(page.get_by_role("listitem").filter(has_text="A set to keep")).to_be_visible()
            page.get_by_role("link", name="A set to keep").first.click()
            parts = page.get_by_role("group", name="Parts")
            for name in ("cup", "lid"):
                parts.get_by_role("button", name=name).click()
                expect(page.locator(".viewer canvas")).to_have_count(1)
            page.get_by_role("button", name="Approve").click()
            page.get_by_role("button", name="Do it now").click()
            expect(page.get_by_role("heading", name="A set to keep")).to_contain_text("done")
            printed = page.get_by_role("region", name="What is known of it")
            expect(printed.get_by_role("link")).to_have_count(2)  # a job each

            page.get_by_role("navigation").get_by_role("link", name="To do").click()
            page.get_by_role("link", name="A set to refuse").first.click()
            page.get_by_label("Why not").fill("we have these already")
            page.get_by_role("button", name="Reject").click()
            page.get_by_role("button", name="Do it now").click()
            expect(page.get_by_text("we have these already")).to_be_visible()
            expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    assert len(farm.jobs()) == 2


def with_somebody(chromium: Browser, farm: Coordinator, link: str) -> None:
    """Log in as who may submit, and ask for two things."""
    with watched_page(chromium, farm.url, bears=(REFUSED, "GPU stall")) as page:
        made = page.request.post(
            f"{farm.url}/api/v1/users",
            data={"name": "sue", "role": "submitter", "password": PASSWORD},
            headers={"Authorization": f"Bearer {farm.token}"},
        )
        assert made.status == 201, made.text()
        page.goto(farm.url)
        page.get_by_label("Name").fill("sue")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in", exact=True).click()
        asked_for(page, link, "A set to keep")
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        asked_for(page, f"{link}?again", "A set to refuse")
