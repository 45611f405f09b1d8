"""Thingiverse, by its REST API (thingiverse.com/developers)."""

from collections.abc import Callable, Mapping
from typing import Any

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
        listed = [self._listed(each) for each in files if isinstance(each, dict)]
        if not files:
            raise may_not(self.name, "not_downloadable", "it shows no files of this thing")
        creator = thing.get("creator")
        return Found(
            page=f"https://www.thingiverse.com/thing:{model_id}",
            title=str(thing.get("name") or ""),
            author=str(creator.get("name") or "") if isinstance(creator, dict) else "",
            licence=str(thing.get("license") or ""),
            files=tuple(each for each in listed if each.url and wanted(each.name)),
        )

    def _listed(self, file: Mapping[str, Any]) -> Listed:
        url, size = file.get("download_url"), file.get("size")
        url = url if isinstance(url, str) else ""
        return Listed(
            name=str(file.get("name") or ""),
            url=url,
            size_bytes=size if isinstance(size, int) and size > 0 else None,
            own=self.here(url),
        )
