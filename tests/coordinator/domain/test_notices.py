"""When notices go out, and what they say."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from coordinator.domain.history import FarmEvent, Head, following
from coordinator.domain.messages import TYPES, Things
from coordinator.domain.notices import (
    DELAYS_S,
    MATTERS,
    MATTERS_TOLD_MAX,
    URGENT,
    Matter,
    Pace,
    delay_s,
    matter_of,
    notice_of,
    quiet_hours,
)
from tests.fakes.values import JOB

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


def matter(words: str, *, urgent: bool = False) -> Matter:
    return Matter(key=words, at=NOW, words=words, urgent=urgent)


def test_every_matter_is_a_type_of_message() -> None:
    assert MATTERS.keys() <= TYPES.keys()
    assert MATTERS.keys() >= URGENT


def test_a_matter_waits_for_others() -> None:
    pace = Pace(gather_s=60)
    assert not pace.gathered(NOW, NOW + timedelta(seconds=59))
    assert pace.gathered(NOW, NOW + timedelta(seconds=60))


@pytest.mark.parametrize(
    ("hours", "quiet", "loud"),
    [
        ("22:00-07:00", ["22:00", "23:59", "00:00", "06:59"], ["07:00", "12:00", "21:59"]),
        ("12:30-13:30", ["12:30", "13:29"], ["12:29", "13:30", "00:00"]),
        ("", [], ["00:00", "12:00"]),
    ],
)
def test_quiet_hours_may_go_over_midnight(hours: str, quiet: list[str], loud: list[str]) -> None:
    pace = Pace(quiet=quiet_hours(hours))
    assert all(pace.is_quiet(time.fromisoformat(each)) for each in quiet)
    assert not any(pace.is_quiet(time.fromisoformat(each)) for each in loud)


@pytest.mark.parametrize("text", ["22:00", "22-07-x", "25:00-07:00", "-"])
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="22:00-07:00"):
        quiet_hours(text)


def test_one_matter_is_the_title_and_several_are_counted() -> None:
    assert notice_of([matter("a: clear the bed")]).title == "a: clear the bed"
    both = notice_of([matter("a"), matter("b", urgent=True), matter("a")])
    assert both.title == "2 matters: a, ..."
    assert both.urgent
    assert both.text.splitlines() == ["2030-01-01 12:00 UTC  a", "2030-01-01 12:00 UTC  b"]


def test_a_long_list_is_cut_and_says_so() -> None:
    many = notice_of([matter(str(number)) for number in range(MATTERS_TOLD_MAX + 5)])
    assert many.text.splitlines()[-1] == "and 5 more"


def test_names_that_people_gave_can_not_break_a_line() -> None:
    event = FarmEvent(
        subject="job", subject_id="job-1", name="job.failed", at=NOW, actor="farm", cause="x\r\ny"
    )
    [line] = following(Head(), [event])
    job = replace(JOB, name="a\r\nBcc: all@example.com\u202e" + "z" * 500)
    found = matter_of(line, "job.failed", Things(job=job))
    assert found is not None
    assert found.words.isprintable()
    assert len(found.words) <= 200
    assert found.words.startswith("job a Bcc: all@example.com")


def test_what_fails_is_tried_again_later_and_later() -> None:
    assert [delay_s(number) for number in (1, 2, 3, 4, 99)] == [*DELAYS_S, DELAYS_S[-1]]
