"""How the command ends: exit codes that scripts may rest on, and the errors that carry them.

CommandFailed
├── NotReachable     no coordinator answers
├── NotAllowed       it answers, but not to this token
├── JobFailed        the job that was waited for did not finish
└── UsageWrong       what was typed makes no sense
"""

from enum import IntEnum

from coordinator.errors import FarmError


class Exit(IntEnum):
    """The exit codes; never renumbered."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_REACHABLE = 3
    NOT_ALLOWED = 4
    JOB_FAILED = 5


class CommandFailed(FarmError):
    """The command could not do it; the text is for a person and says what to do."""

    exit_code = Exit.FAILED

    def __init__(self, message: str, *, code: str = "failed") -> None:
        super().__init__(message)
        self.code = code


class UsageWrong(CommandFailed):
    """What was typed makes no sense."""

    exit_code = Exit.USAGE


class NotReachable(CommandFailed):
    """No coordinator answers."""

    exit_code = Exit.NOT_REACHABLE


class NotAllowed(CommandFailed):
    """The coordinator does not take this token."""

    exit_code = Exit.NOT_ALLOWED


class JobFailed(CommandFailed):
    """The job that was waited for ended otherwise than finished."""

    exit_code = Exit.JOB_FAILED
