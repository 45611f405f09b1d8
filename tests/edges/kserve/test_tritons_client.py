"""The stand-in for KServe and Triton, judged by Triton's own client, from the package index."""

import asyncio
import base64
import json
from pathlib import Path

from coordinator.adapters.providers.own_server.server import OwnServer
from coordinator.domain.providing import Kind, Picture, Wish
from tests.benchmarks.installing import environment
from tests.contracts.own_benches import at
from tests.fakes.fake_kserve import FakeKServe
from tests.fakes.one_provider import one_provider
from tests.fakes.paid_service import STL, served

LOCK = Path(__file__).with_name("triton.lock")
WITHIN_S = 60.0

CLIENT = """
import asyncio, base64, json, sys
import numpy, tritonclient.http.aio as triton
from tritonclient.utils import InferenceServerException

async def main():
    shown = {"Authorization": sys.argv[2]}
    async with triton.InferenceServerClient(sys.argv[1]) as client:
        ready = await client.is_server_ready(headers=shown)
        inputs = []
        for name, text in (("prompt", "a hook"), ("image", base64.b64encode(b"PNG").decode())):
            tensor = triton.InferInput(name, [1], "BYTES")
            tensor.set_data_from_numpy(numpy.array([text], dtype=object), binary_data=False)
            inputs.append(tensor)
        outputs = [triton.InferRequestedOutput("mesh", binary_data=False)]
        result = await client.infer(
            "shape", inputs, outputs=outputs, request_id="key-1", headers=shown
        )
        try:
            await client.infer("other", inputs, headers=shown)
        except InferenceServerException as error:
            refused = error.message()
        print(json.dumps([ready, str(result.as_numpy("mesh")[0]), refused]))

asyncio.run(main())
"""


async def test_tritons_own_client_takes_the_stand_in_for_triton_and_asks_as_we_do(
    tmp_path: Path,
) -> None:
    programs = await asyncio.to_thread(environment, LOCK)
    async with served(FakeKServe()) as service:
        process = await asyncio.create_subprocess_exec(
            programs / "python",
            *("-c", CLIENT, f"127.0.0.1:{service.port}", service.shown_key()),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await asyncio.wait_for(process.communicate(), WITHIN_S)
        assert process.returncode == 0, error.decode()[-3000:]
        ready, mesh, refused = json.loads(out)
        assert ready
        assert base64.b64decode(mesh) == STL
        assert "unknown model: 'other'" in refused

        options = at(service, "kserve-v2", constants={"model": "shape"})
        async with one_provider(OwnServer, options, tmp_path) as bench:
            picture = Picture(media_type="image/png", data=b"PNG")
            wish = Wish(kind=Kind.IMAGE, prompt="a hook", pictures=(picture,))
            await bench.submit(wish, "key-1")
    theirs, ours = service.requests
    assert ours["inputs"] == theirs["inputs"]
    assert ours["id"] == theirs["id"]
    assert [output["name"] for output in ours["outputs"]] == ["mesh"]
