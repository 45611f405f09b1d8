"""Who may enter the embedded broker, and the files that say so.

Theory. There are four kinds of users. *Agents* that enrolled show their own secret. With
`enrolled` the coordinator has users of its own, whose password is made anew at each start and
is nowhere but here; they may do everything. *Programs*, Home Assistant say, stand in the settings
too, and are kept to their topics. A *shared* user stands in the settings; with `enrolled`
it is one more that may do everything, so that agents from before go on. Without a shared user and
without `enrolled` everybody is let in.
"""

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.domain.broker_access import (
    COORDINATOR_USER,
    NO_PROGRAMS,
    OWN_USERS,
    SALT_BYTES,
    Programs,
    access_list,
    password_file,
    password_hash,
)
from coordinator.domain.enrolment import AgentCredential


@dataclass(slots=True, kw_only=True)
class Entrance:
    """The list of who may enter, and its files.

    Attributes:
        folder: of the files.
        shared: name and password of the shared user, None where there is none.
        enrolled: whether agents are kept to their own topics.
        programs: what programs may; `program_passwords` are theirs by name. Where everybody is let
            in, they count for nothing.
        own_password: the coordinator's.
    """

    folder: Path
    shared: tuple[str, str] | None
    enrolled: bool
    programs: Programs = NO_PROGRAMS
    program_passwords: Mapping[str, str] = field(default_factory=dict)
    own_password: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    _agents: dict[str, str] = field(default_factory=dict)

    @property
    def closed(self) -> bool:
        """Whether anybody is kept out."""
        return self.enrolled or self.shared is not None

    @property
    def keeps_apart(self) -> bool:
        """Whether somebody may do less than all."""
        return self.enrolled or (self.closed and bool(self.programs.users))

    @property
    def one_connection_each(self) -> bool:
        """Whether a user's name stands for its connection, so that none can end another's.

        Not with a shared user: its agents would end each other's.
        """
        return self.enrolled and self.shared is None

    @property
    def full_users(self) -> list[str]:
        """Who may do everything."""
        own = OWN_USERS if self.enrolled else ()
        return [*own, *([self.shared[0]] if self.shared else [])]

    @property
    def passwords(self) -> Path:
        """The password file."""
        return self.folder / "passwords"

    @property
    def access(self) -> Path:
        """The access list; there only where it keeps somebody from something."""
        return self.folder / "access"

    def own(self) -> tuple[str, str] | None:
        """Return the name and the password that the coordinator shows, None for nothing."""
        return (COORDINATOR_USER, self.own_password) if self.enrolled else self.shared

    def admit(self, credentials: Sequence[AgentCredential]) -> None:
        """Let these agents in, and no others."""
        self._agents = {each.agent_id: each.broker_hash for each in credentials if each.good}

    def write(self) -> None:
        """Write the files, each at once.

        Raises:
            OSError: they can't be written.
        """
        hashes = dict(self._agents)
        if self.enrolled:
            hashes |= {user: _hashed(self.own_password) for user in OWN_USERS}
        hashes |= {user: _hashed(each) for user, each in self.program_passwords.items()}
        if self.keeps_apart:
            write_private(self.access, access_list(self.full_users, self.programs))
        if self.shared is not None:
            user, password = self.shared
            hashes[user] = _hashed(password)
        if self.closed:
            write_private(self.passwords, password_file(hashes))


def write_private(path: Path, text: str) -> None:
    """Write a file that only we can read, and that nobody ever sees half of."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    draft.replace(path)


def _hashed(password: str) -> str:
    return password_hash(password, secrets.token_bytes(SALT_BYTES))
