"""Pictures of every view, as one sees them on a desk, a phone and a wall, by day and by night.

`python -m tests.benchmarks.page_looks ADDRESS FOLDER [--only WORDS] [--sizes phone]`, the address
with `#token=`, as `page_farm` says it. Beside the pictures: what is wider than the screen, what
complains, and which tasks of the main thread are long while the view is opened and looked at.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, Page

from tests.benchmarks.page_tasks import CATEGORIES, Task, long_tasks, tasks_of
from tests.fakes.farm_on_show import browser

SIZES = {"desk": (1440, 900), "phone": (390, 844), "wall": (1920, 1080)}
SCHEMES = ("light", "dark")
LOOKED_S = 3.0
PATIENCE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A view; `choices` is what somebody chose before, as the page remembers it."""

    name: str
    path: str
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was seen of a view; `wide_px` by how much it is wider than the screen."""

    wide_px: int
    complaints: tuple[str, ...]
    tasks: tuple[Task, ...]


def looks(address: str, token: str) -> Iterator[Look]:
    """Yield every view of a farm, with things of that farm where a view is of one."""
    yield Look(name="farm-cards", path="/", choices=(("look", "cards"),))
    yield Look(name="farm-list", path="/", choices=(("look", "list"),))
    yield Look(name="farm-heat", path="/", choices=(("look", "tiles"),))
    yield Look(name="farm-groups", path="/", choices=(("look", "cards"), ("group", "location")))
    for name in ("todo", "queue", "models", "generate", "wall", "statistics", "labels", "begin"):
        yield Look(name=name, path=f"/{name}")
    yield Look(name="queue-timeline", path="/queue#timeline")
    yield Look(name="queue-done", path="/queue#done")
    for name in ("materials", "maintenance", "agents", "updates", "people", "webhooks", "audit"):
        yield Look(name=name, path=f"/{name}")
    for name in ("disk", "settings", "log", "account"):
        yield Look(name=name, path=f"/{name}")
    yield Look(name="audit-found", path="/audit?subject=run&actor=farm")
    for name, question in (("busy", "printers?status=busy"), ("halted", "printers?status=faulted")):
        for printer in _ask(address, token, f"{question}&limit=1")["items"][:1]:
            yield Look(name=f"printer-{name}", path=f"/printers/{printer['id']}")
            yield Look(name=f"machine-{name}", path=f"/p/{printer['id']}")
    for state in ("ready", "printing", "finished"):
        for job in _ask(address, token, f"jobs?state={state}&limit=1")["items"]:
            yield Look(name=f"job-{state}", path=f"/jobs/{job['id']}")


def _ask(address: str, token: str, path: str) -> Any:
    request = Request(f"{address}/api/v1/{path}", headers={"Authorization": f"Bearer {token}"})
    with urlopen(request) as answer:
        return json.load(answer)


def seen(
    chromium: Browser, address: str, token: str, look: Look, *, size: str, scheme: Any, into: Path
) -> Found:
    """Open a view, look at it for a while, keep a picture of it."""
    width, height = SIZES[size]
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    try:
        page.add_init_script(_remembered(token, look.choices))
        chromium.start_tracing(page=page, categories=list(CATEGORIES))
        page.goto(f"{address}{look.path}")
        page.locator("main").wait_for(timeout=PATIENCE_MS)
        page.get_by_text("One moment").first.wait_for(state="detached", timeout=PATIENCE_MS)
        page.wait_for_timeout(LOOKED_S * 1000)
        tasks = long_tasks(tasks_of(chromium.stop_tracing()))
        page.screenshot(path=into / f"{look.name}-{size}-{scheme}.png")
        return Found(
            wide_px=_wide_px(page, width), complaints=tuple(complaints), tasks=tuple(tasks)
        )
    finally:
        context.close()


def _remembered(token: str, choices: Sequence[tuple[str, str]]) -> str:
    said = [f"sessionStorage.setItem('farmhand-token', {json.dumps(token)})"]
    said += [
        f"localStorage.setItem('farmhand-{key}', {json.dumps(value)})" for key, value in choices
    ]
    return ";".join(said)


def _wide_px(page: Page, width: int) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth")) - width


def main() -> None:
    """Take the pictures, and say what was found beside."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="views of which the name has these words: a,b")
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--schemes", default=",".join(SCHEMES))
    wanted = parser.parse_args()
    wanted.folder.mkdir(parents=True, exist_ok=True)
    address, _, token = wanted.address.partition("/#token=")
    with browser() as chromium:
        for look in looks(address, token):
            if not any(words in look.name for words in wanted.only.split(",")):
                continue
            for size in wanted.sizes.split(","):
                for scheme in wanted.schemes.split(","):
                    found = seen(
                        chromium, address, token, look, size=size, scheme=scheme, into=wanted.folder
                    )
                    sys.stdout.write(f"{look.name} {size} {scheme}: {_words(found)}\n")
                    sys.stdout.flush()


def _words(found: Found) -> str:
    wide = f"{found.wide_px} px too wide; " if found.wide_px > 0 else ""
    said = "".join(f"complains: {each}; " for each in found.complaints)
    tasks = "; ".join(task.words for task in found.tasks[:3])
    return f"{wide}{said}{len(found.tasks)} long tasks {tasks}"


if __name__ == "__main__":
    main()
