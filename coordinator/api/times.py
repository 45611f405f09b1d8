"""Times, as requests write them."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema


def time_of(said: Any) -> datetime:
    """Return a time; one without a zone is in UTC.

    Raises:
        ValueError: it is none.
    """
    try:
        at = said if isinstance(said, datetime) else datetime.fromisoformat(str(said))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("a time as in 2026-01-31T12:00:00Z is wanted") from error


Time = Annotated[
    datetime,
    BeforeValidator(time_of),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:00Z"]}),
]
