"""What can go wrong in an agent.

AgentError
├── SettingsInvalid        the configuration is wrong: a person mends it
├── EnrolmentFailed        the farm did not take this agent in; `retry` tells
├── FileUnavailable        a plate could not be fetched or its hash is wrong; `retry` tells
├── JournalDamaged         the journal can't be read or written, or is from a newer version
├── IllegalTransition      something can't happen to a run in its phase: a mistake of ours
└── DriverError            something about one printer
    ├── DriverUnavailable  no port, no host, in use by another: wait and try again
    ├── PlateRefused       this plate can't run on this printer: never retried
    ├── StartUnknown       the start may or may not have happened: LOST, never retried
    ├── AnswerLost         an order was given and no answer came: it may have been obeyed
    └── NotPossible        the printer can't do that now, or at all
"""

from dataclasses import dataclass


class AgentError(Exception):
    """The root of everything that `agent` raises."""


@dataclass(eq=False)
class SettingsInvalid(AgentError):
    """A setting is missing, unknown or out of range."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class EnrolmentFailed(AgentError):
    """The farm did not take this agent in. With `retry` a later attempt may succeed."""

    reason: str
    retry: bool

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class FileUnavailable(AgentError):
    """A plate is not here. With `retry` a later attempt may succeed."""

    reason: str
    retry: bool

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class JournalDamaged(AgentError):
    """The journal can't be used; nothing may be started without it."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class IllegalTransition(AgentError):
    """What happened can't happen in the run's phase; nothing has changed."""

    reason: str

    def __str__(self) -> str:
        return self.reason


class DriverError(AgentError):
    """The root of what a driver raises."""


@dataclass(eq=False)
class DriverUnavailable(DriverError):
    """There is no way to talk to the printer now."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class PlateRefused(DriverError):
    """The plate does not fit the printer; `line` is the file's line, 1 the first, 0 the whole."""

    reason: str
    line: int = 0

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}" if self.line else self.reason


@dataclass(eq=False)
class StartUnknown(DriverError):
    """The printer was told to start and nobody knows whether it did."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class AnswerLost(DriverError):
    """A host was told something and nobody knows whether it heard."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class NotPossible(DriverError):
    """The request makes no sense in the printer's present state, or never."""

    reason: str

    def __str__(self) -> str:
        return self.reason
