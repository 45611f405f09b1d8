"""The page's views of the shop behind the farm, in a real browser before a real farm."""

import csv
import json
import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from coordinator.adapters.release_files import SIGNATURE_SUFFIX
from tests.edges.test_demo import box
from tests.fakes.farm_on_show import CHROMIUM, FarmOnShow, browser, farm_on_show, watched_page
from tests.fakes.processes import until
from tests.fakes.releases import Workshop

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.skipif(shutil.which("prusa-slicer") is None, reason="prusa-slicer is missing"),
    pytest.mark.xdist_group("page"),
]

VIEWS = (
    *("/materials", "/maintenance", "/agents", "/updates", "/people", "/webhooks", "/audit"),
    *("/disk", "/settings", "/log", "/account"),
)
# What the browser says of answers that refuse.
REFUSED = "Failed to load resource"


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarmOnShow]:
    folder = tmp_path_factory.mktemp("shop")
    model = folder / "first.stl"
    model.write_text(box(12, 4))
    with farm_on_show(folder, model, printers=2, speed=400) as shown:
        yield shown


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture
def page(chromium: Browser, farm: FarmOnShow) -> Iterator[Page]:
    with watched_page(chromium, farm.url, bears=REFUSED) as found:
        found.on("dialog", lambda dialog: dialog.accept())
        found.goto(f"{farm.url}/#token={farm.token}")
        expect(found.get_by_role("link", name="Printer 1", exact=True)).to_be_visible()
        yield found


def go(page: Page, name: str) -> None:
    page.get_by_text("More", exact=True).click()
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def row(page: Page, table: str, words: str) -> Locator:
    return page.get_by_role("table", name=table).get_by_role("row").filter(has_text=words)


def test_a_spool_is_added_loaded_weighed_taken_out_and_put_away(page: Page) -> None:
    go(page, "Materials and spools")
    page.get_by_role("button", name="Add a spool").click()
    sheet = page.get_by_role("dialog", name="Add a spool")
    sheet.get_by_label("Material").fill("PETG")
    sheet.get_by_label("Maker").fill("Polymaker")
    sheet.get_by_label("When new, g").fill("0")
    sheet.get_by_role("button", name="Add").click()
    expect(sheet.get_by_label("When new, g")).to_have_attribute("aria-invalid", "true")
    expect(sheet.get_by_label("When new, g")).to_be_focused()
    expect(sheet).to_contain_text("greater than 0")
    sheet.get_by_label("When new, g").fill("1000")
    sheet.get_by_role("button", name="Add").click()

    spool = row(page, "Spools", "PETG Polymaker")
    expect(spool).to_contain_text("1000 g of 1000 g")
    spool.get_by_role("button", name="Load").click()
    page.get_by_label("Into").select_option(label="Printer 2 (now PLA)")
    page.get_by_role("dialog").get_by_role("button", name="Load").click()
    expect(spool).to_contain_text("in Printer 2")

    spool.get_by_role("button", name="Weigh").click()
    page.get_by_label("What is left, g").fill("1200")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_contain_text("what remains is 0 g to the 1000 g")
    page.get_by_label("What is left, g").fill("80")
    page.get_by_role("button", name="Save").click()
    expect(spool).to_contain_text("80 g of 1000 g")
    expect(row(page, "Materials", "PETG")).to_contain_text("Printer 2")

    spool.get_by_role("button", name="Take out").click()
    spool.get_by_role("button", name="Put away").click()
    expect(spool).to_have_count(0)
    page.get_by_label("put away, too").check()
    expect(spool).to_contain_text("put away")


def test_maintenance_that_is_due_is_done_with_one_press(page: Page) -> None:
    go(page, "Maintenance")
    page.get_by_role("button", name="Add a task").click()
    page.get_by_label("What is to be done").fill("oil the rods")
    page.get_by_label("To", exact=True).select_option(label="Printer 1")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("say after how many hours")
    page.get_by_label("Every so many days").fill("0.0000001")
    page.get_by_role("button", name="Add", exact=True).click()
    task = row(page, "Tasks of maintenance", "oil the rods")
    expect(task).to_contain_text("due")
    expect(task).to_contain_text("never")
    task.get_by_role("button", name="Done: oil the rods, Printer 1").click()
    page.get_by_role("button", name="Do it now").click()
    expect(task).to_contain_text("by admin")
    task.get_by_role("button", name="Log").click()
    expect(page.get_by_role("dialog").get_by_role("listitem")).to_contain_text("admin")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_agent_is_let_in_by_a_command_that_is_shown_once(page: Page) -> None:
    go(page, "Agents")
    expect(row(page, "Agents", "demo")).to_contain_text("online")
    page.get_by_role("button", name="Let an agent in").click()
    page.get_by_label("Its name").fill("no dots.here")
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_label("Its name")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Its name").fill("pi-9")
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_role("img", name="Code of the command")).to_be_visible()
    command = page.get_by_role("textbox", name="Type this on its machine").input_value()
    assert re.fullmatch(r"farmhand-agent enroll enroll_\S+ --coordinator http://\S+", command)
    page.get_by_role("button", name="Done").click()
    assert command.split()[2] not in page.content()


def halts(farm: FarmOnShow) -> int:
    asked = Request(
        f"{farm.url}/api/v1/events?name=rollout.halted",
        headers={"Authorization": f"Bearer {farm.token}"},
    )
    with urlopen(asked) as answer:
        return len(json.load(answer)["items"])


def test_an_update_of_agents_is_begun_here_halts_at_who_refuses_it_and_is_let_go_on(
    page: Page, farm: FarmOnShow, tmp_path: Path
) -> None:
    release = Workshop(tmp_path / "releases").good("9.9.0")
    go(page, "Updates of agents")
    page.get_by_role("button", name="Bring a release").click()
    page.get_by_label("The release").set_input_files(release)
    page.get_by_label("Its signature").set_input_files(f"{release}{SIGNATURE_SUFFIX}")
    page.get_by_role("button", name="Bring it").click()
    page.get_by_role("button", name="Update agents to 9.9.0").click()
    page.get_by_label("Who is first").select_option("demo")
    page.get_by_role("button", name="Begin the update").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("region", name="The last update")).to_have_count(0)

    page.get_by_role("button", name="Update agents to 9.9.0").click()
    page.get_by_role("button", name="Begin the update").click()
    page.get_by_role("button", name="Do it now").click()
    last = page.get_by_role("region", name="The last update")
    expect(last.get_by_role("heading")).to_contain_text("halted")  # it trusts no key
    canary = row(page, "Agents of the last update", "demo")
    expect(canary).to_contain_text("canary")
    expect(canary).to_contain_text("refused it")
    last.get_by_role("button", name="Go on with 9.9.0").click()
    until(lambda: halts(farm) == 2, "the second halt")
    expect(last.get_by_role("heading")).to_contain_text("halted")
    page.get_by_role("button", name="Remove 9.9.0").click()
    page.get_by_role("button", name="Do it now").click()
    expect(row(page, "Releases", "9.9.0")).to_have_count(0)


def test_somebody_is_added_and_looks_after_their_account_and_key(
    page: Page, chromium: Browser, farm: FarmOnShow
) -> None:
    go(page, "People and keys")
    page.get_by_role("button", name="Add somebody").click()
    page.get_by_label("Name", exact=True).fill("anna")
    page.get_by_role("textbox", name="Password").fill("anna")
    page.get_by_label("Role", exact=True).select_option("operator")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("textbox", name="Password")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("textbox", name="Password").fill("four words as good")
    page.get_by_label("Open jobs at most").fill("20")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(row(page, "People", "anna")).to_contain_text("20 open jobs")

    with watched_page(chromium, farm.url, bears=REFUSED) as hers:
        hers.on("dialog", lambda dialog: dialog.accept())
        hers.goto(f"{farm.url}/account")
        hers.get_by_label("Name").fill("anna")
        hers.get_by_label("Password").fill("four words as good")
        hers.get_by_role("button", name="Log in", exact=True).click()
        expect(row(hers, "Sessions", "this one")).to_be_visible()
        assert "farm:admin" not in hers.content()
        hers.get_by_role("button", name="Make a key").click()
        hers.get_by_label("What for").fill("slicer")
        hers.get_by_label("jobs:submit").check()
        hers.get_by_role("button", name="Make the key").click()
        key = hers.get_by_role("textbox", name="The key").input_value()
        hers.get_by_role("button", name="Done").click()
        said = Request(f"{farm.url}/api/v1/me", headers={"X-Api-Key": key})
        with pytest.raises(OSError, match="403"):  # it may submit, and nothing else
            urlopen(said)
        row(hers, "Keys", "slicer").get_by_role("button", name="Revoke slicer").click()
        expect(row(hers, "Keys", "slicer")).to_have_count(0)
        with pytest.raises(OSError, match="401"):
            urlopen(said)


def test_an_endpoint_is_added_and_its_secret_shown_once(page: Page) -> None:
    go(page, "Webhooks and notices")
    page.get_by_role("button", name="Add an endpoint").click()
    sheet = page.get_by_role("dialog")
    sheet.get_by_label("Address").fill("http://127.0.0.1:9/hook")
    sheet.get_by_label("Told of, as patterns").fill("history.*")
    sheet.get_by_role("button", name="Add", exact=True).click()
    expect(sheet.get_by_label("Address")).to_have_attribute("aria-invalid", "true")
    sheet.get_by_label("Address").fill("https://hooks.invalid/farm")
    sheet.get_by_role("button", name="Add", exact=True).click()
    secret = page.get_by_role("textbox", name="The secret that signs").input_value()
    assert secret.startswith("whsec_")
    page.get_by_role("button", name="Done").click()
    endpoint = row(page, "Endpoints", "hooks.invalid")
    expect(endpoint).to_contain_text("history.*")
    endpoint.get_by_role("button", name="Deliveries").click()
    expect(page.get_by_role("dialog")).to_contain_text("Nothing was sent yet.")
    page.get_by_role("button", name="Close").last.click()
    endpoint.get_by_role("button", name="Edit").click()
    page.get_by_role("button", name="Remove the endpoint").click()
    expect(endpoint).to_have_count(0)


def test_the_audit_log_is_searched_compared_proved_and_taken_along(page: Page) -> None:
    go(page, "Audit log")
    expect(row(page, "History", "job.received").first).to_be_visible()
    expect(row(page, "History", "agent.online")).to_have_count(0)
    page.get_by_role("button", name="everybody").click()
    expect(row(page, "History", "job.finished").first).to_be_visible()
    page.get_by_label("What", exact=True).fill("printer.*")
    page.get_by_label("Its id").fill("printer-1")
    expect(row(page, "History", "job.finished")).to_have_count(0)
    changed = row(page, "History", "printer.").filter(has=page.locator("summary")).first
    changed.locator("summary").click()
    expect(changed.locator("ins").first).to_be_visible()
    with page.expect_download() as file:
        page.get_by_role("button", name="CSV of what is shown").click()
    text = Path(file.value.path()).read_text(encoding="utf-8-sig")
    assert text.startswith("number,at,actor,what,subject,subject_id")
    assert "printer-1" in text
    page.get_by_role("button", name="Check that it is intact").click()
    expect(page.get_by_text("The history is intact")).to_be_visible()


def test_a_cleanup_is_shown_before_it_is_done_and_a_backup_is_whole(page: Page) -> None:
    go(page, "Disk and backups")
    expect(row(page, "What takes room", "the database")).to_be_visible()
    with page.expect_download() as file:
        page.get_by_role("button", name="Download a backup").click()
    with tarfile.open(file.value.path()) as archive:
        assert len(archive.getnames()) > 3
    page.get_by_label("Files of jobs that ended so many days ago").fill("0")
    page.get_by_role("button", name="Show what would go").click()
    expect(page.get_by_text("would go.")).to_be_visible()
    expect(row(page, "What would go", "first.stl")).to_be_visible()
    page.get_by_role("button", name="Remove them").click()
    expect(page.get_by_text(re.compile(r"\d+ files removed"))).to_be_visible()


def sheet(page: Page, button: str) -> list[dict[str, str]]:
    """Return the rows of a sheet that a button brings."""
    with page.expect_download() as file:
        page.get_by_role("button", name=button).click()
    assert file.value.suggested_filename.startswith("farmhand-")
    text = Path(file.value.path()).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def test_statistics_are_taken_along_as_sheets_of_just_what_is_shown(page: Page) -> None:
    go(page, "Statistics")
    page.get_by_role("combobox", name="by", exact=True).select_option("material")
    shown = page.get_by_role("table").get_by_role("row").filter(has_text="PLA")
    expect(shown).to_be_visible()
    [figures] = [each for each in sheet(page, "Figures as CSV") if each["material"] == "PLA"]
    prints = sheet(page, "Every print as CSV")
    finished = [each for each in prints if each["ended_as"] == "finished"]
    assert int(figures["finished"]) == len(finished) > 0
    assert finished[0]["job_name"] == "first.stl"
    assert {each["printer"] for each in finished} <= {"printer-1", "printer-2"}
    assert float(figures["filament_g"]) > 0
    expect(shown).to_contain_text(figures["finished"])
    page.get_by_role("combobox", name="Of", exact=True).select_option("dates")
    page.get_by_label("to", exact=True).fill("2020-02-01")
    page.get_by_label("from", exact=True).fill("2020-01-01")
    expect(page.get_by_text("Nothing was printed then.")).to_be_visible()
    assert sheet(page, "Every print as CSV") == []


def test_settings_say_what_they_are_where_they_come_from_and_how_to_set_them(
    page: Page, farm: FarmOnShow
) -> None:
    go(page, "Settings and health")
    expect(page.get_by_role("region", name="Health")).to_contain_text("database")
    port = row(page, "Settings", "Port of the HTTP API")
    expect(port).to_contain_text("flag --port")
    port.get_by_text("How").click()
    variable = port.get_by_role("textbox", name="port in the environment")
    expect(variable).to_have_value(re.compile("^FARMHAND_PORT="))
    page.get_by_label("Search settings").fill("slicing")
    expect(port).to_have_count(0)
    assert json.dumps(farm.token) not in page.content()
    go(page, "Log")
    page.get_by_role("button", name="job.received").click()
    expect(page.get_by_label("Lines of the log")).to_contain_text("job_id=")


@pytest.mark.parametrize(
    "size",
    [
        pytest.param((1280, 800), id="desk", marks=pytest.mark.slow),
        pytest.param((360, 740), id="phone"),
    ],
)
def test_every_view_of_the_shop_can_be_read_by_everybody_and_fits(
    chromium: Browser, farm: FarmOnShow, size: tuple[int, int]
) -> None:
    width, height = size
    with watched_page(chromium, farm.url, width=width, height=height) as page:
        page.goto(f"{farm.url}/#token={farm.token}")
        expect(page.get_by_role("link", name="Printer 1", exact=True)).to_be_visible()
        for view in VIEWS:
            page.goto(farm.url + view)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            expect(page.get_by_text("One moment")).to_have_count(0)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{view} is {wide} px wide"
            found = Axe().run(page).response["violations"]
            serious = [each for each in found if each["impact"] in ("serious", "critical")]
            assert not serious, f"{view}: {serious}"


def test_the_way_to_every_view_is_within_reach_of_a_thumb(
    chromium: Browser, farm: FarmOnShow
) -> None:
    with watched_page(chromium, farm.url, width=360, height=740) as page:
        page.goto(f"{farm.url}/#token={farm.token}")
        page.get_by_text("More", exact=True).click()
        account = page.get_by_role("link", name="My account")
        account.scroll_into_view_if_needed()
        expect(account).to_be_in_viewport()
        account.click()
        expect(page.get_by_text("You came with a token")).to_be_visible()
