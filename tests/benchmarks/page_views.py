"""One screen that looks on, in a real chromium: what its first load and each second cost."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

from tests.benchmarks.page_tasks import Task, long_tasks, tasks_of, traced
from tests.fakes.processes import Coordinator

SLOWED = 4
PATIENCE_MS = 120_000.0
# The wall turns a page within this.
TURN_S = 12.0
SETTLED_S = 3.0
# Of a first load by the clock one alone says little.
LOADS = 5

_FRAMES = """(seconds) => new Promise((done) => {
  const gaps = [];
  const ends = performance.now() + seconds * 1000;
  let last = performance.now();
  const step = (now) => {
    gaps.push(now - last);
    last = now;
    if (now < ends) requestAnimationFrame(step);
    else done(gaps.slice(1));
  };
  requestAnimationFrame(step);
})"""

# The first of what a view shows is there, and then the main thread has time for whoever presses.
_FIRST = "[data-printer], [data-job], .task, .alone h1, .wall li"
_SHOWN = """
new MutationObserver((_, watch) => {
  if (!document.querySelector(FIRST)) return;
  watch.disconnect();
  window.shown_ms = performance.now();
  requestAnimationFrame(() => setTimeout(() => { window.free_ms = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
""".replace("FIRST", repr(_FIRST))

_FREE = """async () => {
  while (!window.free_ms) await new Promise(requestAnimationFrame);
  return [window.shown_ms, window.free_ms];
}"""

_METRICS = (
    *("TaskDuration", "ScriptDuration"),
    *("LayoutDuration", "RecalcStyleDuration", "LayoutCount"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A screen that looks on.

    Attributes:
        look: how the farm is shown, as somebody chose it before.
        slowed: by how much its processor is slower than this one.
        turns_s: within this it has shown all that it shows in turn; 0 where it does not turn.
        loads: how often it is opened.
    """

    name: str
    path: str
    width: int = 1440
    height: int = 900
    look: str = "cards"
    slowed: int = 1
    turns_s: float = 0.0
    loads: int = 1


VIEWS = (
    View(name="desk", path="/"),
    View(name="list", path="/", look="list"),
    View(name="tiles", path="/", look="tiles"),
    View(name="to do", path="/todo"),
    View(name="queue", path="/queue"),
    View(name="wall", path="/wall", width=1920, height=1080, turns_s=TURN_S),
    View(name="phone", path="/", width=390, height=844, slowed=SLOWED, loads=LOADS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one screen cost; times in milliseconds, those of work per second of looking on.

    Attributes:
        shown_ms, free_ms: until the first of it stood there, and until it answered whoever
            presses; medians where it was opened several times.
        tasks: those that were long by the clock; the processor's time of each tells more where the
            machine does other things too.
    """

    shown_ms: float
    free_ms: float
    loaded_kib: float
    task_ms: float
    script_ms: float
    layout_ms: float
    layouts: float
    gap_p99_ms: float
    gap_max_ms: float
    tasks: tuple[Task, ...]
    socket_kib: float
    deflated_kib: float
    messages: float


def look_on(chromium: Browser, farm: Coordinator, view: View, seconds: float) -> Seen:
    """Open a view, and look on for so long three times: for its work, its frames and its tasks."""
    opened = [_opened(chromium, farm, view) for _ in range(view.loads - 1)]
    with _screen(chromium, view) as context:
        page = context.new_page()
        devtools = _devtools(context, page, view)
        told: list[str] = []
        devtools.on("Network.webSocketFrameReceived", lambda said: told.append(_payload(said)))
        opened.append(_open(page, devtools, farm, view))
        page.wait_for_timeout(SETTLED_S * 1000)
        told.clear()
        work = _work(page, devtools, seconds)
        messages = list(told)
        gaps = sorted(page.evaluate(_FRAMES, seconds))
        tasks = long_tasks(tasks_of(traced(chromium, page, max(seconds, view.turns_s))))
    shown, free, loaded = zip(*opened, strict=True)
    return Seen(
        shown_ms=median(shown),
        free_ms=median(free),
        loaded_kib=median(loaded),
        gap_p99_ms=gaps[int(len(gaps) * 0.99)],
        gap_max_ms=gaps[-1],
        tasks=tuple(tasks),
        socket_kib=sum(len(each) for each in messages) / 1024 / seconds,
        deflated_kib=_deflated(messages) / 1024 / seconds,
        messages=len(messages) / seconds,
        **work,
    )


def _screen(chromium: Browser, view: View) -> BrowserContext:
    """Return a browser that knows nothing yet."""
    return chromium.new_context(viewport={"width": view.width, "height": view.height})


def _devtools(context: BrowserContext, page: Page, view: View) -> CDPSession:
    devtools = context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": view.slowed})
    devtools.send("Network.enable")
    return devtools


def _opened(chromium: Browser, farm: Coordinator, view: View) -> tuple[float, float, float]:
    with _screen(chromium, view) as context:
        page = context.new_page()
        return _open(page, _devtools(context, page, view), farm, view)


def _open(
    page: Page, devtools: CDPSession, farm: Coordinator, view: View
) -> tuple[float, float, float]:
    """Return after how many ms it was shown and free, and the KiB that it loaded up to then."""
    loaded: list[float] = []
    devtools.on("Network.loadingFinished", lambda said: loaded.append(said["encodedDataLength"]))
    page.add_init_script(_SHOWN)
    page.add_init_script(f"sessionStorage.setItem('farmhand-token', '{farm.token}');")
    page.add_init_script(f"localStorage.setItem('farmhand-look', '{view.look}');")
    page.goto(f"{farm.url}{view.path}")
    page.wait_for_selector(_FIRST, timeout=PATIENCE_MS)
    shown_ms, free_ms = page.evaluate(_FREE)
    return shown_ms, free_ms, sum(loaded) / 1024


def _payload(said: dict[str, Any]) -> str:
    return str(said["response"]["payloadData"])


def _work(page: Page, devtools: CDPSession, seconds: float) -> dict[str, float]:
    devtools.send("Performance.enable")
    before = _metrics(devtools)
    page.wait_for_timeout(seconds * 1000)
    after = _metrics(devtools)
    spent = {name: (after[name] - before[name]) / seconds for name in before}
    return {
        "task_ms": spent["TaskDuration"] * 1000,
        "script_ms": spent["ScriptDuration"] * 1000,
        "layout_ms": (spent["LayoutDuration"] + spent["RecalcStyleDuration"]) * 1000,
        "layouts": spent["LayoutCount"],
    }


def _metrics(devtools: CDPSession) -> dict[str, float]:
    said = devtools.send("Performance.getMetrics")["metrics"]
    found = {each["name"]: each["value"] for each in said}
    return {name: found[name] for name in _METRICS}


def _deflated(messages: Sequence[str]) -> int:
    """Return the bytes of messages as a WebSocket with permessage-deflate would send them."""
    squeezer = zlib.compressobj(wbits=-15)
    packed = (
        squeezer.compress(each.encode()) + squeezer.flush(zlib.Z_SYNC_FLUSH) for each in messages
    )
    return sum(len(each) for each in packed)
