"""Plain values of accounts, to be varied with `replace`."""

from datetime import UTC, datetime, timedelta

from coordinator.domain.access import Permission, Role
from coordinator.domain.accounts import (
    ApiKey,
    Family,
    FamilyId,
    KeyId,
    Session,
    SessionId,
    User,
    UserId,
)

NOW = datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
DAY = timedelta(days=1)

ANNA = User(
    user_id=UserId("user-2"),
    name="anna",
    role=Role.SUBMITTER,
    subject="https://id.example 17",
    jobs_open_max=3,
    grams_per_month=0.5,
    created_at=NOW,
)
BERT = User(user_id=UserId("user-1"), name="bert", role=Role.ADMIN, created_at=NOW)
KEY = ApiKey(
    key_id=KeyId("key-1"),
    user_id=ANNA.user_id,
    name="ci",
    scopes=(Permission.FARM_READ, Permission.JOBS_SUBMIT),
    secret_sha256="a" * 64,
    created_at=NOW,
    expires_at=NOW + DAY,
)
SESSION = Session(
    session_id=SessionId("session-1"),
    user_id=ANNA.user_id,
    secret_sha256="b" * 64,
    created_at=NOW,
    seen_at=NOW,
    address="127.0.0.1",
    browser="Firefox",
)
FAMILY = Family(
    family_id=FamilyId("family-1"),
    user_id=ANNA.user_id,
    secret_sha256="c" * 64,
    created_at=NOW,
    renewed_at=NOW,
)
