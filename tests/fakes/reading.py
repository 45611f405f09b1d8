"""What keeps somebody from reading a page, as axe finds it."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# Of lines, cards and options that are made alike so many are looked at: axe takes a second for
# some hundred elements, and would say of each what it says of the first.
ALIKE_MAX = 3
# What differs by night is colours alone.
_WHOLE: dict[str, Any] = {"resultTypes": ["violations"]}
_COLOURS = {**_WHOLE, "runOnly": ["color-contrast"]}
_MARK_ALIKE = """(most) => {
  const shape = (node) =>
    `${node.tagName}.${node.getAttribute("class") ?? ""}(${[...node.children].map(shape)})`;
  for (const list of document.querySelectorAll("ul, ol, dl, tbody, select, datalist")) {
    const seen = new Map();
    for (const each of list.children) {
      const made = shape(each);
      seen.set(made, (seen.get(made) ?? 0) + 1);
      each.toggleAttribute("data-alike", seen.get(made) > most);
    }
  }
}"""


def obstacles(page: Page) -> list[str]:
    """Return what is serious, by day and by night, each with where it is."""
    page.evaluate(_MARK_ALIKE, ALIKE_MAX)
    found = []
    for scheme, options in (("light", _WHOLE), ("dark", _COLOURS)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        seen = Axe().run(page, context={"exclude": [["[data-alike]"]]}, options=options)
        found += [
            f"{scheme}: {each['help']}: {where['html']} ({where.get('failureSummary', '')})"
            for each in seen.response["violations"]
            if each["impact"] in ("serious", "critical")
            for where in each["nodes"]
        ]
    page.emulate_media(color_scheme="light")
    return found
