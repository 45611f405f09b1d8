"""Printables, by what its own page asks: no official way in, so off unless the operator wants it.

Only what anybody may fetch without an account. It may change any day; then the file has to be
downloaded by hand.
"""

from collections.abc import Callable
from typing import Any

from coordinator.adapters.providers.links.library import (
    Found,
    Listed,
    api_of,
    may_not,
    on_site,
    paid,
)
from coordinator.adapters.providers.links.options import Printables as Settings
from coordinator.domain.providing import Blame, ProviderFault
from coordinator.ports_providers import Tools

_MODEL = """query Model($id: ID!) { print(id: $id) {
  id name premium price license { name } user { publicUsername } stls { id name fileSize } } }"""
_ADDRESSES = """mutation Addresses(
  $id: ID!, $source: DownloadSourceEnum!, $files: [DownloadFileInput]) {
  getDownloadLink(printId: $id, source: $source, files: $files) {
    ok errors { messages } output { files { id link } } } }"""


class Printables:
    """Implements `Library`."""

    name = "Printables"

    def __init__(self, options: Settings, key: str, tools: Tools) -> None:
        """Take whether it is wanted."""
        self.objection = (
            ""
            if options.enabled
            else "Printables has no official way in for programs: download the model yourself, or "
            "have the operator allow it (printables.enabled)"
        )
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.api = api_of(self.name, options, tools, headers, key)
        self.here = self.api.here

    def id_in(self, url: str) -> str | None:
        """Return the number of a model: `/model/3161-3d-benchy`."""
        return on_site(url, ("printables.com",), r"^/(?:[a-z]{2}/)?model/(\d{1,12})(?:[-/]|$)")

    async def find(self, model_id: str, wanted: Callable[[str], bool]) -> Found:
        """Return a model with the addresses of its files, which end soon."""
        model = (await self._ask(_MODEL, {"id": model_id})).get("print")
        if not isinstance(model, dict):
            raise ProviderFault(
                Blame.INVALID_INPUT, "no_model", f"{self.name}: there is no model at this address"
            )
        price = model.get("price")
        if model.get("premium") or price not in (None, 0, "0", "0.00", ""):
            raise paid(self.name, f"price {price}" if price else "premium")
        # The list has STEP and 3MF files as well.
        files = {
            str(each["id"]): each
            for each in model.get("stls") or []
            if isinstance(each, dict) and each.get("id") and wanted(str(each.get("name") or ""))
        }
        addresses = await self._addresses(model_id, list(files)) if files else {}
        user, licence = (
            found if isinstance(found, dict) else {}
            for found in (model.get("user"), model.get("license"))
        )
        return Found(
            page=f"https://www.printables.com/model/{model_id}",
            title=str(model.get("name") or ""),
            author=str(user.get("publicUsername") or ""),
            licence=str(licence.get("name") or ""),
            files=tuple(
                Listed(name=str(each["name"]), url=addresses[number])
                for number, each in files.items()
                if number in addresses
            ),
        )

    async def _addresses(self, model_id: str, numbers: list[str]) -> dict[str, str]:
        """Return the addresses of files, by their numbers."""
        wish = {
            "id": model_id,
            "source": "model_detail",
            "files": [{"fileType": "stl", "ids": numbers}],
        }
        told = (await self._ask(_ADDRESSES, wish)).get("getDownloadLink")
        output = told.get("output") if isinstance(told, dict) and told.get("ok") is True else None
        files = output.get("files") if isinstance(output, dict) else None
        if not isinstance(files, list):
            raise may_not(self.name, "not_downloadable", "it gives no addresses of its files")
        return {
            str(each["id"]): each["link"]
            for each in files
            if isinstance(each, dict) and isinstance(each.get("link"), str) and "id" in each
        }

    async def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the data of an answer; errors come with status 200 there."""
        reply = await self.api.call("POST", "/", json={"query": query, "variables": variables})
        found = reply.document()
        data = found.get("data")
        if found.get("errors") or not isinstance(data, dict):
            words = "it no longer answers as it did: download the model yourself"
            raise ProviderFault(Blame.PROTOCOL, "bad_answer", f"{self.name}: {words}")
        return data
