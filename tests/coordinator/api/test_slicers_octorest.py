"""octorest, a client of OctoPrint that others wrote, finds the farm to be one."""

import asyncio

import aiohttp
from octorest import OctoRest

from tests.fakes.served_farm import TOKEN, ServedFarm


def talk(url: str) -> dict[str, object]:
    client = OctoRest(url=url, apikey=TOKEN)
    sent = client.upload(("part.gcode", b"G28\nG1 X10 E1\n"))
    path = sent["files"]["local"]["path"]
    client.select(path, print=True)
    return {
        "text": client.version["text"],
        "keys": client.probe_app_keys_workflow_support(),
        "state": client.state(),
        "files": [file["path"] for file in client.files()["files"]],
        "path": path,
        "info": client.files_info("local", path)["name"],
        "named": client.files_info("local", "part.gcode")["path"],
        "printer": client.printer(exclude=["sd"]),
        "job": client.job_info()["state"],
        "profiles": client.printer_profiles()["profiles"].keys(),
        "settings": client.settings()["feature"]["sdSupport"],
    }


async def test_octorest_sends_a_file_and_has_it_printed(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("a")
    said = await asyncio.to_thread(talk, str(session._build_url("/")))
    assert str(said["text"]).startswith("OctoPrint ")
    assert said["keys"] is False
    assert (said["state"], said["job"]) == ("Operational", "Operational")
    assert said["files"] == [said["path"]]
    assert said["named"] == said["path"]
    assert said["info"] == "part.gcode"
    assert "sd" not in said["printer"]  # type: ignore[operator]
    (job,) = farm.store.tables.jobs.values()
    assert (job.held, job.name) == (False, "part.gcode")
