"""Rubbish is told of, but not once a message."""

from protocols.wire.complaints import TELL_AGAIN_S, Complaints


def test_the_first_is_told_at_once_and_the_others_together_a_minute_later() -> None:
    complaints = Complaints()
    assert complaints.note(100.0) == 1
    assert [complaints.note(100.0 + second) for second in range(5)] == [0] * 5
    assert complaints.note(100.0 + TELL_AGAIN_S) == 6
    assert complaints.note(100.0 + TELL_AGAIN_S) == 0
    assert complaints.count == 8
