"""A lost submit at a service whose list decides nothing, from the wish to a person's desk."""

from pathlib import Path

from coordinator.domain.generations import GenerationState
from tests.contracts.provider_benches import tripo
from tests.coordinator.usecases.generation_bench import Bench
from tests.fakes.fake_tripo import FakeTripo
from tests.fakes.paid_service import Trouble


async def test_what_a_list_does_not_decide_is_put_to_a_person(tmp_path: Path) -> None:
    async with tripo(tmp_path) as opened:
        assert isinstance(opened.service, FakeTripo)
        bench = Bench(tmp_path, opened.provider)  # type: ignore[arg-type]
        opened.service.rows_appear = False
        opened.service.misbehave("submit", Trouble(how="drop", after=True))
        its_id = await bench.want()
        await bench.work(900)
        shown = await bench.show(its_id)
        assert (shown.state, shown.next_at) == (GenerationState.UNSURE, None)
        assert "a person" in shown.waits
        assert sum(path == "GET /v3/account/usage" for path, _ in opened.service.asked) == 3
        assert len(opened.service.till.charges) == 1
