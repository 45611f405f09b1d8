"""What every `Store` keeps to with accounts, and with whose a job is."""

from dataclasses import replace
from datetime import timedelta

from coordinator.domain.accounts import KeyId, SessionId, Usage, UserId, UserState
from coordinator.domain.jobs import JobState
from coordinator.domain.runs import RunState
from coordinator.ports import Store
from protocols.wire.vocabulary import Epoch, JobId, RunId
from tests.fakes.account_values import ANNA, BERT, DAY, FAMILY, KEY, NOW, SESSION
from tests.fakes.values import JOB, PLATE, PRINTER, RUN


async def test_users_come_back_as_they_were_by_id_name_and_subject(store: Store) -> None:
    gone = replace(BERT, state=UserState.REMOVED)
    async with store.write() as unit:
        await unit.save_user(ANNA)
        await unit.save_user(BERT)
        await unit.save_user(gone)
    async with store.read() as unit:
        assert await unit.users() == [ANNA, gone]
        assert await unit.user(ANNA.user_id) == ANNA
        assert await unit.user(UserId("user-9")) is None
        assert await unit.user_named("bert") == gone
        assert await unit.user_named("Anna") is None
        assert await unit.user_of_subject(ANNA.subject) == ANNA
        assert await unit.user_of_subject("") is None


async def test_a_password_is_kept_replaced_and_taken_away(store: Store) -> None:
    async with store.write() as unit:
        await unit.save_user(ANNA)
        assert await unit.password(ANNA.user_id) is None
        await unit.save_password(ANNA.user_id, "first")
        await unit.save_password(ANNA.user_id, "second")
        assert await unit.password(ANNA.user_id) == "second"
        await unit.drop_password(ANNA.user_id)
        await unit.drop_password(ANNA.user_id)
        assert await unit.password(ANNA.user_id) is None


async def test_keys_come_back_as_they_were_and_their_use_beside_them(store: Store) -> None:
    later = replace(
        KEY, key_id=KeyId("key-0"), created_at=NOW + DAY, expires_at=None, scopes=(), revoked_at=NOW
    )
    other = replace(KEY, key_id=KeyId("key-2"), user_id=BERT.user_id)
    async with store.write() as unit:
        for user in (ANNA, BERT):
            await unit.save_user(user)
        for key in (later, KEY, other):
            await unit.save_key(key)
        await unit.note_key_use(KEY.key_id, NOW)
        await unit.note_key_use(KEY.key_id, NOW + DAY)
    async with store.read() as unit:
        assert await unit.key(KEY.key_id) == KEY
        assert await unit.keys(ANNA.user_id) == [KEY, later]
        assert len(await unit.keys()) == 3
        assert await unit.key_used_at(KEY.key_id) == NOW + DAY
        assert await unit.key_used_at(other.key_id) is None


async def test_sessions_are_found_by_their_secret_and_end(store: Store) -> None:
    old = replace(SESSION, session_id=SessionId("session-0"), secret_sha256="d" * 64)
    old = replace(old, created_at=NOW - 5 * DAY, seen_at=NOW - DAY)
    async with store.write() as unit:
        await unit.save_user(ANNA)
        await unit.save_session(SESSION)
        await unit.save_session(old)
        assert await unit.session_of_secret("b" * 64) == SESSION
        assert await unit.session_of_secret("e" * 64) is None
        assert await unit.sessions(ANNA.user_id) == [old, SESSION]
        assert await unit.drop_sessions_before(NOW - 5 * DAY, NOW - 9 * DAY) == 1
        assert await unit.sessions(ANNA.user_id) == [SESSION]
        assert await unit.drop_sessions_before(NOW - 9 * DAY, NOW - DAY) == 0
        await unit.drop_session(SESSION.session_id)
        assert await unit.sessions(ANNA.user_id) == []


async def test_families_of_tokens_are_renewed_and_end(store: Store) -> None:
    renewed = replace(FAMILY, secret_sha256="d" * 64, renewed_at=NOW + DAY)
    async with store.write() as unit:
        await unit.save_user(ANNA)
        await unit.save_family(FAMILY)
        await unit.save_family(renewed)
        assert await unit.family(FAMILY.family_id) == renewed
        assert await unit.families(ANNA.user_id) == [renewed]
        assert await unit.drop_families_before(NOW - DAY) == 0
        assert await unit.drop_families_before(NOW) == 1
        await unit.drop_family(FAMILY.family_id)
        assert await unit.family(FAMILY.family_id) is None


async def test_history_tells_of_users_and_keys_and_of_no_password(store: Store) -> None:
    async with store.write() as unit:
        await unit.save_user(ANNA)
        await unit.save_password(ANNA.user_id, "hashed")
        await unit.save_key(KEY)
        await unit.save_session(SESSION)
    async with store.read() as unit:
        rows = dict([told async for page in unit.rows() for told in page])
    assert set(rows) == {("user", "user-2"), ("key", "key-1")}
    assert rows["key", "key-1"]["scopes"] == ["farm:read", "jobs:submit"]


async def test_usage_counts_open_jobs_and_the_grams_of_runs_that_began(store: Store) -> None:
    mine = replace(JOB, owner="user:anna", approved=False)
    async with store.write() as unit:
        await unit.save_printer(PRINTER)
        for number, state in enumerate(JobState):
            await unit.save_job(replace(mine, job_id=JobId(f"job-{number}"), state=state))
        await unit.save_job(replace(JOB, job_id=JobId("job-x"), owner="user:bert"))
        assert (await unit.job(JobId("job-0"))) == replace(
            mine, job_id=JobId("job-0"), state=JobState.RECEIVED
        )
        for number, job in enumerate(("job-0", "job-0", "job-0", "job-x")):
            plate = replace(PLATE, job_id=JobId(job), filament_g=12.5)
            await unit.save_plate(plate)
            run = replace(RUN, job_id=JobId(job), run_id=RunId(f"run-{number}"))
            run = replace(run, epoch=Epoch(number + 1), state=RunState.FAILED)
            began = (NOW, NOW - timedelta(seconds=1), None, NOW)[number]
            await unit.save_run(replace(run, started_at=began))
    async with store.read() as unit:
        assert await unit.usage("user:anna", NOW) == Usage(jobs_open=7, filament_g=12.5)
        assert await unit.usage("user:nobody", NOW) == Usage(jobs_open=0, filament_g=0.0)


async def test_no_lease_is_wanted_for_a_job_that_is_not_approved(store: Store) -> None:
    async with store.write() as unit:
        await unit.save_job(replace(JOB, approved=False))
        assert await unit.jobs_wanting(offset=0, limit=9) == []
        await unit.save_job(JOB)
        assert await unit.jobs_wanting(offset=0, limit=9) == [JOB]
