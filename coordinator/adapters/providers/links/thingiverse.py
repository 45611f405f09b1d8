"""Thingiverse, by its REST API (thingiverse.com/developers)."""

from collections.abc import Callable
from typing import Any

from coordinator.adapters.providers.json_pointer import size_at, text_at
from coordinator.adapters.providers.links.library import Found, Listed, api_of, may_not, on_site
from coordinator.adapters.providers.links.options import Thingiverse as Settings
from coordinator.ports_providers import Tools


class Thingiverse:
    """Implements `Library`."""

    name = "Thingiverse"

    def __init__(self, options: Settings, key: str, tools: Tools) -> None:
        """Take a token; empty where there is none."""
        self.objection = "" if key else "Thingiverse wants a token: thingiverse.api_key"
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.api = api_of(self.name, options, tools, headers, key)
        self.here = self.api.here

    def id_in(self, url: str) -> str | None:
        """Return the number of a thing: `/thing:763622`."""
        return on_site(url, ("thingiverse.com",), r"^/(?:[a-z]{2}/)?thing:(\d{1,12})(?:/|$)")

    async def find(self, model_id: str, wanted: Callable[[str], bool]) -> Found:
        """Return a thing and its files, which lie behind the token."""
        thing = (await self.api.call("GET", f"/things/{model_id}")).document()
        reply = await self.api.call("GET", f"/things/{model_id}/files")
        files = reply.json()
        if not isinstance(files, list):
            raise reply.nonsense("it is no list of files")
        listed = [self._listed(each) for each in files]
        if not files:
            raise may_not(self.name, "not_downloadable", "it shows no files of this thing")
        return Found(
            page=f"https://www.thingiverse.com/thing:{model_id}",
            title=text_at(thing, "/name"),
            author=text_at(thing, "/creator/name"),
            licence=text_at(thing, "/license"),
            files=tuple(each for each in listed if each.url and wanted(each.name)),
        )

    def _listed(self, file: Any) -> Listed:
        url = text_at(file, "/download_url")
        return Listed(
            name=text_at(file, "/name"),
            url=url,
            size_bytes=size_at(file, "/size"),
            own=self.here(url),
        )
