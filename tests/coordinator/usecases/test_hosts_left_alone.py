"""Links lead to many servers: one that is down is left alone, and no other with it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from coordinator.domain.breaker import OPEN_S, Call, Stand
from coordinator.domain.generating import TRIES_MAX
from coordinator.domain.generations import GenerationState
from coordinator.domain.providing import (
    Again,
    Blame,
    Handle,
    Kind,
    Piece,
    ProviderFault,
    Submitted,
    Wish,
)
from coordinator.ports_providers import Told
from coordinator.usecases.sources import HOSTS_MAX
from tests.coordinator.usecases.generation_bench import Bench
from tests.fakes.scripted_provider import ScriptedProvider, offering

S = GenerationState
DOWN, UP = "https://down.test/a.stl", "https://up.test/b.stl"


@dataclass
class Linking(ScriptedProvider):
    """Implements `Scattered`; the hosts in `down` do not answer."""

    down: set[str] = field(default_factory=lambda: {"down.test"})
    asked: list[str] = field(default_factory=list)

    def host_of(self, asked: Wish | Handle | Piece) -> str:
        return "" if isinstance(asked, Handle) else urlsplit(asked.url).hostname or ""

    async def submit(self, wish: Wish, key: str, told: Told) -> Submitted:
        self.asked.append(host := self.host_of(wish))
        if host in self.down:
            raise ProviderFault(Blame.RETRY_SAFE, "no_answer", f"{host} does not answer")
        return await super().submit(wish, key, told)


def linking(folder: Path) -> tuple[Bench, Linking]:
    provider = Linking(offer=offering(again=Again.COSTS_ONLY), price=None)
    return Bench(folder, provider), provider


async def ids_of(bench: Bench, urls: Sequence[str]) -> list[str]:
    return [await bench.want(kind=Kind.LINK, url=url, prompt="") for url in urls]


async def test_a_server_that_is_down_keeps_no_link_to_another_waiting(tmp_path: Path) -> None:
    bench, provider = linking(tmp_path)
    [dead] = await ids_of(bench, [DOWN])
    await bench.work(60)
    assert (await bench.show(dead)).state is S.FAILED
    assert provider.asked == ["down.test"] * TRIES_MAX
    [alive] = await ids_of(bench, [UP])
    await bench.work_now()
    await bench.work(5)
    assert (await bench.show(alive)).state is S.DONE
    assert bench.source.stand(Call.SUBMIT, bench.clock) is Stand.CLOSED
    assert bench.source.trouble(bench.clock) == ""


async def test_a_server_that_is_left_alone_is_asked_again_after_a_while(tmp_path: Path) -> None:
    bench, provider = linking(tmp_path)
    await ids_of(bench, [DOWN])
    await bench.work(20)
    assert bench.source.stand(Call.SUBMIT, bench.clock, "down.test") is Stand.OPEN
    asked = len(provider.asked)
    [waiting] = await ids_of(bench, [DOWN])
    await bench.work(5)
    shown = await bench.show(waiting)
    assert (shown.state, len(provider.asked)) == (S.WANTED, asked)
    assert shown.waits == "down.test failed several times, and is left alone for a while"
    provider.down.clear()
    await bench.work(2 * OPEN_S)
    assert (await bench.show(waiting)).state is S.DONE
    assert bench.source.stand(Call.SUBMIT, bench.clock, "down.test") is Stand.CLOSED
    assert not bench.source.hosts


async def test_only_so_many_servers_are_remembered(tmp_path: Path) -> None:
    bench, _ = linking(tmp_path)

    async def fails() -> None:
        raise ProviderFault(Blame.QUOTA, "no", "no")

    for number in range(HOSTS_MAX + 5):
        with suppress(ProviderFault):
            await bench.source.ask(Call.SUBMIT, bench.clock, fails(), 1.0, host=f"host-{number}")
    assert len(bench.source.hosts) == HOSTS_MAX
    assert bench.source.stand(Call.SUBMIT, bench.clock, f"host-{HOSTS_MAX}") is Stand.OPEN
