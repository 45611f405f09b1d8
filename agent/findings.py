"""What is wrong now, told to the log once when it begins and once when it ends."""

from collections.abc import Iterable
from typing import Any

from protocols.wire.vocabulary import Finding, Level


class Findings:
    """The findings about one thing.

    Attributes:
        now: those that hold, alarms first.
    """

    def __init__(self, log: Any, subject: str) -> None:
        """Tell a log; its events are `SUBJECT.amiss` and `SUBJECT.well_again`."""
        self.now: tuple[Finding, ...] = ()
        self._log = log
        self._subject = subject

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of those that hold, in their order."""
        return tuple(finding.rule for finding in self.now)

    @property
    def words(self) -> str:
        """What a person should know; empty when all is well."""
        return "; ".join(finding.words for finding in self.now)

    def take(self, found: Iterable[Finding]) -> list[Finding]:
        """Take all that holds now; returns what has just begun, or become an alarm."""
        before = {finding.rule: finding.level for finding in self.now}
        self.now = tuple(sorted(found, key=lambda finding: finding.level is Level.WARNING))
        begun = [
            finding
            for finding in self.now
            if finding.rule not in before
            or (finding.level is Level.ALARM and before[finding.rule] is not Level.ALARM)
        ]
        for finding in begun:
            self._log.warning(
                f"{self._subject}.amiss",
                rule=finding.rule,
                level=finding.level.value,
                words=finding.words,
                **finding.evidence,
            )
        for rule in before.keys() - set(self.rules):
            self._log.info(f"{self._subject}.well_again", rule=rule)
        return begun
