"""Who may do what: permissions, the roles that bundle them, and who is asking."""

from collections.abc import Mapping
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


_LOOKING = frozenset({Permission.FARM_READ, Permission.WALL_READ})

PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        # Agents that have not enrolled fetch plates with the farm's token.
        Role.ADMIN: frozenset(Permission) - {Permission.AGENTS_ENROLL},
        Role.OPERATOR: frozenset(Permission)
        - {Permission.PLATES_FETCH, Permission.AGENTS_ENROLL, Permission.FARM_ADMIN},
        Role.SUBMITTER: _LOOKING | {Permission.JOBS_SUBMIT},
        Role.VIEWER: _LOOKING,
        Role.KIOSK: frozenset({Permission.WALL_READ}),
        Role.AGENT: frozenset({Permission.PLATES_FETCH}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, as far as their credential says.

    Attributes:
        actor: for the farm's history: `user:anna`, `key:ci`, `agent:pi-3`.
        role: what they are to the farm.
        permissions: what they may do; a key may have fewer than its role.
    """

    actor: str
    role: Role
    permissions: frozenset[Permission]

    def may(self, permission: Permission) -> bool:
        """Whether they may do this."""
        return permission in self.permissions
