"""Servers of one's own, for the contract of all providers; a price is put on what is free."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from coordinator.adapters.providers.own_server.comfyui import ComfyUI
from coordinator.adapters.providers.own_server.server import OwnServer
from coordinator.domain.providing import Kind, Picture, Wish
from tests.fakes.fake_comfyui import FakeComfyUI
from tests.fakes.fake_farm_gen import PRICE, FakeFarmGen
from tests.fakes.fake_hunyuan import FakeHunyuan
from tests.fakes.fake_kserve import FakeKServe
from tests.fakes.paid_service import PaidService, served
from tests.fakes.provider_bench import ProviderBench, bench_of

PICTURE = Picture(media_type="image/png", data=b"\x89PNG\r\n\x1a\n" + b"\0" * 32)
HOOK = Wish(kind=Kind.TEXT, prompt="a hook for a rail of 25 mm")
SHOWN = Wish(kind=Kind.IMAGE, pictures=(PICTURE,))
WORKFLOW: dict[str, Any] = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "${image}"}},
    "3": {
        "class_type": "KSampler",
        "inputs": {"seed": "${seed}", "steps": "${option.steps}", "image": ["1", 0]},
    },
    "9": {"class_type": "SaveGLB", "inputs": {"filename_prefix": "${filename_prefix}"}},
}


def at(service: PaidService, preset: str, **more: Any) -> dict[str, Any]:
    """Return the settings of a server by a preset."""
    known = {"base_url": service.url, "api_key": service.key, "auth": "bearer", "call_s": 2}
    return {"preset": preset, **known, **more}


@asynccontextmanager
async def farm_gen(folder: Path) -> AsyncIterator[ProviderBench]:
    async with served(FakeFarmGen()) as service:
        options = at(
            service,
            "farm-gen-v1",
            webhook={"secret": service.webhook_secret},
            cost={"fixed": PRICE},
        )
        async with bench_of(
            folder,
            service,
            lambda tools: OwnServer("box", options, tools),
            wish=HOOK,
            refused=Wish(kind=Kind.TEXT, prompt="x" * 2001),
            secrets=(service.webhook_secret,),
            delivery=service.delivery,
        ) as bench:
            yield bench


@asynccontextmanager
async def hunyuan(folder: Path) -> AsyncIterator[ProviderBench]:
    async with served(FakeHunyuan()) as service:
        limits = {"submit": {"within_s": 2}, "cost": {"fixed": 1}}
        options = at(service, "hunyuan3d-2-sync", **limits)
        async with bench_of(
            folder,
            service,
            lambda tools: OwnServer("box", options, tools),
            wish=SHOWN,
            refused=Wish(kind=Kind.IMAGE, pictures=(PICTURE,), options={"face_count": "many"}),
        ) as bench:
            yield bench


@asynccontextmanager
async def kserve(folder: Path) -> AsyncIterator[ProviderBench]:
    async with served(FakeKServe()) as service:
        limits = {"submit": {"within_s": 2}, "constants": {"model": "shape"}}
        options = at(service, "kserve-v2", **limits)
        async with bench_of(
            folder,
            service,
            lambda tools: OwnServer("box", options, tools),
            wish=HOOK,
            refused=Wish(kind=Kind.TEXT, prompt=" "),
        ) as bench:
            yield bench


@asynccontextmanager
async def comfyui(folder: Path) -> AsyncIterator[ProviderBench]:
    (folder / "workflow.json").write_text(json.dumps(WORKFLOW))
    async with served(FakeComfyUI()) as service:
        options = {
            "base_url": service.url,
            "api_key": service.key,
            "call_s": 2,
            "workflow_file": str(folder / "workflow.json"),
            "options": {"steps": {"type": "integer"}},
        }
        async with bench_of(
            folder,
            service,
            lambda tools: ComfyUI("comfy", options, tools),
            wish=SHOWN,
            refused=Wish(kind=Kind.IMAGE, pictures=(PICTURE,), options={"stairs": 3}),
        ) as bench:
            yield bench


OWN_BENCHES: dict[str, Callable[[Path], AbstractAsyncContextManager[ProviderBench]]] = {
    "comfyui": comfyui,
    "farm_gen": farm_gen,
    "hunyuan": hunyuan,
    "kserve": kserve,
}
