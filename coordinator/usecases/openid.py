"""Log in at an OpenID provider: begin, come back, and be somebody here."""

from collections.abc import Mapping
from dataclasses import replace

from coordinator.domain.access import Role
from coordinator.domain.accounts import User, UserState, role_by_claims
from coordinator.domain.effects import Note, Save
from coordinator.errors import NotPermitted, Refused
from coordinator.usecases.gate import Gate
from coordinator.usecases.performing import writing
from coordinator.usecases.users import add_user


async def begin(gate: Gate, redirect_url: str) -> tuple[str, str]:
    """Return where a browser is sent, and the word that it has to bring back.

    Raises:
        Refused: the farm has no provider.
        Unavailable: it does not answer.
    """
    if gate.provider is None:
        raise Refused("no_provider", "the farm has no OpenID provider")
    challenge = gate.pending.begin(gate.farm.clock.now())
    return await gate.provider.address(challenge, redirect_url), challenge.state


async def finish(gate: Gate, state: str, code: str, redirect_url: str, origin: str) -> User:
    """Return who came back with a code; they are made a user where they may be one.

    Args:
        state: which the same browser brought back.

    Raises:
        Refused: the log in is not known, or the provider does not vouch for it.
        NotPermitted: they are known there, and may not come in here.
        Unavailable: the provider does not answer.
    """
    farm = gate.farm
    challenge = gate.pending.take_up(state, farm.clock.now())
    if gate.provider is None or challenge is None:
        raise Refused("oidc_forgotten", "this log in took too long, or began elsewhere: try again")
    claims = await gate.provider.claims(challenge, redirect_url, code)
    subject = f"{claims['iss']} {claims['sub']}"
    role = role_by_claims(gate.sign_up, claims)
    async with farm.store.read() as unit:
        user = await unit.user_of_subject(subject)
    if role is None or (user is not None and user.state is not UserState.ACTIVE):
        raise NotPermitted(
            "not_a_user", "the provider knows you, but this farm does not let you in"
        )
    if user is None:
        return await add_user(gate, _name(claims), role, "farm", origin, subject=subject)
    return await _with_role(gate, user, role, origin)


async def _with_role(gate: Gate, user: User, role: Role, origin: str) -> User:
    """Return a user with the role that the provider's claims give them today."""
    if user.role is role:
        return user
    async with writing(gate.farm, "farm", origin) as transaction:
        user = replace(await transaction.unit.user(user.user_id) or user, role=role)
        cause = "as the OpenID provider has it"
        note = Note(subject="user", subject_id=user.user_id, name="user.changed", cause=cause)
        await transaction.perform((Save(user), note))
    return user


def _name(claims: Mapping[str, object]) -> str:
    """Return what somebody is to be called here."""
    for claim in ("preferred_username", "email", "sub"):
        if isinstance(name := claims.get(claim), str) and name:
            return name.casefold()
    return ""
