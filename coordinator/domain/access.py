"""Who may do what: permissions, the roles that bundle them, and who is asking."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Permission(StrEnum):
    """One thing that a route wants of who asks. Scopes of keys and tokens are these words."""

    FARM_READ = "farm:read"  # jobs, printers, runs, plates and files
    WALL_READ = "wall:read"  # what a screen on the wall shows: printers and counts
    JOBS_SUBMIT = "jobs:submit"  # bring models and orders; steer one's own jobs
    JOBS_MANAGE = "jobs:manage"  # steer everybody's jobs, approve, change the order
    PRINTERS_OPERATE = "printers:operate"  # clear beds, settle runs, send commands
    PRINTERS_MANAGE = "printers:manage"  # service, names, groups, materials
    HISTORY_READ = "history:read"
    PLATES_FETCH = "plates:fetch"  # what agents need of files
    PICTURES_SEND = "pictures:send"  # what agents see of their printers
    ACCOUNT_OWN = "account:own"  # one's own password, sessions and keys
    AGENTS_ENROLL = "agents:enroll"  # no role's: what a one-time token is for
    FARM_ADMIN = "farm:admin"  # users, keys, agents, webhooks, settings, disk, archives


class Role(StrEnum):
    """What a user or key is to the farm."""

    ADMIN = "admin"
    OPERATOR = "operator"
    SUBMITTER = "submitter"
    VIEWER = "viewer"
    KIOSK = "kiosk"
    AGENT = "agent"


# What a permission brings along: who may see all of something may see a part of it.
_BRINGS: Mapping[Permission, frozenset[Permission]] = MappingProxyType(
    {
        Permission.FARM_READ: frozenset({Permission.WALL_READ, Permission.PLATES_FETCH}),
        Permission.JOBS_MANAGE: frozenset({Permission.JOBS_SUBMIT}),
    }
)


def reach(permissions: Iterable[Permission]) -> frozenset[Permission]:
    """Return permissions with all that they bring along."""
    given = frozenset(permissions)
    return given.union(*(_BRINGS.get(each, frozenset()) for each in given))


_LOOKING = reach({Permission.FARM_READ})
_OF_PEOPLE = frozenset(Permission) - {Permission.AGENTS_ENROLL}

PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.ADMIN: _OF_PEOPLE,
        Role.OPERATOR: _OF_PEOPLE - {Permission.FARM_ADMIN, Permission.PICTURES_SEND},
        Role.SUBMITTER: _LOOKING | {Permission.JOBS_SUBMIT, Permission.ACCOUNT_OWN},
        Role.VIEWER: _LOOKING | {Permission.ACCOUNT_OWN},
        Role.KIOSK: frozenset({Permission.WALL_READ}),
        Role.AGENT: frozenset({Permission.PLATES_FETCH, Permission.PICTURES_SEND}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, as far as their credential says.

    Attributes:
        actor: for the farm's history: `user:anna`, `key:anna/ci`, `agent:pi-3`.
        role: what they are to the farm.
        permissions: what they may do; a key may have fewer than its role.
        owner: whom the jobs that they bring belong to: `user:anna`, also with her key; empty where
            that is the actor.
        user_id: whose account it is; empty for the farm's own token, and for agents.
        credential_id: of the session, key or family of tokens that was shown; empty likewise.
    """

    actor: str
    role: Role
    permissions: frozenset[Permission]
    owner: str = ""
    user_id: str = ""
    credential_id: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether they may do this."""
        return permission in self.permissions

    @property
    def steers_only(self) -> str | None:
        """Whose jobs they may steer; None where it is everybody's."""
        return None if self.may(Permission.JOBS_MANAGE) else self.owner or self.actor
