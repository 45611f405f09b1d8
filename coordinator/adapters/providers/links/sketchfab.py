"""Sketchfab, by its Data and Download APIs (sketchfab.com/developers): GLB and nothing else."""

from collections.abc import Callable
from datetime import timedelta

from coordinator.adapters.providers.json_pointer import number_at, size_at, text_at
from coordinator.adapters.providers.links.library import Found, Listed, api_of, may_not, on_site
from coordinator.adapters.providers.links.options import Sketchfab as Settings
from coordinator.ports_providers import Tools

_LASTS_S_MAX = 7 * 24 * 3600.0


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
        told = reply.document()
        url = text_at(told, "/glb/url")
        if not url:
            raise may_not(self.name, "no_glb", "it has no GLB of this model")
        lasts_s = min(max(number_at(told, "/glb/expires") or 0.0, 0.0), _LASTS_S_MAX)
        title = text_at(model, "/name")
        return Found(
            page=f"https://sketchfab.com/3d-models/{model_id}",
            title=title,
            author=text_at(model, "/user/displayName") or text_at(model, "/user/username"),
            licence=text_at(model, "/license/fullName") or text_at(model, "/license/label"),
            files=(
                Listed(
                    name=f"{title or 'model'}.glb",
                    url=url,
                    size_bytes=size_at(told, "/glb/size"),
                    expires_at=self._clock.now() + timedelta(seconds=lasts_s) if lasts_s else None,
                ),
            ),
        )
