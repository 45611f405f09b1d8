"""MyMiniFactory, by its API (myminifactory.com/pages/for-developers)."""

from collections.abc import Callable
from typing import Any

from coordinator.adapters.providers.json_pointer import text_at, value_at
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
        price = text_at(thing, "/price/value")
        if price.strip("0.,"):
            raise paid(self.name, f"{price} {text_at(thing, '/price/currency')}".strip())
        items = value_at(thing, "/files/items")
        listed = [self._listed(each) for each in (items if isinstance(items, list) else [])]
        if not any(each.url for each in listed):
            raise may_not(self.name, "not_downloadable", "it lets this account fetch no files")
        return Found(
            page=f"https://www.myminifactory.com/object/{model_id}",
            title=text_at(thing, "/name"),
            author=text_at(thing, "/designer/name") or text_at(thing, "/designer/username"),
            licence=_licence(thing),
            files=tuple(each for each in listed if each.url and wanted(each.name)),
        )

    def _listed(self, file: Any) -> Listed:
        url = text_at(file, "/download_url")
        return Listed(name=text_at(file, "/filename"), url=url, own=self.here(url))


def _licence(thing: Any) -> str:
    """Return its name, else what it allows and what not: `remix, no commercial-use`."""
    listed = value_at(thing, "/licenses")
    return text_at(thing, "/license") or ", ".join(
        f"{'' if value_at(each, '/value') else 'no '}{text_at(each, '/type')}"
        for each in (listed if isinstance(listed, list) else [])
        if text_at(each, "/type")
    )
