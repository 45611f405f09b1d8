"""A farm of simulated printers that prints and stays, and a browser that looks at it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.fakes.processes import environment

CHROMIUM = shutil.which("chromium")
PATIENCE_MS = 60_000
# A switch that is given twice counts as it was given last: what playwright turns off stands here
# too, and first what it leaves on, the address bar's own pages, which cost a second of a processor.
_OFF = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "AimEnabled", "HttpsUpgrades", "MediaRouter"),
    *("HttpsFirstBalancedModeAutoEnable", "NetworkTimeServiceQuerying", "OptimizationHints"),
    *("PaintHolding", "PreconnectToSearch", "Translate"),
)


@dataclass(frozen=True)
class FarmOnShow:
    """A demo that runs; `token` opens it."""

    url: str
    token: str
    process: subprocess.Popen[str]


@contextmanager
def farm_on_show(folder: Path, model: Path, *, printers: int, speed: int) -> Iterator[FarmOnShow]:
    """Run the demo until its first job is done, and lend the farm that stays."""
    command = [sys.executable, "-m", "coordinator.cli.main", "demo", "--state-dir", folder]
    command += ["--model", model, "--printers", str(printers), "--speed", str(speed)]
    with subprocess.Popen(
        [*map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(PYTHONUNBUFFERED="1"),
        start_new_session=True,
    ) as process:
        try:
            said = ""
            assert process.stdout is not None
            for line in process.stdout:
                said += line
                if "Ctrl-C" in line:
                    break
            url = re.search(r"answers at (http://\S+?)\.?\s", said)
            assert url is not None, said
            token = (folder / "coordinator" / "token").read_text().strip()
            yield FarmOnShow(url=url[1], token=token, process=process)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def browser() -> Iterator[Browser]:
    """Lend the system's chromium, headless."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                *("--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader"),
                f"--disable-features={','.join(_OFF)}",
            ],
        )
        try:
            yield found
        finally:
            found.close()


@contextmanager
def watched_page(
    browser: Browser,
    base: str,
    *,
    width: int = 1280,
    height: int = 800,
    bears: str | tuple[str, ...] = (),
) -> Iterator[Page]:
    """Lend a page that must not complain, and must ask nobody but the farm.

    Args:
        bears: complaints with these words, or any of several, are expected.
    """
    context = browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
    )

    def asked(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != urlsplit(base).netloc:
            complaints.append(f"asked {request.url}")

    page.on("request", asked)
    try:
        yield page
        borne = (bears,) if isinstance(bears, str) else bears
        unexpected = [words for words in complaints if not any(each in words for each in borne)]
        assert not unexpected
    finally:
        context.close()
