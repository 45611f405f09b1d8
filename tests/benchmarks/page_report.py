"""What was measured of the page, as a table for people, and whether it is what it should be."""

import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from coordinator.dashboard import build_page
from tests.benchmarks.page_tasks import LONG_MS
from tests.benchmarks.page_views import VIEWS, Seen, View

BUILT = build_page.BUILT
FIRST_LOAD_KIB_MAX = 120.0
# FDM Monster 2.1.1 with client 2.3.3: one script of 520 and one style sheet of 129 KiB, packed.
PEER_KIB = 649.0
TOLD_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What the build takes: seconds of the page alone and of a wheel, KiB of that wheel."""

    page_s: float
    wheel_s: float
    wheel_kib: float


def first_load_kib(built: Path = BUILT) -> float:
    """Return the KiB, packed, that a browser needs before it can show anything."""
    index = (built / "index.html").read_text()
    names = re.findall(r'(?:src|href)="/dashboard/(assets/[^"]+\.(?:js|css))"', index)
    assert names, "the page names its files"
    files = [built / "index.html", *(built / name for name in dict.fromkeys(names))]
    return sum(len(gzip.compress(file.read_bytes())) for file in files) / 1024


def readable(found: Mapping[str, Seen], printers: int, made: Built | None = None) -> Iterator[str]:
    """Yield the figures, and whether they are what they should be."""
    yield f"{printers} printers that print, each measured once a second; times in ms"
    yield "       opened: until its first things stood there, until it answered, KiB it had loaded"
    yield "   per second: of the main thread in all, of that script, layout and style"
    yield "       frames: apart at the 99th percentile, at most"
    yield "        tasks: over 50 ms by the clock, how long the longest of them worked"
    yield f"{'':>6}{'opened':>21}{'per second':>19}{'frames':>13}{'tasks':>11}"
    for name, seen in found.items():
        yield (
            f"{name:>6}{seen.shown_ms:7.0f}{seen.free_ms:7.0f}{seen.loaded_kib:7.0f}"
            f"{seen.task_ms:9.0f}{seen.script_ms:5.0f}{seen.layout_ms:5.0f}"
            f"{seen.gap_p99_ms:8.0f}{seen.gap_max_ms:5.0f}{len(seen.tasks):7d}{_work_ms(seen):5.0f}"
        )
        yield from (f"{'':>8}{task.words}" for task in seen.tasks[:TOLD_MAX])
    yield ""
    yield from _figures(found, printers, made)
    yield from (f"{'PASS' if reached else 'FAIL'}  {words}" for reached, words in verdicts(found))


def _figures(found: Mapping[str, Seen], printers: int, made: Built | None) -> Iterator[str]:
    """Yield what people compare pages by, one a line."""
    yield f"first load: {first_load_kib():.1f} KiB packed; FDM Monster's own files {PEER_KIB:.0f}"
    for view in (each for each in VIEWS if each.name in found and each.slowed > 1):
        seen = found[view.name]
        yield (
            f"interactive on a processor {view.slowed} times slower: {seen.free_ms:.0f} ms, its"
            f" first things after {seen.shown_ms:.0f} ms (median of {view.loads} loads)"
        )
    for name, words in (("desk", "cards"), ("wall", "wall")):
        if seen := found.get(name):
            yield (
                f"an update of {printers} printers, {words}: {seen.task_ms:.0f} ms of the main"
                f" thread a second, longest gap between frames {seen.gap_max_ms:.0f} ms"
            )
    if found:
        seen = next(iter(found.values()))
        yield (
            f"socket: {seen.socket_kib:.0f} KiB a second in {seen.messages:.1f} messages"
            f" ({seen.deflated_kib:.0f} KiB deflated)"
        )
    if made is not None:
        yield (
            f"the page is built in {made.page_s:.1f} s; a wheel of {made.wheel_kib:.0f} KiB in"
            f" {made.wheel_s:.1f} s"
        )


def verdicts(found: Mapping[str, Seen]) -> Iterator[tuple[bool, str]]:
    """Yield whether each target was reached, in words."""
    kib = first_load_kib()
    yield kib <= FIRST_LOAD_KIB_MAX, f"first load {kib:.1f} KiB packed ({FIRST_LOAD_KIB_MAX:.0f})"
    for name, seen in found.items():
        work_ms = _work_ms(seen)
        clock_ms = max((task.wall_ms for task in seen.tasks), default=0.0)
        by_clock = f"by the clock {len(seen.tasks)}, the longest {clock_ms:.0f}"
        yield (
            work_ms <= LONG_MS,
            f"no task of the {name} works for over {LONG_MS:.0f} ms ({work_ms:.0f}; {by_clock})",
        )


def _work_ms(seen: Seen) -> float:
    return max((task.cpu_ms for task in seen.tasks), default=0.0)


def chosen(names: str) -> list[View]:
    """Return the views with these names, `list,wall`; all of them where there is no name.

    Raises:
        KeyError: there is no such view.
    """
    known = {view.name: view for view in VIEWS}
    return [known[name] for name in names.split(",")] if names else list(VIEWS)
