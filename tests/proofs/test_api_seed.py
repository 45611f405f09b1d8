"""The proof of the API works, and a little of it finds nothing."""

from pathlib import Path

from tests.proofs import api


async def test_nothing_that_is_asked_of_the_api_is_answered_other_than_told(
    tmp_path: Path,
) -> None:
    assert await api.prove(tmp_path, examples=1, seed=1, phases="coverage", known_only=True) == 0
