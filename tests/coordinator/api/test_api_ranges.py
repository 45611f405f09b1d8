"""Properties of ranges: what is sent is always a true part of the file, and what was asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.api.ranges import Span, Unsatisfiable, etag_matches, span_of

SIZES = st.integers(min_value=0, max_value=10_000)
NUMBERS = st.integers(min_value=0, max_value=12_000)


@given(st.text(), SIZES)
def test_any_header_gives_the_whole_or_a_part_that_exists(header: str, size: int) -> None:
    try:
        span = span_of(header, size)
    except Unsatisfiable:
        return
    assert span is None or 0 <= span.start < span.stop <= size


@given(NUMBERS, NUMBERS, SIZES)
def test_a_range_with_both_ends_gives_exactly_the_bytes_between_that_exist(
    first: int, last: int, size: int
) -> None:
    header = f"bytes={first}-{last}"
    wanted = [at for at in range(size) if first <= at <= last]
    if last < first:
        assert span_of(header, size) is None
    elif not wanted:
        with pytest.raises(Unsatisfiable):
            span_of(header, size)
    else:
        assert span_of(header, size) == Span(start=wanted[0], stop=wanted[-1] + 1)


@given(st.integers(min_value=1, max_value=12_000), st.integers(min_value=1, max_value=10_000))
def test_a_suffix_gives_the_end_of_the_file(length: int, size: int) -> None:
    content = list(range(size))
    span = span_of(f"bytes=-{length}", size)
    assert span is not None
    assert content[span.start : span.stop] == content[-length:]


@given(NUMBERS, st.integers(min_value=1, max_value=10_000))
def test_an_open_range_goes_on_to_the_end(first: int, size: int) -> None:
    if first >= size:
        with pytest.raises(Unsatisfiable):
            span_of(f"bytes={first}-", size)
    else:
        assert span_of(f"bytes={first}-", size) == Span(start=first, stop=size)


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes", "bytes=", "bytes=-", "items=0-1", "bytes=a-b", "bytes=0-1,4-5",
     "bytes=" + "9" * 5000 + "-"],
)  # fmt: skip
def test_what_is_no_single_range_asks_for_the_whole(header: str | None) -> None:
    assert span_of(header, 100) is None


def test_a_suffix_of_nothing_is_refused() -> None:
    with pytest.raises(Unsatisfiable):
        span_of("bytes=-0", 100)


@pytest.mark.parametrize("header", ['"abc"', 'W/"abc"', '"x", "abc"', "*", ' "abc" '])
def test_a_known_etag_matches_in_each_way_to_write_it(header: str) -> None:
    assert etag_matches(header, "abc")


@pytest.mark.parametrize("header", [None, "", "abc", '"abcd"', '"ab"'])
def test_another_etag_does_not_match(header: str | None) -> None:
    assert not etag_matches(header, "abc")
