"""An empty farm's page leads a person to its first printers: real processes, a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.fakes.farm_on_show import CHROMIUM, browser, watched_page
from tests.fakes.processes import Coordinator, coordinator, run, started, until

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.xdist_group("page"),
]

VIEWS = ("/statistics", "/settings", "/begin", "/labels")
# What the browser says of answers that refuse.
REFUSED = "Failed to load resource"
# Nobody waits for its heat; a pause in the midst of it is long enough for anybody.
PLATE = "M104 S200\nG28\nG1 X10 Y10 F6000\nG4 S600\nG1 X1 Y1 E1\n"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as found:
        yield found


def enrolled(page: Page, farm: Coordinator, state: Path) -> None:
    """Do what the page says: have a token made, and type the command on the other machine."""
    page.get_by_role("button", name="Make a token").click()
    page.get_by_label("Its name").fill("pi-1")
    page.get_by_role("dialog").get_by_role("button", name="Make a token").click()
    command = page.get_by_label("Type this on its machine").get_by_role("textbox").input_value()
    assert re.match(r"farmhand-agent enroll enroll_\S+ --coordinator http://", command)
    token = command.split()[2]
    done = run("agent", "enroll", token, "--coordinator", farm.url, "--state-dir", state)
    assert done.code == 0, done.err
    page.get_by_role("button", name="Done").click()


def test_an_empty_farm_gets_its_first_printers(chromium: Browser, tmp_path: Path) -> None:
    state, config = tmp_path / "pi-1", tmp_path / "agent.toml"
    ports = {name: tmp_path / name for name in ("one", "two")}
    config.write_text(f'state_dir = "{state}"\n')
    with (
        coordinator(tmp_path / "farm") as farm,
        started("agent.simulator", "--pty", ports["one"], "--speed", "5", log=tmp_path / "one.log"),
        started("agent.simulator", "--pty", ports["two"], log=tmp_path / "two.log"),
        watched_page(chromium, farm.url, bears=REFUSED) as page,
    ):
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(f"{farm.url}/#token={farm.token}")
        page.get_by_role("link", name="Begin").click()
        expect(page.get_by_text("No agent yet")).to_be_visible()
        try_it_without_a_printer(page)
        enrolled(page, farm, state)
        with started("agent", "--config", config, log=tmp_path / "agent.log") as agent:
            expect(page.get_by_label("Beside pi-1").get_by_text("online")).to_be_visible()
            until(lambda: all(port.exists() for port in ports.values()), "the simulated ports")
            add_by_hand(page, ports["one"])
            import_table(page, ports["two"])
            expect(page.get_by_role("link", name="2 printers in the farm")).to_be_visible()
            look_at_every_view(page, farm)
            retire_one(page, farm)
            print_some(page, tmp_path)
            agent.kill()
            agent.wait()
        # Its card is damaged: it knows its name and printers, but not what it began.
        for part in state.glob("journal.sqlite*"):
            part.unlink()
        again = tmp_path / "again.log"
        with started("agent", "--config", config, log=again):
            until(lambda: online(farm) == {"ender"}, "the printer to come back after a restart")
            settle_it(page)
            change_a_setting(page, farm)


def try_it_without_a_printer(page: Page) -> None:
    """Have simulated printers, and send them away again."""
    trial = page.get_by_role("region", name="Simulated printers")
    trial.get_by_role("button", name="Try it with three simulated printers").click()
    expect(trial.get_by_role("link", name="3 simulated printers in the farm")).to_be_visible()
    trial.get_by_role("button", name="Take them away").click()
    expect(page.get_by_text("The simulated printers are gone")).to_be_visible()
    expect(trial.get_by_role("button", name="Try it with three")).to_be_visible()


def retire_one(page: Page, farm: Coordinator) -> None:
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{farm.url}/printers/second")
    page.get_by_role("button", name="Retire Second").click()
    expect(page.get_by_text("Second is retired.")).to_be_visible()
    expect(page.get_by_role("link", name="Ender", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Second", exact=True)).to_have_count(0)


def print_some(page: Page, folder: Path) -> None:
    """Have a plate printed, and return in the midst of it."""
    plate = folder / "plate.gcode"
    plate.write_text(PLATE)
    page.get_by_role("button", name="The bed of Ender is clear").click()
    page.get_by_label("Files to print").set_input_files(str(plate))
    page.get_by_role("button", name="Print", exact=True).click()
    expect(page.get_by_role("heading", name="plate", level=1)).to_contain_text("printing")


def settle_it(page: Page) -> None:
    """Say what became of a run that its agent forgot, once by a slip, which is taken back."""
    asking = page.get_by_role("group", name="What became of it on Ender")
    expect(asking).to_contain_text("Look at Ender")
    asking.get_by_role("button", name="Print it again").click()
    page.get_by_role("button", name="Undo").last.click()
    expect(asking.get_by_role("button", name="Print it again")).to_be_enabled()
    asking.get_by_role("button", name="It was printed").click()
    page.get_by_role("button", name="Do it now").click()
    expect(page.get_by_role("heading", name="plate", level=1)).to_contain_text("finished")


def change_a_setting(page: Page, farm: Coordinator) -> None:
    page.goto(f"{farm.url}/settings")
    row = page.get_by_role("table", name="Settings").get_by_role("row")
    quiet = row.filter(has_text="quiet_hours")
    quiet.get_by_role("button", name="Change quiet_hours").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("quiet_hours").fill("at night")
    dialog.get_by_role("button", name="Change it").click()
    expect(dialog.get_by_role("alert")).to_contain_text("22:00-07:00")
    dialog.get_by_label("quiet_hours").fill("22:00-07:00")
    dialog.get_by_role("button", name="Change it").click()
    expect(quiet).to_contain_text("changed here")
    page.get_by_role("button", name="Undo").last.click()
    expect(quiet).to_contain_text("as it comes")


def add_by_hand(page: Page, port: Path) -> None:
    page.get_by_role("button", name="Add a printer to pi-1 by hand").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Its name").fill("Ender")
    dialog.get_by_label("Its id").fill("ender")
    dialog.get_by_label("Port").fill(str(port))
    dialog.get_by_label("Printer class").fill("farmhand-220")
    dialog.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("Ender is in the farm.")).to_be_visible()


def import_table(page: Page, port: Path) -> None:
    table = page.get_by_label("Table of printers")
    head = "name,agent,driver,address,class,location\n"
    table.fill(f"{head}Second,pi-9,marlin_serial,{port},farmhand-220,shelf 2\n")
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_text("there is no agent pi-9")).to_be_visible()
    table.fill(f"{head}Second,pi-1,marlin_serial,{port},farmhand-220,shelf 2\n")
    page.get_by_role("button", name="Check it").click()
    page.get_by_role("button", name="Add 1 printer").click()
    expect(page.get_by_role("status").get_by_text("1 printer added.").first).to_be_visible()


def look_at_every_view(page: Page, farm: Coordinator) -> None:
    for width, height in ((1440, 900), (360, 740)):
        page.set_viewport_size({"width": width, "height": height})
        for view in VIEWS:
            page.goto(farm.url + view)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            page.wait_for_load_state("networkidle")
            found = Axe().run(page)
            assert found.violations_count == 0, (view, found.generate_report())
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (view, width, wide)
    page.goto(f"{farm.url}/labels")
    expect(page.get_by_role("img", name="Code of Ender")).to_be_visible()
    page.get_by_role("checkbox", name="Second").uncheck()
    expect(page.get_by_role("button", name="Print 1")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("img", name="Code of Ender")).to_be_visible()


def online(farm: Coordinator) -> set[str]:
    _, said = farm.ask("printers")
    return {each["id"] for each in said["items"] if each["status"] != "offline"}
