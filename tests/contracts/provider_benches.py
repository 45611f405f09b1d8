"""Which providers the contract judges. One joins by a function here and a line at the end."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from coordinator.adapters.providers.coding.options import OpenScadOptions
from coordinator.adapters.providers.coding.provider import CodeProvider
from coordinator.adapters.providers.fal.provider import Fal
from coordinator.adapters.providers.meshy.provider import Meshy
from coordinator.adapters.providers.options import options_of
from coordinator.adapters.providers.rodin import Rodin
from coordinator.adapters.providers.stability import Stability
from coordinator.adapters.providers.tripo import Tripo
from coordinator.domain.providing import Kind, Picture, Wish
from tests.contracts.own_benches import OWN_BENCHES
from tests.fakes.fake_fal import FakeFal
from tests.fakes.fake_llm import FakeLlm
from tests.fakes.fake_meshy import FakeMeshy
from tests.fakes.fake_renderer import FakeRenderer
from tests.fakes.fake_rodin import FakeRodin
from tests.fakes.fake_stability import FakeStability
from tests.fakes.fake_tripo import FakeTripo
from tests.fakes.paid_service import served
from tests.fakes.provider_bench import ProviderBench, bench_of

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
PICTURE = Picture(media_type="image/png", data=PNG)


@asynccontextmanager
async def meshy(folder: Path) -> AsyncIterator[ProviderBench]:
    async with served(FakeMeshy()) as service:
        options = {
            "base_url": service.url,
            "api_key": service.key,
            "webhook_secret": service.webhook_secret,
            "call_s": 2,
        }
        async with bench_of(
            folder,
            service,
            lambda tools: Meshy("meshy", options, tools),
            wish=Wish(kind=Kind.TEXT, prompt="a hook for a rail of 25 mm"),
            refused=Wish(kind=Kind.TEXT, prompt="x" * 601),
            secrets=(service.webhook_secret,),
            delivery=service.delivery,
        ) as bench:
            yield bench


@asynccontextmanager
async def fal(folder: Path) -> AsyncIterator[ProviderBench]:
    async with served(FakeFal()) as service:
        options = {
            "base_url": service.url,
            "api_key": service.key,
            "keys_url": f"{service.url}/.well-known/jwks.json",
            "webhook_url": "https://farm.example.test/provider-webhooks/fal/token",
            "call_s": 2,
        }
        async with bench_of(
            folder,
            service,
            lambda tools: Fal("fal", options, tools),
            wish=Wish(kind=Kind.IMAGE, pictures=(PICTURE,)),
            refused=Wish(kind=Kind.IMAGE, pictures=(PICTURE,), options={"model": "tripo-text"}),
            delivery=service.delivery,
        ) as bench:
            yield bench


@asynccontextmanager
async def tripo(folder: Path) -> AsyncIterator[ProviderBench]:
    async with served(FakeTripo()) as service:
        options = {
            "base_url": service.url,
            "api_key": service.key,
            "webhook_secret": service.webhook_secret,
            "call_s": 2,
        }
        async with bench_of(
            folder,
            service,
            lambda tools: Tripo("tripo", options, tools),
            wish=Wish(kind=Kind.TEXT, prompt="a hook for a rail of 25 mm"),
            refused=Wish(kind=Kind.TEXT, prompt="a hook", options={"faces": 2_000_000}),
            secrets=(service.webhook_secret,),
            delivery=service.delivery,
        ) as bench:
            yield bench


@asynccontextmanager
async def rodin(folder: Path) -> AsyncIterator[ProviderBench]:
    async with served(FakeRodin()) as service:
        options = {"base_url": service.url, "api_key": service.key, "call_s": 2}
        async with bench_of(
            folder,
            service,
            lambda tools: Rodin("rodin", options, tools),
            wish=Wish(kind=Kind.IMAGE, pictures=(PICTURE,)),
            refused=Wish(kind=Kind.IMAGE, pictures=(PICTURE,), seed=70_000),
        ) as bench:
            yield bench


@asynccontextmanager
async def stability(folder: Path) -> AsyncIterator[ProviderBench]:
    async with served(FakeStability()) as service:
        options = {"base_url": service.url, "api_key": service.key, "call_s": 2}
        async with bench_of(
            folder,
            service,
            lambda tools: Stability("stability", options, tools),
            wish=Wish(kind=Kind.IMAGE, pictures=(PICTURE,)),
            refused=Wish(kind=Kind.IMAGE, pictures=(PICTURE,), options={"faces": 5}),
        ) as bench:
            yield bench


@asynccontextmanager
async def coding(folder: Path) -> AsyncIterator[ProviderBench]:
    async with served(FakeLlm()) as service:
        options = options_of(
            OpenScadOptions,
            "coding",
            {
                "base_url": service.base_url,
                "api_key": service.key,
                "model": service.model,
                "call_s": 2,
                "stream": False,  # so that an answer can be lost as a whole
                "price_in": 1,
                "price_out": 2,
            },
        )
        renderer = FakeRenderer(service.file)
        async with bench_of(
            folder,
            service,
            lambda tools: CodeProvider("coding", "openscad", options, renderer, tools),
            wish=Wish(kind=Kind.TEXT, prompt="a hook for a rail of 25 mm"),
            refused=Wish(kind=Kind.TEXT, prompt=" "),
        ) as bench:
            yield bench


BENCHES: dict[str, Callable[[Path], AbstractAsyncContextManager[ProviderBench]]] = {
    **OWN_BENCHES,
    "fal": fal,
    "coding": coding,
    "meshy": meshy,
    "rodin": rodin,
    "stability": stability,
    "tripo": tripo,
}
