"""The stand-ins for paid services, judged by the vendors' own clients, from the package index.

What a vendor's own parser takes for its service can't be far from it. fal's client speaks https
only, so its stand-in does here; Tripo's is told where to go.
"""

import asyncio
import json
import os
import ssl
from pathlib import Path
from typing import Any

from tests.benchmarks.installing import environment
from tests.fakes.fake_fal import FakeFal
from tests.fakes.fake_tripo import FakeTripo
from tests.fakes.paid_service import PaidService, served

CERTIFICATE = Path(__file__).parents[2] / "fakes" / "localhost.pem"
WITHIN_S = 60.0

FAL = """
import fal_client, json, sys
client = fal_client.SyncClient(key=sys.argv[2])
trellis = dict(arguments={"image_url": "data:image/png;base64,AAAA"})
first = client.submit("fal-ai/trellis", **trellis)
seen = [type(event).__name__ for event in first.iter_events(interval=0)]
mesh = first.get()["model_mesh"]["url"]
second = client.submit("fal-ai/trellis", **trellis)
second.cancel()
wrong = client.submit("fal-ai/trellis", arguments={})
for _ in wrong.iter_events(interval=0):
    pass
try:
    wrong.get()
except fal_client.client.FalClientHTTPError as error:
    refused = [error.status_code, str(error)]
print(json.dumps({"seen": seen, "mesh": mesh, "refused": refused}))
"""

TRIPO = """
import asyncio, json, sys, tripo3d
from tripo3d.exceptions import TripoAPIError

async def main():
    async with tripo3d.TripoClient(api_key=sys.argv[2], v3_base_url=sys.argv[1]) as client:
        before = await client.get_balance()
        token = (await client.upload_file(sys.argv[3]))["file_token"]
        task_id = await client.text_to_model(prompt="a hook", texture=False, pbr=False)
        task = await client.wait_for_task(task_id, polling_interval=0.01)
        usage = await client.get_usage()
        try:
            await client.get_task("task-9999")
        except TripoAPIError as error:
            missing = error.code
    print(json.dumps({
        "balance": before.balance, "token": token, "status": task.status.value,
        "mesh": task.output.model_url, "picture": task.output.rendered_image_url,
        "credits": task.credits_consumed, "at": task.create_time, "prompt": task.input["prompt"],
        "usage": [[row.task_id, row.type, row.created_at] for row in usage], "missing": missing,
    }))

asyncio.run(main())
"""


async def answered(script: str, *arguments: str, lock: str = "vendors.lock", **environ: str) -> Any:
    """Run a script with the vendors' clients that a lock pins; return the JSON that it prints."""
    programs = await asyncio.to_thread(environment, Path(__file__).with_name(lock))
    process = await asyncio.create_subprocess_exec(
        programs / "python", "-c", script, *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environ},
    )  # fmt: skip
    out, error = await asyncio.wait_for(process.communicate(), WITHIN_S)
    assert process.returncode == 0, error.decode()[-3000:]
    return json.loads(out)


def place_of(service: PaidService) -> str:
    return f"localhost:{service.port}"


async def test_fals_own_client_takes_the_stand_in_for_fal() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    async with served(FakeFal(), tls=context) as service:
        service.place = lambda path: f"https://{place_of(service)}{path}"
        found = await answered(
            FAL,
            "",
            service.key,
            FAL_QUEUE_RUN_HOST=place_of(service),
            SSL_CERT_FILE=str(CERTIFICATE),
        )
        assert found["seen"] == ["Queued", "Queued", "InProgress", "Completed"]
        assert "/files/task-0001/model.glb" in found["mesh"]
        assert found["refused"][0] == 422
        assert "Field required" in found["refused"][1]
        assert [task.state for task in service.tasks.values()] == ["done", "cancelled", "done"]
        assert len(service.till.refunds) == 1


async def test_tripos_own_client_takes_the_stand_in_for_tripo(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"PNG")
    async with served(FakeTripo()) as service:
        service.now_ms = 1_900_000_000_000
        found = await answered(TRIPO, service.url, service.key, str(picture))
        assert service.files == {"file_0": b"PNG"}
    assert "/files/task-0001/model.glb" in found.pop("mesh")
    assert found.pop("picture").split("?")[0].endswith("picture.webp")
    assert found.pop("usage")[0][:2] == ["task-0001", "text_to_model"]
    assert found == {
        "balance": 1000.0,
        "token": "file_0",
        "status": "success",
        "credits": 10.0,
        "at": 1_900_000_000,
        "prompt": "a hook",
        "missing": 2001,
    }
