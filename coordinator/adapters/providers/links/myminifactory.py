"""MyMiniFactory, by its API (myminifactory.com/pages/for-developers)."""

from collections.abc import Callable, Mapping
from typing import Any

from coordinator.adapters.providers.links.library import (
    Found,
    Listed,
    api_of,
    may_not,
    on_site,
    paid,
)
from coordinator.adapters.providers.links.options import MyMiniFactory as Settings
from coordinator.ports_providers import Tools


class MyMiniFactory:
    """Implements `Library`."""

    name = "MyMiniFactory"

    def __init__(self, options: Settings, key: str, tools: Tools) -> None:
        """Take a token; empty where there is none."""
        self.objection = "" if key else "MyMiniFactory wants a token: myminifactory.api_key"
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.api = api_of(self.name, options, tools, headers, key)
        self.here = self.api.here

    def id_in(self, url: str) -> str | None:
        """Return the number of an object: `/object/3d-print-hook-8600`."""
        return on_site(url, ("myminifactory.com",), r"/object/(?:[^/]*-)?(\d{1,12})/?$")

    async def find(self, model_id: str, wanted: Callable[[str], bool]) -> Found:
        """Return an object and its files, which lie behind the token."""
        thing = (await self.api.call("GET", f"/objects/{model_id}")).document()
        price = thing.get("price")
        if isinstance(price, dict) and _number(price.get("value")):
            raise paid(self.name, f"{price['value']} {price.get('currency') or ''}".strip())
        files = thing.get("files")
        items = files.get("items") if isinstance(files, dict) else files
        listed = [
            self._listed(each)
            for each in (items if isinstance(items, list) else [])
            if isinstance(each, dict)
        ]
        if not any(each.url for each in listed):
            raise may_not(self.name, "not_downloadable", "it lets this account fetch no files")
        designer = thing.get("designer")
        named = designer if isinstance(designer, dict) else {}
        page = thing.get("url")
        known = isinstance(page, str) and self.id_in(page) == model_id
        return Found(
            page=str(page) if known else f"https://www.myminifactory.com/object/{model_id}",
            title=str(thing.get("name") or ""),
            author=str(named.get("name") or named.get("username") or ""),
            licence=_licence(thing),
            files=tuple(each for each in listed if each.url and wanted(each.name)),
        )

    def _listed(self, file: Mapping[str, Any]) -> Listed:
        url = file.get("download_url")
        url = url if isinstance(url, str) else ""
        return Listed(name=str(file.get("filename") or ""), url=url, own=self.here(url))


def _licence(thing: Mapping[str, Any]) -> str:
    """Return its name, else what it allows and what not: `remix, no commercial-use`."""
    if isinstance(thing.get("license"), str) and thing["license"]:
        return str(thing["license"])
    listed = thing.get("licenses")
    return ", ".join(
        f"{'' if each.get('value') else 'no '}{each['type']}"
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict) and isinstance(each.get("type"), str)
    )


def _number(value: object) -> float:
    """Return a price, 0 where there is none."""
    try:
        return float(value) if isinstance(value, int | float | str) else 0.0
    except ValueError:
        return 0.0
