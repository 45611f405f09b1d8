"""Sketchfab, by its Data and Download APIs (sketchfab.com/developers): GLB and nothing else."""

from collections.abc import Callable
from datetime import timedelta

from coordinator.adapters.providers.links.library import Found, Listed, api_of, may_not, on_site
from coordinator.adapters.providers.links.options import Sketchfab as Settings
from coordinator.ports_providers import Tools


class Sketchfab:
    """Implements `Library`."""

    name = "Sketchfab"

    def __init__(self, options: Settings, key: str, tools: Tools) -> None:
        """Take a token; empty where there is none."""
        self.objection = "" if key else "Sketchfab wants a token: sketchfab.api_key"
        headers = {"Authorization": f"Token {key}"} if key else {}
        self.api = api_of(self.name, options, tools, headers, key)
        self.here = self.api.here
        self._clock = tools.clock

    def id_in(self, url: str) -> str | None:
        """Return the 32 digits of a model: `/3d-models/hook-0123...`."""
        return on_site(
            url, ("sketchfab.com",), r"^/(?:3d-models|models)/(?:[^/]*-)?([0-9a-f]{32})(?:/|$)"
        )

    async def find(self, model_id: str, wanted: Callable[[str], bool]) -> Found:
        """Return a model with the address of its GLB, which is signed and ends soon."""
        model = (await self.api.call("GET", f"/models/{model_id}")).document()
        if model.get("isDownloadable") is not True:
            raise may_not(self.name, "not_downloadable", "its author does not let it be fetched")
        reply = await self.api.call("GET", f"/models/{model_id}/download")
        glb = reply.document().get("glb")
        if not isinstance(glb, dict) or not isinstance(glb.get("url"), str):
            raise may_not(self.name, "no_glb", "it has no GLB of this model")
        size, lasts_s = glb.get("size"), glb.get("expires")
        ends = timedelta(seconds=lasts_s) if isinstance(lasts_s, int | float) else None
        user, licence = (
            found if isinstance(found, dict) else {}
            for found in (model.get("user"), model.get("license"))
        )
        title = str(model.get("name") or "")
        return Found(
            page=f"https://sketchfab.com/3d-models/{model_id}",
            title=title,
            author=str(user.get("displayName") or user.get("username") or ""),
            licence=str(licence.get("fullName") or licence.get("label") or ""),
            files=(
                Listed(
                    name=f"{title or 'model'}.glb",
                    url=glb["url"],
                    size_bytes=size if isinstance(size, int) and size > 0 else None,
                    expires_at=self._clock.now() + ends if ends else None,
                ),
            ),
        )
