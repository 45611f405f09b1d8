"""The benchmark of the page works, and the page is as light as it promises to be."""

import json
from dataclasses import replace

import pytest

from tests.benchmarks.page_report import (
    BUILT,
    FIRST_LOAD_KIB_MAX,
    Built,
    first_load_kib,
    readable,
    verdicts,
)
from tests.benchmarks.page_tasks import Task, long_tasks, tasks_of
from tests.benchmarks.page_views import VIEWS, Seen

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
    tasks=(),
    socket_kib=60.0,
    deflated_kib=20.0,
    messages=2.0,
)

pytestmark = pytest.mark.skipif(not BUILT.is_dir(), reason="the page is not built")


def test_what_a_browser_needs_first_is_no_more_than_the_page_promises() -> None:
    assert first_load_kib() <= FIRST_LOAD_KIB_MAX


TASK = Task(at_ms=0.0, wall_ms=80.0, cpu_ms=10.0, parts={"script": 9.0})


def test_a_task_that_others_held_up_is_told_and_no_target_missed() -> None:
    held_up = {"wall": replace(SEEN, tasks=(TASK,))}
    assert all(reached for reached, _ in verdicts(held_up))
    assert any("80 ms (processor 10): script 9" in line for line in readable(held_up, 500))


def test_what_is_within_another_kind_of_work_is_counted_once() -> None:
    thread = {"ph": "X", "pid": 1, "tid": 2}
    events = [
        {"ph": "M", "pid": 1, "tid": 2, "name": "thread_name", "args": {"name": "CrRendererMain"}},
        {**thread, "name": "RunTask", "ts": 1000, "dur": 90_000, "tdur": 60_000},
        {**thread, "name": "FunctionCall", "ts": 2000, "dur": 70_000},
        {**thread, "name": "Layout", "ts": 3000, "dur": 30_000},
        {**thread, "name": "RunTask", "ts": 200_000, "dur": 4000, "tdur": 4000},
    ]
    found = tasks_of(json.dumps({"traceEvents": events}).encode())
    assert [task.wall_ms for task in found] == [90.0, 4.0]
    [long] = long_tasks(found)
    assert (long.cpu_ms, dict(long.parts)) == (60.0, {"script": 40.0, "layout": 30.0})


def test_a_long_task_on_the_wall_is_a_target_missed() -> None:
    assert all(reached for reached, _ in verdicts({"wall": SEEN}))
    slow = {"wall": replace(SEEN, tasks=(replace(TASK, cpu_ms=70.0),))}
    assert [reached for reached, _ in verdicts(slow)] == [True, False]
    assert any("FAIL" in line for line in readable(slow, 500))


def test_the_report_tells_every_figure_by_which_pages_are_compared() -> None:
    made = Built(page_s=1.7, wheel_s=1.5, wheel_kib=2979.0)
    told = "\n".join(readable({view.name: SEEN for view in VIEWS}, 500, made))
    for words in (
        f"first load: {first_load_kib():.1f} KiB packed; FDM Monster's own files 649",
        "interactive on a processor 4 times slower: 120 ms",
        "wall: 80 ms of the main thread a second, longest gap between frames 50 ms",
        "socket: 60 KiB a second in 2.0 messages (20 KiB deflated)",
        "built in 1.7 s; a wheel of 2979 KiB in 1.5 s",
    ):
        assert words in told
