"""What amqtt changes behind a connection's back gives nobody another one's rights."""

from pathlib import Path

from amqtt.contexts import Action, BaseContext
from amqtt.session import Session

from coordinator.adapters.embedded_broker.amqtt_door import Door
from coordinator.domain.broker_access import password_file
from protocols.wire.topics import Topic, build
from protocols.wire.vocabulary import AgentId
from tests.fakes.enrolled_agents import credential_of, secret_of

A, B = AgentId("pi-a"), AgentId("pi-b")


def door_of(folder: Path) -> Door:
    passwords = folder / "passwords"
    hashes = {each: credential_of(each).broker_hash for each in (A, B, "coordinator.link")}
    passwords.write_text(password_file(hashes))
    context = BaseContext()
    context.config = Door.Config(passwords=str(passwords), full_users=["coordinator.link"])  # type: ignore[assignment]
    return Door(context)


def session_of(agent_id: str) -> Session:
    session = Session()
    session.client_id = f"farmhand-agent-{agent_id}"
    session.username, session.password = agent_id, secret_of(agent_id)
    return session


async def test_a_name_that_was_put_over_ones_own_opens_nothing_without_its_password(
    tmp_path: Path,
) -> None:
    door, session = door_of(tmp_path), session_of(A)
    assert await door.authenticate(session=session)
    own, others = build(Topic.PRESENCE, A), build(Topic.PRESENCE, B)
    assert await door.topic_filtering(session=session, topic=own, action=Action.PUBLISH)
    for name in (B, "coordinator.link"):
        session.username = name
        for action in Action:
            assert not await door.topic_filtering(session=session, topic=others, action=action)


async def test_who_is_refused_leaves_no_will_behind(tmp_path: Path) -> None:
    door, session = door_of(tmp_path), session_of(A)
    session.will_flag, session.will_topic = True, build(Topic.PRESENCE, B)
    assert not await door.authenticate(session=session)
    assert not session.will_flag


async def test_nobody_may_anything_where_the_list_can_not_be_read(tmp_path: Path) -> None:
    door, session = door_of(tmp_path), session_of(A)
    assert await door.authenticate(session=session)
    (tmp_path / "passwords").unlink()
    assert not await door.authenticate(session=session)
    own = build(Topic.PRESENCE, A)
    assert not await door.topic_filtering(session=session, topic=own, action=Action.PUBLISH)
