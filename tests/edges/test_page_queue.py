"""The queue, the to-do list, the farm, the wall and the phone, in a real browser.

The printers are stand-ins that speak the real wire: what is started goes on printing.
"""

import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

from coordinator.cli.multipart import form_of
from tests.benchmarks.farm_processes import broker_port
from tests.fakes.farm_on_show import CHROMIUM, browser, watched_page
from tests.fakes.processes import Coordinator, coordinator, started, until

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.xdist_group("page"),
]

PRINTERS = 3
# Presses of the Tab key after which something can't be reached by it.
TABS_MAX = 60


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coordinator]:
    folder = tmp_path_factory.mktemp("queue") / "farm"
    folder.mkdir()
    approved = {"FARMHAND_APPROVE_JOBS": "true"}
    with coordinator(folder, "--broker", "mosquitto", **approved) as found:
        fleet = [str(broker_port(found)), "--agents", str(PRINTERS)]
        log = folder.parent / "fleet.log"
        with started("tests.benchmarks.front_fleet", *fleet, log=log):
            until(lambda: arrived(found) == PRINTERS, "the printers to arrive")
            yield found


def arrived(farm: Coordinator) -> int:
    printers = farm.ask("printers")[1]["items"]
    return sum(each["online"] and each["seen"] != "offline" for each in printers)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture
def page(chromium: Browser, farm: Coordinator) -> Iterator[Page]:
    """Lend a page of somebody who may do all; what was ordered before is cancelled."""
    for job in farm.jobs():
        if job["state"] in ("ready", "received"):
            tell(farm, f"jobs/{job['id']}/cancel")
    with watched_page(chromium, farm.url) as found:
        yield found


def tell(farm: Coordinator, path: str, said: Any = None, *, method: str = "POST") -> Any:
    """Return the answer to a JSON body."""
    headers = {"Authorization": f"Bearer {farm.token}", "Content-Type": "application/json"}
    body = None if said is None else json.dumps(said).encode()
    request = Request(f"{farm.url}/api/v1/{path}", body, headers, method=method)
    with urlopen(request) as answer:
        return json.load(answer)


def order(farm: Coordinator, name: str, token: str = "", **fields: str) -> str:
    """Order G-code as who shows a token, else the farm's own; return the job's id."""
    form = form_of({"name": name, **fields}, io.BytesIO(b"G28\nG1 X9 F600\n"), "part.gcode")
    body = b"".join(part if isinstance(part, bytes) else part.read() for part in form.parts)
    headers = {
        "Authorization": f"Bearer {token or farm.token}",
        "Content-Type": form.content_type,
    }
    with urlopen(Request(f"{farm.url}/api/v1/jobs", body, headers)) as answer:
        return str(json.load(answer)["id"])


def enter(page: Page, farm: Coordinator, path: str = "/", token: str = "") -> None:
    page.goto(f"{farm.url}{path}#token={token or farm.token}")
    expect(page.locator("main")).to_be_visible()


def waiting(page: Page) -> Locator:
    return page.locator("ol.waiting > li .name")


def put_to_work(farm: Coordinator, printer_id: str) -> None:
    """Have a printer print, where it does not yet."""
    if farm.ask(f"printers/{printer_id}")[1]["seen"] != "printing":
        order(farm, "hinge", printer_id=printer_id)
        tell(farm, f"printers/{printer_id}/clear")
        until(
            lambda: farm.ask(f"printers/{printer_id}")[1]["seen"] == "printing",
            "the print to begin",
        )


def test_a_job_is_moved_by_keys_by_its_number_and_by_dragging_and_stays_there(
    page: Page, farm: Coordinator
) -> None:
    for name in ("ax", "bolt", "cog"):
        order(farm, name)
    enter(page, farm, "/queue")
    expect(waiting(page)).to_have_text(["ax", "bolt", "cog"])

    handle = page.get_by_role("button", name="Move cog")
    handle.focus()
    page.keyboard.press("ArrowUp")
    expect(waiting(page)).to_have_text(["ax", "cog", "bolt"])
    expect(page.get_by_text("cog is now 2 of 3.")).to_be_attached()
    expect(handle).to_be_focused()
    page.keyboard.press("Home")
    expect(waiting(page)).to_have_text(["cog", "ax", "bolt"])

    place = page.get_by_role("spinbutton", name="Place of cog")
    place.fill("3")
    place.press("Enter")
    expect(waiting(page)).to_have_text(["ax", "bolt", "cog"])

    page.get_by_role("button", name="Move bolt").hover()
    page.mouse.down()
    page.mouse.move(200, 300)
    box = page.locator("li", has_text="ax").last.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 4)
    expect(page.locator(".drop-before")).to_have_count(1)
    page.mouse.up()
    expect(waiting(page)).to_have_text(["bolt", "ax", "cog"])
    page.reload()
    expect(waiting(page)).to_have_text(["bolt", "ax", "cog"])


def reach(page: Page, wanted: Locator) -> None:
    """Go to something as who has no pointer does."""
    for _ in range(TABS_MAX):
        if wanted.evaluate("found => found === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{wanted} is not reached by {TABS_MAX} presses of Tab")


def test_who_has_no_pointer_moves_and_pauses_a_job(page: Page, farm: Coordinator) -> None:
    for name in ("ax", "bolt", "cog"):
        order(farm, name)
    enter(page, farm)
    reach(page, page.get_by_role("navigation").get_by_role("link", name="Queue"))
    page.keyboard.press("Enter")
    expect(waiting(page)).to_have_text(["ax", "bolt", "cog"])
    reach(page, page.get_by_role("button", name="Move bolt"))
    page.keyboard.press("ArrowDown")
    expect(waiting(page)).to_have_text(["ax", "cog", "bolt"])
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("checkbox", name="Select bolt")).to_be_checked()
    reach(
        page, page.get_by_role("region", name="Selected jobs").get_by_role("button", name="Pause")
    )
    page.keyboard.press("Enter")
    expect(page.locator("ol.waiting > li", has_text="bolt")).to_contain_text("paused")


def test_a_job_that_waits_says_why_in_a_sentence_and_many_are_steered_at_once(
    page: Page, farm: Coordinator
) -> None:
    order(farm, "vase", copies="20")
    order(farm, "lid", material="PETG")
    enter(page, farm, "/queue")
    vase = page.locator("ol.waiting > li", has_text="vase")
    expect(vase).to_contain_text("3 printers have to be cleared.")
    expect(vase).to_contain_text("0 of 20 copies are done")
    expect(page.locator("ol.waiting > li", has_text="lid")).to_contain_text(
        "3 printers hold another material."
    )
    for name in ("vase", "lid"):
        page.get_by_role("checkbox", name=f"Select {name}").check()
    page.get_by_role("region", name="Selected jobs").get_by_role("button", name="Pause").click()
    expect(page.locator("ol.waiting > li", has_text="paused")).to_have_count(2)
    page.on("dialog", lambda dialog: dialog.accept())
    for name in ("vase", "lid"):
        page.get_by_role("checkbox", name=f"Select {name}").check()
    page.get_by_role("region", name="Selected jobs").get_by_role("button", name="Cancel").click()
    expect(waiting(page)).to_have_count(0)
    page.get_by_role("group", name="Show").get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Print vase again").first.click()
    page.get_by_role("button", name="Queue", exact=True).click()
    expect(waiting(page)).to_have_text(["vase"])


def test_to_do_says_what_to_load_and_for_how_long_it_waits_already(
    page: Page, farm: Coordinator
) -> None:
    order(farm, "lid", material="PETG")
    enter(page, farm, "/todo")
    task = page.locator("li.task", has_text="Load PETG for lid")
    expect(task).to_contain_text("would print it.")
    expect(page).to_have_title(f"({PRINTERS + 1}) Farmhand")
    tell(farm, "printers/printer-00000", {"material": "PETG"}, method="PATCH")
    expect(task).to_have_count(0)
    tell(farm, "printers/printer-00000", {"material": ""}, method="PATCH")


def test_what_is_pressed_in_the_to_do_list_is_taken_back_or_done(
    page: Page, farm: Coordinator
) -> None:
    tell(farm, "users", {"name": "sam", "role": "submitter", "password": "four words as good"})
    key = tell(farm, "keys", {"name": "slicer", "user": "sam"})["key"]
    hinge = order(farm, "hinge", token=key)
    order(farm, "lid", material="PETG")
    task = {"printer_id": "printer-00001", "name": "oil the rods", "every_days": 1e-7}
    rods = tell(farm, "maintenance", task)["id"]

    def known() -> tuple[Any, ...]:
        """What the farm knows of the three."""
        [done] = [each for each in farm.ask("maintenance")[1]["items"] if each["id"] == rods]
        return (
            farm.ask(f"jobs/{hinge}")[1]["approved"],
            farm.ask("printers/printer-00002")[1]["material"],
            bool(done["done_by"]),
        )

    enter(page, farm, "/todo")
    presses = (
        "Approve hinge, or cancel it",
        "Load PETG for lid: 00002 holds it",
        "00001: oil the rods: done",
    )
    for name in presses:
        before = known()
        press = page.get_by_role("button", name=name)
        press.click()
        page.get_by_role("button", name="Undo").click()
        expect(press).to_be_enabled()
        assert known() == before, name
        press.click()
        page.get_by_role("button", name="Do it now").click()
        until(lambda before=before: known() != before, name)
    assert known() == (True, "PETG", True)
    tell(farm, "printers/printer-00002", {"material": ""}, method="PATCH")
    tell(farm, f"maintenance/{rods}", {"archived": True}, method="PATCH")


def test_printers_are_chosen_by_keys_and_their_beds_cleared_in_one_press_that_can_be_undone(
    page: Page, farm: Coordinator
) -> None:
    enter(page, farm)
    boxes = page.get_by_role("checkbox", name="Select")
    expect(boxes).to_have_count(PRINTERS)
    boxes.first.focus()
    page.keyboard.press("Shift+ArrowRight")
    chosen = page.get_by_role("region", name="Selected printers")
    expect(chosen).to_contain_text("2 printers")
    page.keyboard.press("Control+a")
    expect(chosen).to_contain_text("3 printers")
    page.get_by_role("button", name="3 beds are clear").click()
    expect(page.get_by_role("button", name="idle 3")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="clear the bed 3")).to_be_visible()


def test_a_screens_credential_shows_the_wall_in_pages_and_nothing_else(
    chromium: Browser, farm: Coordinator
) -> None:
    tell(farm, "users", {"name": "hall", "role": "kiosk", "password": "a screen in the hall"})
    key = tell(farm, "keys", {"name": "screen", "user": "hall"})["key"]
    with watched_page(chromium, farm.url, width=500, height=240) as page:
        enter(page, farm, "/queue", key)
        expect(page.locator(".wall li")).to_have_count(2)
        expect(
            page.get_by_label("page 1 of 2").or_(page.get_by_label("page 2 of 2"))
        ).to_be_visible()
        assert page.get_by_role("link").count() + page.get_by_role("button").count() == 0
        assert page.evaluate("document.scrollingElement.scrollHeight <= window.innerHeight")


def test_the_phone_at_the_machine_clears_its_bed_and_the_timeline_tells_what_comes(
    page: Page, farm: Coordinator
) -> None:
    order(farm, "hinge", printer_id="printer-00002")
    page.set_viewport_size({"width": 390, "height": 844})
    enter(page, farm, "/p/printer-00002")
    expect(page.get_by_text("Next: hinge")).to_be_visible()
    page.goto(f"{farm.url}/queue#timeline")
    expect(page.locator(".slot.planned")).to_contain_text("hinge: planned from")
    page.goto(f"{farm.url}/p/printer-00002")
    page.get_by_role("button", name="The bed is clear").click()
    expect(page.locator("main")).to_contain_text("printing")
    page.goto(f"{farm.url}/queue")
    expect(page.get_by_role("progressbar", name="progress on 00002")).to_be_visible()
    page.goto(f"{farm.url}/queue#timeline")
    expect(page.locator(".slot.printing")).to_contain_text("hinge: prints until")
    for path in ("/queue", "/queue#timeline", "/queue#done", "/todo", "/wall", "/p/printer-00002"):
        page.goto(farm.url + path)
        expect(page.get_by_text("One moment")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        found = Axe().run(page).response["violations"]
        assert not [each for each in found if each["impact"] in ("serious", "critical")], path


def test_the_code_of_a_label_opens_its_printers_page(page: Page, farm: Coordinator) -> None:
    enter(page, farm, "/labels")
    drawn = page.get_by_role("img", name="Code of 00001").screenshot()
    [code] = zxingcpp.read_barcodes(Image.open(io.BytesIO(drawn)))
    assert code.text == f"{farm.url}/p/printer-00001"
    page.goto(code.text)
    expect(page.get_by_role("heading", name="00001", level=1)).to_be_visible()
    expect(page.get_by_role("button", name="The bed is clear")).to_be_visible()


def test_many_printers_go_into_service_and_their_jobs_pause_in_one_press(
    page: Page, farm: Coordinator
) -> None:
    put_to_work(farm, "printer-00002")
    enter(page, farm)
    page.on("dialog", lambda dialog: dialog.accept())
    chosen = page.get_by_role("region", name="Selected printers")
    for name in ("00000", "00001"):
        page.get_by_role("checkbox", name=f"Select {name}").check()
    chosen.get_by_role("button", name="Take into service").click()
    expect(page.get_by_role("button", name="in service 2")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="clear the bed 2")).to_be_visible()

    printing = page.get_by_role("checkbox", name="Select 00002")
    printing.check()
    chosen.get_by_role("button", name="Pause 1 job").click()
    expect(chosen).to_have_count(0)
    printing.check()
    chosen.get_by_role("button", name="Go on with 1 job").click()
    expect(chosen).to_have_count(0)
    printing.check()
    expect(chosen.get_by_role("button", name="Pause 1 job")).to_be_visible()


def test_a_page_of_before_an_upgrade_loads_itself_anew_and_says_what_is_missing(
    chromium: Browser, farm: Coordinator
) -> None:
    def gone(route: Route) -> None:
        route.fulfill(status=404, body="")

    bears = ("Failed to load resource", "dynamically imported", "MIME type", "Refused to")
    with watched_page(chromium, farm.url, bears=bears) as page:
        enter(page, farm)
        page.route("**/assets/queue-*.js", gone)
        views = page.get_by_role("navigation")
        views.get_by_role("link", name="Queue").click()
        expect(page.get_by_role("alert")).to_contain_text("This can't be shown")
        views.get_by_role("link", name="Farm", exact=True).click()
        expect(page.get_by_role("link", name="00001", exact=True)).to_be_visible()
        page.unroute("**/assets/queue-*.js")

        page.route("**/assets/statistics-*.js", gone, times=1)
        newer = '<div id="page"></div><script src="/dashboard/assets/newer.js"></script>'
        page.route(f"{farm.url}/", lambda route: route.fulfill(body=newer))
        page.get_by_text("More", exact=True).click()
        page.get_by_role("link", name="Statistics").click()
        expect(page.get_by_role("heading", name="Statistics", level=1)).to_be_visible()
