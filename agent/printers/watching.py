"""Keeps an eye on one printer by the rules of `core.watch`; tells what begins and what ends."""

from typing import Any

from agent.core.watch import Look, Watch, watch
from agent.findings import Findings
from protocols.wire.vocabulary import Finding


class Watching:
    """What is wrong with a printer.

    Attributes:
        findings: what is wrong now.
    """

    def __init__(self, log: Any) -> None:
        """Tell a log that is bound to the printer."""
        self.findings = Findings(log, "printer")
        self._memory = Watch()

    def look(self, look: Look) -> list[Finding]:
        """Take a look; returns what has just begun to be wrong."""
        self._memory, found = watch(self._memory, look)
        return self.findings.take(found)
