"""The page while the farm is looked after: restarted below it, backed up, its agent updated."""

import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import Browser, Page, expect

from coordinator.adapters.release_files import SIGNATURE_SUFFIX
from tests.fakes.farm_on_show import CHROMIUM, browser, watched_page
from tests.fakes.mosquitto import free_port
from tests.fakes.one_printer_farm import one_printer_farm
from tests.fakes.processes import Coordinator, coordinator, started, stop, until
from tests.fakes.releases import Workshop

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.xdist_group("page"),
    pytest.mark.slow,
]

AWAY = ("Failed to load resource", "WebSocket connection", "ERR_CONNECTION_REFUSED")
STOP_S_MAX = 30.0


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as found:
        yield found


@contextmanager
def seen(chromium: Browser, farm: Coordinator, path: str) -> Iterator[Page]:
    """Lend a page that knows whether it was loaded anew: `kept(page)`."""
    with watched_page(chromium, farm.url, bears=AWAY) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(f"{farm.url}{path}#token={farm.token}")
        expect(page.locator("main")).to_be_visible()
        page.evaluate("window.kept = true")
        yield page


def kept(page: Page) -> bool:
    return bool(page.evaluate("window.kept === true"))


def test_the_page_says_what_is_old_while_the_farm_is_away_and_goes_on_when_it_is_back(
    chromium: Browser, tmp_path: Path
) -> None:
    folder, ports = tmp_path / "farm", [str(free_port()), str(free_port())]
    same = ("--broker", "mosquitto", "--port", ports[0], "--broker-port", ports[1])
    folder.mkdir()
    fleet = ("tests.benchmarks.front_fleet", ports[1], "--agents", "2")
    with (
        coordinator(folder, *same) as farm,
        started(*fleet, log=tmp_path / "fleet.log"),
        seen(chromium, farm, "/") as page,
        seen(chromium, farm, "/wall") as wall,
    ):
        card = page.locator("[data-printer=printer-00000]")
        clear = page.get_by_role("button", name="The bed of 00000 is clear")
        expect(clear).to_be_visible()
        expect(wall.locator(".wall li")).to_have_count(2)
        assert stop(farm.process, within_s=STOP_S_MAX) == 0

        expect(page.get_by_role("alert")).to_contain_text("Not live for")
        expect(wall.locator(".wall.stale")).to_contain_text("not live for")
        clear.click()
        expect(page.get_by_text("The farm does not answer").first).to_be_visible()
        expect(card).to_contain_text("clear the bed")
        expect(card.locator(".stale")).to_contain_text("as of")

        newer = '<div id="page"></div><script src="/dashboard/assets/newer.js"></script>'
        wall.route(f"{farm.url}/", lambda route: route.fulfill(body=newer))
        with coordinator(folder, *same) as again:
            until(lambda: again.ask("printers")[1]["items"][0]["online"], "a printer")
            again.ask("printers/printer-00000/clear", method="POST")
            expect(card).to_contain_text("idle")
            expect(page.get_by_text("Not live for")).to_have_count(0)
            assert kept(page), "what goes on by itself is not loaded anew"
            expect(wall.locator(".wall.stale")).to_have_count(0)
            expect(wall.locator(".wall li")).to_have_count(2)
            until(lambda: not kept(wall), "the wall to get the newer page")


def test_a_backup_is_made_in_the_farms_folder_fetched_and_stopped_half_way(
    chromium: Browser, tmp_path: Path
) -> None:
    folder, shelf = tmp_path / "farm", tmp_path / "backups"
    with (
        coordinator(folder, FARMHAND_BACKUP_DIR=str(shelf)) as farm,
        seen(chromium, farm, "/disk") as page,
    ):
        backups = page.get_by_role("region", name="Backups")
        row = page.get_by_role("table", name="Backups").get_by_role("row")
        expect(row.filter(has_text=".tar")).to_have_count(1)  # the farm makes one by itself
        backups.get_by_role("button", name="Make one in the folder now").click()
        expect(page.get_by_text("proved to be whole")).to_be_visible()
        [_, made] = sorted(shelf.glob("*.tar"))
        expect(row.filter(has_text=made.name)).to_be_visible()

        fetch = page.get_by_role("button", name=f"Download {made.name}")
        slow_down(page, made.stat().st_size / 4)
        fetch.click()
        coming = backups.locator(".coming")
        expect(coming.get_by_role("progressbar")).to_have_attribute(
            "aria-valuenow", re.compile(r"^[1-9]\d?$")
        )
        coming.get_by_role("button", name="Stop").click()
        expect(page.get_by_text(f"{made.name} was not fetched.")).to_be_visible()
        expect(coming).to_have_count(0)
        slow_down(page, -1)
        with page.expect_download() as file:
            fetch.click()
        assert Path(file.value.path()).read_bytes() == made.read_bytes()
        with tarfile.open(made) as archive:
            assert any(name.endswith("token") for name in archive.getnames())


def slow_down(page: Page, bytes_per_s: float) -> None:
    """Have answers come so slowly; -1 for as fast as they can."""
    line = {"offline": False, "latency": 0, "downloadThroughput": bytes_per_s}
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", {**line, "uploadThroughput": -1})


def test_an_update_that_is_begun_here_is_taken_by_the_agent(
    chromium: Browser, tmp_path: Path
) -> None:
    shop = Workshop(tmp_path / "releases")
    release = shop.good("9.9.0")
    with one_printer_farm(tmp_path) as place:
        with place.agent():  # writes its settings
            until(lambda: place.printer().get("online"), "the printer")
        settings = place.config.read_text()
        place.config.write_text(f'update_keys = ["{shop.key}"]\n{settings}')
        token = {"FARMHAND_AGENT_TOKEN": place.farm.token}
        log = tmp_path / "launched.log"
        with (
            started("agent.launcher", "--config", place.config, log=log, **token),
            seen(chromium, place.farm, "/updates") as page,
        ):
            page.get_by_role("button", name="Bring a release").click()
            page.get_by_label("The release").set_input_files(release)
            page.get_by_label("Its signature").set_input_files(f"{release}{SIGNATURE_SUFFIX}")
            page.get_by_role("button", name="Bring it").click()
            page.get_by_role("button", name="Update agents to 9.9.0").click()
            page.get_by_text("How carefully").click()
            page.get_by_label("Well for, s").fill("1")
            page.get_by_role("button", name="Begin the update").click()
            page.get_by_role("button", name="Do it now").click()
            last = page.get_by_role("region", name="The last update")
            expect(last.get_by_role("heading")).to_contain_text("done")
            expect(last).to_contain_text("1 of 1 agent has it")
            table = page.get_by_role("table", name="Agents of the last update")
            expect(table).to_contain_text("has it, and is well")
            releases = page.get_by_role("table", name="Releases")
            expect(releases.get_by_role("row").filter(has_text="9.9.0")).to_contain_text("1 agent")
            page.goto(f"{place.farm.url}/agents")
            expect(page.get_by_role("table", name="Agents")).to_contain_text("9.9.0")
