"""Look at a farm's page in a browser; runs in the network of the machine that serves it.

Usage: python -m tests.proofs.page_look URL TOKEN PRINTER

Opens every view and holds that nothing complains and that nobody else is asked, then looks on
while a print goes on. Tells as one JSON line what it saw.
"""

import json
import sys
import time
from typing import Any

from playwright.sync_api import WebSocket, expect

from tests.fakes.farm_on_show import browser, watched_page

VIEWS = "todo", "queue", "models", "generate", "wall", "statistics", "agents", "settings", "log"


def look(url: str, token: str, printer: str) -> dict[str, Any]:
    """Look at it; return what there was to be seen."""
    frames: list[str | bytes] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: frames.append(frame))

    with browser() as chromium, watched_page(chromium, url) as page:
        page.on("websocket", listen)
        began = time.monotonic()
        page.goto(f"{url}/#token={token}")
        expect(page.get_by_role("link", name=printer, exact=True)).to_be_visible()
        shown_s = time.monotonic() - began
        for view in VIEWS:
            page.goto(f"{url}/{view}")
            expect(page.get_by_role("main")).not_to_be_empty()
        page.goto(f"{url}/printers/{printer}")
        main = page.get_by_role("main")
        expect(main).to_contain_text("printing")
        known, seen = len(frames), main.inner_text()
        # Nobody asks for it: it is told over the WebSocket.
        expect(main).not_to_have_text(seen)
        while len(frames) < known + 3:
            page.wait_for_timeout(100)
    return {"views": 2 + len(VIEWS), "shown_s": round(shown_s, 2), "told": len(frames)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(look(*sys.argv[1:4])) + "\n")
