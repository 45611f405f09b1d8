"""The states of a connection, as a table. The theory of operation is in connection.py."""

from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where a connection is."""

    CLOSED = "closed"  # nothing was sent yet
    GREETING = "greeting"  # M110 is repeated until anything at all is heard
    SETTLING = "settling"  # it lives; banners and stray answers run out
    IDENTIFYING = "identifying"  # numbering is set, M115 and M105 are under way
    READY = "ready"  # lines flow
    DRAINING = "draining"  # a line was refused; nothing is sent until all complaints are in
    HALTED = "halted"  # the firmware stopped itself
    FAILED = "failed"  # given up


class Happening(StrEnum):
    """What moves a connection from one state to another."""

    OPENED = "opened"
    HEARD = "heard"
    QUIET = "quiet"
    IDENTIFIED = "identified"
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
