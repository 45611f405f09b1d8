"""Each kind of bad upload once, to a real coordinator: all are refused, nothing is left of them."""

from pathlib import Path

from tests.proofs.bad_uploads import KINDS
from tests.proofs.uploads import Answer, judged, prove


def test_nobody_does_harm_with_an_upload(tmp_path: Path) -> None:
    found = prove(tmp_path, uploads=len(KINDS), seed=1, holders=0)
    assert found.complaints == []
    assert found.statuses.total() == len(KINDS)
    for name in ("a zip bomb", "a zip bomb that lies", "an archive that names files outside"):
        assert found.statuses[name, 422] == 1, found.statuses
    assert found.statuses["an endless file", 413] == 1


def test_a_defect_and_a_refusal_without_a_reason_are_complained_of() -> None:
    problem = "application/problem+json"
    assert list(judged(Answer(500, problem, b'{"detail": "x"}')))
    assert list(judged(Answer(400, problem, b'{"detail": ""}')))
    assert list(judged(Answer(400, "text/html", b"<p>no")))
    assert not list(judged(Answer(422, problem, b'{"detail": "x"}')))
