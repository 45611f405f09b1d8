"""What becomes of an upload is one sentence, with the time where the printers stand."""

from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from coordinator.api.slicers.prospects import in_words, is_sure
from coordinator.usecases.foretelling import Prospect
from tests.fakes.values import JOB, NOW, PRINTER

HERE = NOW.astimezone(timezone(timedelta(hours=2)))  # Tuesday, 14:00
WAITS = Prospect(job=JOB, number=12, printer=PRINTER)


@pytest.mark.parametrize(
    ("prospect", "words", "sure"),
    [
        (
            replace(WAITS, starts_at=NOW + timedelta(minutes=10)),
            "part is queued as number 12, starts about 14:10 on first",
            True,
        ),
        (
            replace(WAITS, starts_at=NOW + timedelta(hours=11)),
            "part is queued as number 12, starts about Wed 02 Jan 01:00 on first",
            True,
        ),
        (
            replace(WAITS, starts_at=NOW),
            "part is queued as number 12, starts now on first",
            True,
        ),
        (Prospect(job=JOB, printer=PRINTER, starts_at=NOW), "part starts now on first", True),
        (Prospect(job=JOB, printer=PRINTER), "part is next on first", True),
        (
            Prospect(job=JOB),
            (
                "part is queued behind more than 1000 others; nobody can tell when it starts. "
                "Why: farmhand job why job-1"
            ),
            False,
        ),
        (
            Prospect(job=replace(JOB, held=True)),
            "part is kept and not printed. To have it printed: farmhand job resume job-1",
            True,
        ),
    ],
)
def test_it_says_what_becomes_of_an_upload(prospect: Prospect, words: str, sure: bool) -> None:
    assert in_words(prospect, HERE) == words
    assert is_sure(prospect) is sure
