"""What every `Store` keeps to with tokens and credentials."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from coordinator.domain.enrolment import AgentCredential, EnrolmentToken
from coordinator.ports import Store
from protocols.wire.vocabulary import AgentId

NOW = datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
TOKEN = EnrolmentToken(
    token_id="one",
    agent_id=AgentId("pi-1"),
    secret_sha256="a" * 64,
    made_by="user:anna",
    made_at=NOW,
    expires_at=NOW + timedelta(hours=1),
)
CREDENTIAL = AgentCredential(
    agent_id=AgentId("pi-1"),
    secret_sha256="b" * 64,
    broker_hash="$7$101$c2FsdA==$a2V5",
    issued_at=NOW,
    token_id="one",
)


async def test_a_token_comes_back_as_it_was_saved_last(store: Store) -> None:
    used = replace(
        TOKEN, used_by=AgentId("pi-1"), used_at=NOW, used_secret_sha256="c" * 64, agent_id=None
    )
    for each in (TOKEN, used):
        async with store.write() as unit:
            await unit.save_enrolment_token(each)
        async with store.read() as unit:
            assert await unit.enrolment_token("one") == each
            assert await unit.enrolment_token("two") is None


async def test_only_tokens_that_expired_before_then_are_dropped(store: Store) -> None:
    later = replace(TOKEN, token_id="two", expires_at=NOW + timedelta(hours=2))
    async with store.write() as unit:
        await unit.save_enrolment_token(TOKEN)
        await unit.save_enrolment_token(later)
        await unit.drop_enrolment_tokens(later.expires_at)
    async with store.read() as unit:
        assert await unit.enrolment_token("one") is None
        assert await unit.enrolment_token("two") == later


async def test_an_agent_has_one_credential_which_is_replaced(store: Store) -> None:
    other = replace(CREDENTIAL, agent_id=AgentId("a-first"))
    async with store.write() as unit:
        await unit.save_agent_credential(CREDENTIAL)
        await unit.save_agent_credential(other)
        await unit.save_agent_credential(replace(CREDENTIAL, revoked_at=NOW))
    async with store.read() as unit:
        assert await unit.agent_credential(AgentId("pi-1")) == replace(CREDENTIAL, revoked_at=NOW)
        assert await unit.agent_credential(AgentId("pi-2")) is None
        assert [each.agent_id for each in await unit.agent_credentials()] == ["a-first", "pi-1"]
