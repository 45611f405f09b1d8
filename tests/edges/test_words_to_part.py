"""Words become a part: a stand-in for a language model, the real OpenSCAD, slicer and farm."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.edges.rendering import openscad as there
from tests.fakes.fake_llm import FakeLlm
from tests.fakes.one_printer_farm import Place, one_printer_farm
from tests.fakes.paid_service import served
from tests.fakes.processes import until

PROMPT = "a hook for a 25 mm rail"
BROKEN = "cube([20, 10, 6);\n"
HOOK = """\
// how wide, in mm
width = 12; // [5:40]
difference() {
    cube([30, 20, width]);
    translate([10, 8, -1]) cube([25, 6, width + 2]);
}
"""


def answered(code: str) -> str:
    return f"Here it is.\n```openscad\n{code}```\n"


def printed(here: Place) -> dict[str, Any]:
    """Ask for the part in words, and return its job once it is printed."""
    with here.agent():
        here.clear_bed()
        words = ["generate", PROMPT, "--provider", "writer", "--print", "--material", "PLA"]
        asked = here.farm.farmhand(*words, "--no-watch", "--json")
        assert asked.code == 0, asked.err
        place = f"generations/{asked.json['id']}"
        ended = ("done", "failed", "cancelled", "unsure")
        until(lambda: here.farm.ask(place)[1]["state"] in ended, "the part")
        made = here.farm.ask(place)[1]
        assert made["state"] == "done", made
        job = f"jobs/{made['job_id']}"
        until(lambda: here.farm.ask(job)[1]["state"] in ("finished", "failed"), "the print")
        shown: dict[str, Any] = here.farm.ask(job)[1]
        return shown


@pytest.mark.skipif(shutil.which("prusa-slicer") is None, reason="prusa-slicer is not installed")
async def test_a_prompt_becomes_a_printed_part_whose_gcode_says_where_it_came_from(
    tmp_path: Path,
) -> None:
    there("native", tmp_path / "jobs")  # or skipped, where code can't be rendered here
    async with served(FakeLlm(answered(BROKEN), answered(HOOK))) as model:
        writer = {
            "service": "openscad",
            "base_url": model.base_url,
            "api_key": model.key,
            "model": model.model,
            "engine": "native",
        }
        settings = {"FARMHAND_PROVIDERS": json.dumps({"writer": writer})}
        farm = one_printer_farm(tmp_path, "--speed", "400", settings=settings)
        here = await asyncio.to_thread(farm.__enter__)
        try:
            job = await asyncio.to_thread(printed, here)
            version = here.farm.ask(f"models/{job['model_id']}/versions/1")[1]
        finally:
            await asyncio.to_thread(farm.__exit__, None, None, None)
    assert len(model.bodies) == 2, "what did not compile went back to the model once"
    assert "Parser error" in json.dumps(model.bodies[1])
    assert sorted(version["size_mm"]) == [12.0, 20.0, 30.0]
    assert (version["origin"]["prompt"], version["source"]["language"]) == (PROMPT, "openscad")
    assert job["state"] == "finished", job
    [plate] = (here.farm.folder / "artifacts").rglob(f"*{job['plates'][0]['sha256']}*")
    assert PROMPT in plate.read_text()[-4000:], "the part's origin follows it down to the G-code"
