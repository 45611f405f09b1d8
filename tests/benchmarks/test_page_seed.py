"""The benchmark of the page works, and the page is as light as it promises to be."""

from dataclasses import replace

import pytest

from tests.benchmarks.page import (
    BUILT,
    FIRST_LOAD_KIB_MAX,
    Seen,
    first_load_kib,
    readable,
    verdicts,
)

SEEN = Seen(
    shown_ms=100.0,
    free_ms=120.0,
    loaded_kib=110.0,
    task_ms=80.0,
    script_ms=20.0,
    layout_ms=10.0,
    layouts=60.0,
    gap_p99_ms=33.0,
    gap_max_ms=50.0,
    long_tasks=(),
    socket_kib=60.0,
    deflated_kib=20.0,
    messages=2.0,
)

pytestmark = pytest.mark.skipif(not BUILT.is_dir(), reason="the page is not built")


def test_what_a_browser_needs_first_is_no_more_than_the_page_promises() -> None:
    assert first_load_kib() <= FIRST_LOAD_KIB_MAX


def test_a_long_task_on_the_wall_is_a_target_missed() -> None:
    assert all(reached for reached, _ in verdicts({"wall": SEEN}))
    slow = {"wall": replace(SEEN, long_tasks=(80.0,))}
    assert [reached for reached, _ in verdicts(slow)] == [True, False]
    assert any("FAIL" in line for line in readable(slow, 500))
