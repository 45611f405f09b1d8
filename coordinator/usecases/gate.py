"""All that is needed to let people and programs in: the farm, and what checks credentials."""

from dataclasses import dataclass, field

from coordinator.domain.accounts import SignUp
from coordinator.ports_accounts import AccessTokens, IdentityProvider, Passwords
from coordinator.usecases.farm import Farm
from coordinator.usecases.pending import Pending


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """The way in.

    Attributes:
        root_token: the credential of this machine; it needs no database.
        provider: where people log in with OpenID Connect, None for nowhere.
    """

    farm: Farm
    root_token: str
    passwords: Passwords
    tokens: AccessTokens
    provider: IdentityProvider | None = None
    sign_up: SignUp = field(default_factory=SignUp)
    pending: Pending = field(default_factory=Pending)
