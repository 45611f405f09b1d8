"""The wiring of the way in: which credentials there are, by the settings and the state folder."""

import secrets
from pathlib import Path

import structlog

from coordinator.adapters.access_tokens import SignedTokens
from coordinator.adapters.openid import OpenIdProvider
from coordinator.adapters.passwords import Argon2Passwords
from coordinator.domain.access import Role
from coordinator.domain.accounts import SignUp
from coordinator.secret_files import kept_secret
from coordinator.settings import Settings
from coordinator.usecases.farm import Farm
from coordinator.usecases.gate import Gate
from coordinator.usecases.pending import Pending
from coordinator.usecases.users import FIRST_ADMIN, add_user, has_users

log = structlog.get_logger(__name__)

PASSWORD_FILE = "admin-password"


def open_gate(farm: Farm, settings: Settings) -> Gate:
    """Return what lets people in; the secrets that it needs are made where they are missing.

    Raises:
        SettingsInvalid: one can't be read or made.
    """
    folder = settings.state_dir
    given = settings.token.get_secret_value()
    signing_key = kept_secret(folder / "signing-key", lambda: secrets.token_hex(32))
    return Gate(
        farm=farm,
        root_token=given or kept_secret(folder / "token", lambda: secrets.token_urlsafe(32)),
        passwords=Argon2Passwords(),
        tokens=SignedTokens(signing_key.encode()),
        provider=_provider(settings),
        pending=Pending(signing_key.encode()),
        sign_up=SignUp(
            claim=settings.oidc_role_claim,
            roles={group: Role(role) for group, role in settings.oidc_roles.items()},
            otherwise=Role(settings.oidc_otherwise) if settings.oidc_otherwise else None,
        ),
    )


def _provider(settings: Settings) -> OpenIdProvider | None:
    if not settings.oidc_issuer:
        return None
    return OpenIdProvider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        role_claim=settings.oidc_role_claim,
        scopes=settings.oidc_scopes,
    )


async def welcome(gate: Gate, folder: Path) -> None:
    """Make the first administrator where there never was a user, and say how to log in.

    The password lies in a file that only the owner reads; it goes with the first start after it
    was changed.

    Raises:
        SettingsInvalid: the file can't be read or made.
    """
    path = folder / PASSWORD_FILE
    if not await has_users(gate.farm):
        # The file first: whoever is killed in between finds both the next time.
        password = kept_secret(path, lambda: secrets.token_urlsafe(18))
        await add_user(gate, FIRST_ADMIN, Role.ADMIN, "farm", "start", password=password)
        log.warning("admin.made", name=FIRST_ADMIN, file=str(path))
    elif path.exists():
        async with gate.farm.store.read() as unit:
            user = await unit.user_named(FIRST_ADMIN)
            hashed = await unit.password(user.user_id) if user is not None else None
        if not await gate.passwords.verify(hashed, path.read_text().strip()):
            path.unlink()
