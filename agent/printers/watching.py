"""Keeps an eye on one printer by the rules of `core.watch`; tells what begins and what ends."""

from typing import Any

from agent.core.watch import Finding, Level, Look, Watch, watch


class Watching:
    """What is wrong with a printer now.

    Attributes:
        findings: by rule.
    """

    def __init__(self, log: Any) -> None:
        """Tell a log that is bound to the printer."""
        self.findings: dict[str, Finding] = {}
        self._log = log
        self._memory = Watch()

    @property
    def words(self) -> str:
        """What a person should know, alarms first; empty when all is well."""
        ordered = sorted(self.findings.values(), key=lambda finding: finding.level is Level.WARNING)
        return "; ".join(finding.words for finding in ordered)

    def look(self, look: Look) -> list[Finding]:
        """Take a look; returns what has just begun to be wrong."""
        self._memory, found = watch(self._memory, look)
        now = {finding.rule: finding for finding in found}
        begun = [finding for rule, finding in now.items() if rule not in self.findings]
        for finding in begun:
            self._log.warning(
                "printer.amiss",
                rule=finding.rule,
                level=finding.level.value,
                words=finding.words,
                **finding.evidence,
            )
        for rule in self.findings.keys() - now.keys():
            self._log.info("printer.well_again", rule=rule)
        self.findings = now
        return begun
