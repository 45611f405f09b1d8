"""Who asks, by what they show: the farm's token, a key, a signed token, a session's secret; or an
agent's credential, or the token to enrol with.

Each answers None for whatever is not good, for whatever reason, and raises where it can't be told:
what nobody could look up lets nobody in.
"""

import hmac
from contextlib import suppress
from dataclasses import replace

from coordinator.domain.access import PERMISSIONS, Caller, Permission, Role
from coordinator.domain.accounts import (
    FamilyId,
    KeyId,
    SessionId,
    UserId,
    caller_of,
    caller_with_key,
    secret_hash,
    session_ended,
    use_is_due,
)
from coordinator.domain.enrolment import (
    CREDENTIAL_PREFIX,
    TOKEN_PREFIX,
    is_the_secret,
    parts_of,
)
from coordinator.errors import Unavailable
from coordinator.usecases.gate import Gate
from protocols.wire.vocabulary import AgentId, is_id

KEY_PREFIX = "farm_"
# What stands before an agent's name, and a token's id, as the actor of what they do.
AGENT_ACTOR, ENROLMENT_ACTOR = "agent:", "enrolment:"

ROOT = Caller(
    actor="user:admin",
    role=Role.ADMIN,
    permissions=PERMISSIONS[Role.ADMIN],
    owner="user:admin",
)


async def caller_of_token(gate: Gate, shown: str) -> Caller | None:
    """Return who shows a token or a key.

    Raises:
        Unavailable, StoreUnusable: the store does not tell.
    """
    # Bytes: comparing texts in constant time fails on what is not ASCII.
    if hmac.compare_digest(shown.encode("utf-8", "replace"), gate.root_token.encode()):
        return ROOT
    if shown.startswith(KEY_PREFIX):
        return await _caller_of_key(gate, shown)
    if (parts := parts_of(shown, CREDENTIAL_PREFIX)) is not None:
        return await _caller_of_agent(gate, *parts)
    if (parts := parts_of(shown, TOKEN_PREFIX)) is not None:
        return await _caller_of_enrolment(gate, *parts)
    if shown.count(".") == 2:
        return await _caller_of_signed(gate, shown)
    return None


async def caller_of_session(gate: Gate, secret: str) -> Caller | None:
    """Return whose browser shows a session's secret; that it was seen is written down now and then.

    Raises:
        Unavailable, StoreUnusable: the store does not tell.
    """
    farm = gate.farm
    now = farm.clock.now()
    async with farm.store.read() as unit:
        session = await unit.session_of_secret(secret_hash(secret))
        user = await unit.user(session.user_id) if session is not None else None
    if session is None or user is None or session_ended(session, now):
        return None
    caller = caller_of(user, session.session_id)
    if caller is not None and use_is_due(session.seen_at, now):
        with suppress(Unavailable):  # a full disk locks nobody out
            async with farm.store.write() as unit:
                # It may have been ended a moment ago, and must not come back.
                if await unit.session_of_secret(session.secret_sha256) is not None:
                    await unit.save_session(replace(session, seen_at=now))
    return caller


async def still_holds(gate: Gate, caller: Caller) -> bool:
    """Whether what somebody showed a while ago is still good, and reaches as far.

    Raises:
        Unavailable, StoreUnusable: the store does not tell.
    """
    if caller == ROOT:
        return True
    now, known = gate.farm.clock.now(), None
    async with gate.farm.store.read() as unit:
        user = await unit.user(UserId(caller.user_id))
        if user is None:
            return False
        if key := await unit.key(KeyId(caller.credential_id)):
            known = caller_with_key(user, key, now)
        elif await unit.family(FamilyId(caller.credential_id)) is not None:
            known = caller_of(user)
        else:
            sessions = {each.session_id: each for each in await unit.sessions(user.user_id)}
            session = sessions.get(SessionId(caller.credential_id))
            if session is not None and not session_ended(session, now):
                known = caller_of(user)
    return known is not None and caller.permissions <= known.permissions


async def _caller_of_key(gate: Gate, shown: str) -> Caller | None:
    farm = gate.farm
    now = farm.clock.now()
    key_id, _, secret = shown.removeprefix(KEY_PREFIX).partition("_")
    async with farm.store.read() as unit:
        key = await unit.key(KeyId(key_id))
        user = await unit.user(key.user_id) if key is not None else None
        used_at = await unit.key_used_at(KeyId(key_id))
    expected = key.secret_sha256 if key is not None else ""
    if not hmac.compare_digest(secret_hash(secret), expected) or key is None or user is None:
        return None
    caller = caller_with_key(user, key, now)
    if caller is not None and use_is_due(used_at, now):
        with suppress(Unavailable):
            async with farm.store.write() as unit:
                await unit.note_key_use(key.key_id, now)
    return caller


async def _caller_of_signed(gate: Gate, shown: str) -> Caller | None:
    """Return for whom a token was signed, as long as its family lives: a log out counts at once."""
    claims = await gate.tokens.read(shown, gate.farm.clock.now())
    if claims is None:
        return None
    async with gate.farm.store.read() as unit:
        family = await unit.family(claims.family_id)
        user = await unit.user(claims.user_id)
    if family is None or user is None or family.user_id != user.user_id:
        return None
    return caller_of(user, family.family_id)


async def _caller_of_agent(gate: Gate, name: str, secret: str) -> Caller | None:
    if not is_id(name):
        return None
    async with gate.farm.store.read() as unit:
        known = await unit.agent_credential(AgentId(name))
    if known is None or not known.good or not is_the_secret(secret, known.secret_sha256):
        return None
    actor = f"{AGENT_ACTOR}{known.agent_id}"
    return Caller(actor=actor, role=Role.AGENT, permissions=PERMISSIONS[Role.AGENT])


async def _caller_of_enrolment(gate: Gate, token_id: str, secret: str) -> Caller | None:
    """Return who comes to enrol, also with a token that is used up: they are told so."""
    async with gate.farm.store.read() as unit:
        known = await unit.enrolment_token(token_id)
    if known is None or not is_the_secret(secret, known.secret_sha256):
        return None
    may = frozenset({Permission.AGENTS_ENROLL})
    return Caller(actor=f"{ENROLMENT_ACTOR}{token_id}", role=Role.AGENT, permissions=may)
