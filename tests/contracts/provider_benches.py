"""Which providers the contract judges. One joins by a function here and a line at the end."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from coordinator.adapters.providers.fal.provider import Fal
from coordinator.adapters.providers.meshy.provider import Meshy
from coordinator.domain.providing import Kind, Picture, Wish
from tests.fakes.fake_fal import FakeFal
from tests.fakes.fake_meshy import FakeMeshy
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


BENCHES: dict[str, Callable[[Path], AbstractAsyncContextManager[ProviderBench]]] = {
    "fal": fal,
    "meshy": meshy,
}
