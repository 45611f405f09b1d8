"""The stand-in for ComfyUI, judged by the client within ComfyUI's own command, `comfy`.

That is the part of it that asks a server of one's own over HTTP; it needs no other package. It
shows no key: a ComfyUI of one's own has none unless somebody put a proxy before it.
"""

import json
from typing import Any

import pytest

from tests.edges.vendors.test_vendors_clients import answered
from tests.fakes.fake_comfyui import FakeComfyUI
from tests.fakes.paid_service import STL, served

pytestmark = pytest.mark.slow

LOCK = "comfy.lock"
WORKFLOW = {"9": {"class_type": "SaveGLB", "inputs": {"mesh": ["8", 0]}}}

COMFY = """
import json, sys, urllib.request
from comfy_cli.comfy_client import Client, HTTPError
from comfy_cli.target import Target

client = Client(Target(kind="local", base_url=sys.argv[1]))
workflow = json.loads(sys.argv[2])
made = client.submit_prompt(workflow, "tests")
early = client.get_history(made.prompt_id)
for _ in range(4):  # the stand-in goes on by such looks
    client._request("GET", ("queue",))
record = client.wait_for_completion(made.prompt_id, poll_interval=0.01, timeout=10)
[output] = client.extract_outputs(record)
mesh = urllib.request.urlopen(output["url"]).read().decode()
stats = client.get_system_stats()
try:
    client.submit_prompt({**workflow, "wrong": {}}, "tests")
except HTTPError as error:
    refused = [error.status, error.body]
print(json.dumps({
    "number": made.number, "errors": made.node_errors, "early": early, "status": record["status"],
    "output": output, "mesh": mesh, "version": stats["system"]["comfyui_version"],
    "refused": refused,
}))
"""


class OpenComfyUI(FakeComfyUI):
    """One without a key, which takes no node that has no class."""

    def shown_key(self) -> Any:
        return None

    async def _prompt(self, request: Any) -> Any:
        nodes = (await request.json())["prompt"].values()
        if not all("class_type" in node for node in nodes):
            return self.refusal(400, "Node has no class_type")
        return await super()._prompt(request)


async def test_comfys_own_client_takes_the_stand_in_for_comfyui() -> None:
    async with served(OpenComfyUI()) as service:
        found = await answered(COMFY, service.url, json.dumps(WORKFLOW), lock=LOCK)
        [task] = service.tasks.values()
    assert (found["number"], found["errors"], found["early"]) == (1, {}, None)
    assert found["status"]["status_str"] == "success"
    assert (found["output"]["node_id"], found["output"]["type"]) == ("9", "output")
    assert found["mesh"] == STL.decode()
    assert found["version"] == "0.38.0"
    assert found["refused"][0] == 400
    assert "no class_type" in found["refused"][1]
    assert task.asked["prompt"] == WORKFLOW
