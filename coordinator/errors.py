"""What can go wrong in a coordinator.

FarmError
├── SettingsInvalid       the configuration is wrong: a person mends it
├── NotFound              there is no such thing
├── Refused               the request can't be met as it stands; `code` and `details` tell why
├── NotPermitted          who asks may not do this, with whatever credential; another may
├── NotNow                the request makes no sense in the present state
├── Unavailable           something outside does not answer now: try again later
├── IllegalTransition     a machine's table has no such move; nothing was changed
└── StoreUnusable         the database is damaged, locked or from a newer version
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


class FarmError(Exception):
    """The root of everything that `coordinator` raises."""


@dataclass(eq=False)
class SettingsInvalid(FarmError):
    """A setting is missing, unknown or out of range."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class NotFound(FarmError):
    """There is no thing of this kind with this id."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"there is no {self.kind} {self.id!r}"


@dataclass(eq=False)
class Refused(FarmError):
    """What was asked can't be done as asked; nothing was stored.

    Attributes:
        code: stable, for programs: `model_too_large`, `unknown_material` ...
        message: one sentence that says what to do.
        details: facts with their unit in the name.
    """

    code: str
    message: str
    details: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False)
class NotPermitted(FarmError):
    """It is not for who asks to do this."""

    code: str
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False)
class NotNow(FarmError):
    """The thing is in a state in which this can't be done."""

    code: str
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False)
class Unavailable(FarmError):
    """Something outside failed or does not answer; the same request may succeed later."""

    code: str
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False)
class IllegalTransition(FarmError):
    """A machine was told something that its table has no answer to."""

    machine: str
    state: str
    event: str

    def __str__(self) -> str:
        return f"a {self.machine} that is {self.state} can't {self.event}"


@dataclass(eq=False)
class StoreUnusable(FarmError):
    """The database can't be used; the text says what to do."""

    message: str

    def __str__(self) -> str:
        return self.message
