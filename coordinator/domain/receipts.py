"""A receipt for a request that must not be carried out twice, however often it is sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# As long as somebody may send a request again and be told what came of the first.
KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a request, by the key that its sender gave it.

    Attributes:
        key: who asked, for what, and the sender's key.
        fingerprint: a hash of what was asked: another request with the same key is a mistake.
        subject_id: the id of what is made; given before anything is done, so that who died in the
            midst of it can tell afterwards whether it was.
        answer: what was answered, empty as long as nothing was.
    """

    key: str
    at: datetime
    fingerprint: str
    subject_id: str
    answer: str = ""
