"""What people do with a coordinator that systemd shuts in: its page, slicing, code of strangers."""

import json
import shutil
import sys
import time
from typing import Any

from tests.proofs.crash import say
from tests.proofs.debian_tree import hold
from tests.proofs.documented import commands
from tests.proofs.live_farm import COORDINATOR, STATE, Farm
from tests.proofs.packages_built import ROOT

WRITER = '\n[providers.writer]\nservice = "openscad"\n'
CODE = "width = 20; // [10:100]\ncube([width, 10, 5]);\n"
DROP_IN = "etc/systemd/system/farmhand-coordinator.service.d"


def look_at_the_page(farm: Farm) -> None:
    """Hold that a browser shows the page, and sees it live while something prints."""
    state = farm.tree / STATE[COORDINATOR].lstrip("/")
    url = json.loads((state / "coordinator.json").read_text())["api_url"]
    token = (state / "token").read_text().strip()
    command = sys.executable, "-m", "tests.proofs.page_look", url, token, "p1"
    seen = json.loads(farm.machine.on_its_network(*command, cwd=ROOT).splitlines()[-1])
    say(
        f"  the page in a browser: the printer shown after {seen['shown_s']} s, {seen['views']} "
        f"views without a complaint, {seen['told']} messages over the WebSocket"
    )


def slice_a_model(farm: Farm) -> None:
    """Hold that a model is sliced by a child of the unit."""
    shutil.copyfile(ROOT / "configs/dev/barn.stl", farm.tree / "root/barn.stl")
    wish = "--class", "prusa-mk3s", "--material", "PLA", "--quality", "draft"
    began = time.monotonic()
    job = farm.ask("job", "submit", "/root/barn.stl", *wish)["id"]
    plates = farm.until(lambda: farm.ask("job", "show", job)["plates"], "a sliced model")
    took_s = time.monotonic() - began
    farm.machine.call("farmhand", "job", "cancel", job)
    say(f"  a model sliced inside of the unit in {took_s:.0f} s, by {plates[0]['engine']}")


def render(farm: Farm) -> None:
    """Hold that code of strangers is refused by the bare unit, and made with `sandbox.conf`."""
    settings = farm.tree / "etc/farmhand/coordinator.toml"
    own = settings.read_text()
    settings.write_text(own + WRITER)
    (farm.tree / "root/cube.scad").write_text(CODE)
    _restart(farm)
    refused = _provider(farm)
    hold("can't be shut in" in refused, f"the bare unit says of OpenSCAD: {refused!r}")
    hold("can't be shut in" in _doctor(farm), "the doctor does not say that of the service")
    for command in commands(ROOT / "systemd/README.md", "Rendering code"):
        farm.type(command)
    made = farm.ask("generate", "new", "--code", "/root/cube.scad", "--provider", "writer")
    hold(made["state"] == "done", f"the generation is {made}")
    exposure = farm.machine.call("systemd-analyze", "security", "--no-pager", COORDINATOR)
    rated = exposure.rpartition("exposure level for")[2].split()[1]
    say(f"  OpenSCAD: refused by the bare unit; with sandbox.conf, rated {rated}, code is a model")
    shutil.rmtree(farm.tree / DROP_IN)
    settings.write_text(own)
    _restart(farm)
    farm.goes_on("three restarts of the coordinator")


def _restart(farm: Farm) -> None:
    farm.machine.call("systemctl", "daemon-reload")
    farm.machine.call("systemctl", "restart", COORDINATOR)


def _provider(farm: Farm) -> str:
    told: dict[str, Any] = farm.ask("provider", "show", "writer")
    return json.dumps(told)


def _doctor(farm: Farm) -> str:
    return farm.machine.call("sh", "-c", "farmhand doctor --json || true")
