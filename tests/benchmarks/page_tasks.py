"""What the main thread of a page does, task by task, read from chromium's own trace.

A task is long when whoever presses something has to wait for it: by the clock, as a browser's own
`longtask` has it. On a machine that does other things too the clock says more about those; so each
task has the time that the processor spent on it beside.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

LONG_MS = 50.0
CATEGORIES = (
    *("toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"),
    *("disabled-by-default-lighthouse", "v8", "blink.user_timing"),
)
_TASKS = frozenset({"RunTask", "ThreadControllerImpl::RunTask"})
_MAIN_THREAD = "CrRendererMain"

# What an event of the trace is the work of; others are part of what surrounds them.
_KINDS = {
    "script": (
        "FunctionCall",
        "EvaluateScript",
        "TimerFire",
        "FireAnimationFrame",
        "EventDispatch",
    ),
    "garbage": ("MinorGC", "MajorGC", "V8.GC_"),
    "style": ("UpdateLayoutTree", "RecalculateStyles", "Document::updateStyle"),
    "layout": ("Layout", "LocalFrameView::layout"),
    "paint": ("PrePaint", "Paint", "Layerize", "Commit", "CompositeLayers", "UpdateLayer"),
    "parse": ("ParseHTML", "ParseAuthorStyleSheet", "v8.compile", "V8.Compile"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task of the main thread; times in milliseconds.

    Attributes:
        wall_ms: by the clock; `cpu_ms` what the processor spent on it.
        parts: what of it was spent on which kind of work, the largest first.
    """

    at_ms: float
    wall_ms: float
    cpu_ms: float
    parts: Mapping[str, float]

    @property
    def words(self) -> str:
        """Say what it was."""
        parts = ", ".join(f"{kind} {spent:.0f}" for kind, spent in self.parts.items())
        return f"{self.wall_ms:.0f} ms (processor {self.cpu_ms:.0f}): {parts}"


def traced(chromium: Browser, page: Page, seconds: float) -> bytes:
    """Return the trace of so many seconds of a page."""
    chromium.start_tracing(page=page, categories=list(CATEGORIES))
    page.wait_for_timeout(seconds * 1000)
    return chromium.stop_tracing()


def tasks_of(trace: bytes) -> list[Task]:
    """Return the tasks of the busiest main thread in a trace, in order."""
    events = json.loads(trace)["traceEvents"]
    mains = {
        (each["pid"], each["tid"])
        for each in events
        if each["name"] == "thread_name" and each["args"]["name"] == _MAIN_THREAD
    }
    threads: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    for each in events:
        thread = each["pid"], each["tid"]
        if each["ph"] == "X" and thread in mains:
            threads[thread].append(each)
    if not threads:
        return []
    return list(_tasks(max(threads.values(), key=_busy)))


def long_tasks(tasks: Sequence[Task]) -> list[Task]:
    """Return those that are long by the clock, the longest first."""
    found = [task for task in tasks if task.wall_ms > LONG_MS]
    return sorted(found, key=lambda task: -task.wall_ms)


def _busy(events: Sequence[Mapping[str, Any]]) -> float:
    return sum(float(each.get("dur", 0)) for each in events if each["name"] in _TASKS)


def _tasks(events: Sequence[Mapping[str, Any]]) -> Iterator[Task]:
    ordered = sorted(events, key=lambda each: (each["ts"], -each.get("dur", 0)))
    begun = ordered[0]["ts"]
    ends, within = 0.0, list[Mapping[str, Any]]()
    top: Mapping[str, Any] | None = None
    for each in ordered:
        if each["ts"] >= ends:
            if top is not None:
                yield _task(top, within, begun)
                top = None
            if each["name"] in _TASKS:
                top, within, ends = each, [], each["ts"] + each.get("dur", 0)
        elif each["name"] not in _TASKS:
            within.append(each)
    if top is not None:
        yield _task(top, within, begun)


def _task(top: Mapping[str, Any], within: Sequence[Mapping[str, Any]], begun: float) -> Task:
    spent: dict[str, float] = defaultdict(float)
    open_: list[tuple[float, str | None]] = []  # end and kind of what surrounds an event
    for each in within:
        while open_ and each["ts"] >= open_[-1][0]:
            open_.pop()
        kind = _kind(each["name"])
        around = next((known for _, known in reversed(open_) if known), None)
        if kind is not None and kind != around:
            spent[kind] += each.get("dur", 0) / 1000
            if around is not None:
                spent[around] -= each.get("dur", 0) / 1000
        open_.append((each["ts"] + each.get("dur", 0), kind))
    return Task(
        at_ms=(top["ts"] - begun) / 1000,
        wall_ms=top.get("dur", 0) / 1000,
        cpu_ms=top.get("tdur", 0) / 1000,
        parts=dict(sorted(spent.items(), key=lambda each: -each[1])),
    )


def _kind(name: str) -> str | None:
    return next((kind for kind, names in _KINDS.items() if name.startswith(names)), None)
