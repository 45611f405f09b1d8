"""The states of a connection, as a table.

Theory of operation
    GREETING repeats a newline and `N0 M110 N0*125` until anything at all is heard, for an opened
    port often resets the board, whose boot loader eats what it is sent. SETTLING lets banners and
    the oks of repeated greetings run out, so that no stray ok is left to accept a line it does not
    belong to. IDENTIFYING sets the numbering again and asks M115 and M105; any complaint or
    silence there starts the settling anew. Its last line has a wrong number, so that the firmware
    shows, while nothing else is under way, whether an ok follows its complaints.

    ASKING is the other way in, for a firmware that may be in the middle of a print: the line with
    a wrong number alone is said, and answered with `Last Line: n`. In ADOPTED the owner decides.

    READY sends lines, each numbered and checksummed, at most a window of them unaccepted. Only an
    `ok` accepts. A refused line (`Error:`, `Resend: n`, maybe `ok`) is repeated at once, and what
    was sent behind it after that. The lines that were behind it may be refused too, each with a
    complaint about the same n; so many complaints are heard out without a repetition, and the ok
    of the repeated line ends the count. What is not as it should be (several complaints on end, a
    firmware whose habits are not known) leads to DRAINING: nothing is sent until the line is
    quiet. That is slow and always right: repetitions sent between complaints can breed more.

    Silence although lines are outstanding: either a line or its ok was lost, or the firmware
    works. The next line tells which, at the latest a numbered M105: it is accepted (so was
    everything before it), or the firmware asks for what it lacks, or it waits its turn. It is
    harmless in every case, which the repetition of a line that is merely slow is not.

    `start` in the middle means that the board restarted. Everything unsent is dropped, the owner
    hears BoardReset, and only the handshake goes on.
"""

from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where a connection is."""

    CLOSED = "closed"  # nothing was sent yet
    GREETING = "greeting"  # M110 is repeated until anything at all is heard
    SETTLING = "settling"  # it lives; banners and stray answers run out
    IDENTIFYING = "identifying"  # numbering is set, M115 and M105 are under way
    ASKING = "asking"  # to adopt a firmware in mid-print: which line had it last?
    ADOPTED = "adopted"  # it told, or can't tell; the owner decides how to go on
    READY = "ready"  # lines flow
    DRAINING = "draining"  # a line was refused; nothing is sent until all complaints are in
    HALTED = "halted"  # the firmware stopped itself
    FAILED = "failed"  # given up


class Happening(StrEnum):
    """What moves a connection from one state to another."""

    OPENED = "opened"
    OPENED_TO_ADOPT = "opened to adopt"
    HEARD = "heard"
    QUIET = "quiet"
    IDENTIFIED = "identified"
    ANSWERED = "answered"
    GOES_ON = "goes on"
    BEGINS_ANEW = "begins anew"
    REFUSED = "refused"
    SILENCE = "silence"
    DRAINED = "drained"
    RESET = "reset"
    FATAL = "fatal"
    GAVE_UP = "gave up"


_S, _H = State, Happening

TRANSITIONS = MappingProxyType(
    {
        (_S.CLOSED, _H.OPENED): _S.GREETING,
        (_S.GREETING, _H.HEARD): _S.SETTLING,
        (_S.GREETING, _H.RESET): _S.SETTLING,
        (_S.GREETING, _H.FATAL): _S.HALTED,
        (_S.GREETING, _H.GAVE_UP): _S.FAILED,
        (_S.SETTLING, _H.QUIET): _S.IDENTIFYING,
        (_S.SETTLING, _H.RESET): _S.SETTLING,
        (_S.SETTLING, _H.FATAL): _S.HALTED,
        (_S.IDENTIFYING, _H.IDENTIFIED): _S.READY,
        (_S.IDENTIFYING, _H.REFUSED): _S.SETTLING,
        (_S.IDENTIFYING, _H.SILENCE): _S.SETTLING,
        (_S.IDENTIFYING, _H.RESET): _S.SETTLING,
        (_S.IDENTIFYING, _H.FATAL): _S.HALTED,
        (_S.IDENTIFYING, _H.GAVE_UP): _S.FAILED,
        (_S.CLOSED, _H.OPENED_TO_ADOPT): _S.ASKING,
        (_S.ASKING, _H.ANSWERED): _S.ADOPTED,
        (_S.ASKING, _H.RESET): _S.SETTLING,
        (_S.ASKING, _H.FATAL): _S.HALTED,
        (_S.ASKING, _H.GAVE_UP): _S.FAILED,
        (_S.ADOPTED, _H.GOES_ON): _S.READY,
        (_S.ADOPTED, _H.BEGINS_ANEW): _S.GREETING,
        (_S.ADOPTED, _H.RESET): _S.SETTLING,
        (_S.ADOPTED, _H.FATAL): _S.HALTED,
        (_S.READY, _H.REFUSED): _S.DRAINING,
        (_S.READY, _H.RESET): _S.SETTLING,
        (_S.READY, _H.FATAL): _S.HALTED,
        (_S.READY, _H.GAVE_UP): _S.FAILED,
        (_S.DRAINING, _H.DRAINED): _S.READY,
        (_S.DRAINING, _H.RESET): _S.SETTLING,
        (_S.DRAINING, _H.FATAL): _S.HALTED,
        (_S.DRAINING, _H.GAVE_UP): _S.FAILED,
        (_S.HALTED, _H.RESET): _S.SETTLING,
    }
)


class IllegalTransition(Exception):
    """A happening that the table has no row for: a fault in this package."""


def advance(state: State, happening: Happening) -> State:
    """Return the next state.

    Raises:
        IllegalTransition: the table has no such row.
    """
    try:
        return TRANSITIONS[state, happening]
    except KeyError:
        raise IllegalTransition(f"{happening} while {state}") from None
