"""The benchmark of generations works: a small run of it, on any machine; no figure is asserted."""

from tests.benchmarks.generating import measure, readable


async def test_a_few_users_generate_at_once() -> None:
    found = await measure(requests=2, users=3, provider_s=0.01)
    assert found.bare_ms > 0
    assert found.farm_ms > 0
    assert len(found.api_ms) >= 6
    assert len(readable(found)) == 4
