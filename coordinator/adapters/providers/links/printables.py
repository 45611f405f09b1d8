"""Printables, by what its own page asks: no official way in, so off unless the operator wants it.

Only what anybody may fetch without an account. It may change any day; then the file has to be
downloaded by hand.
"""

from collections.abc import Callable
from typing import Any

from coordinator.adapters.providers.blaming import clean
from coordinator.adapters.providers.json_pointer import text_at, value_at
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
    ok errors { field messages } output { files { id link } } } }"""


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
        price = text_at(model, "/price")
        if model.get("premium") or price.strip("0.,"):
            raise paid(self.name, price or "premium")
        # The list has STEP and 3MF files as well.
        listed = model.get("stls")
        files = {
            text_at(each, "/id"): text_at(each, "/name")
            for each in (listed if isinstance(listed, list) else [])
            if text_at(each, "/id") and wanted(text_at(each, "/name"))
        }
        addresses = await self._addresses(model_id, list(files)) if files else {}
        return Found(
            page=f"https://www.printables.com/model/{model_id}",
            title=text_at(model, "/name"),
            author=text_at(model, "/user/publicUsername"),
            licence=text_at(model, "/license/name"),
            files=tuple(
                Listed(name=name, url=addresses[number])
                for number, name in files.items()
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
        told = await self._ask(_ADDRESSES, wish)
        files = value_at(told, "/getDownloadLink/output/files")
        if value_at(told, "/getDownloadLink/ok") is not True or not isinstance(files, list):
            said = clean(text_at(told, "/getDownloadLink/errors/0/messages/0"))
            words = said.rstrip(".") or "it gives no addresses of its files"
            raise may_not(self.name, "not_downloadable", words)
        return {
            text_at(each, "/id"): text_at(each, "/link") for each in files if text_at(each, "/link")
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
