"""How long a host waits for what, and how often it tries: every limit with its reason."""

from protocols.gcode.dialects import Dialect
from protocols.gcode.lines import parse

GREETING_INTERVAL_S = 2.0
GREETINGS_MAX = 15
SETTLED_AFTER_S = 0.3
HANDSHAKES_MAX = 10
HANDSHAKE_ANSWER_S = 10.0
QUESTIONS_MAX = 4  # a full command queue leaves them in the 128 bytes of a UART's ring
QUESTION_INTERVAL_S = 2.0
ADOPTION_SILENCE_S = 40.0  # boards without keepalive home in silence for so long
ADOPTION_S_MAX = 900.0  # it may be heating, with no room for a question before that ends
RESEND_OK_WAIT_S = 0.5  # how long an ok may lag behind the complaint that it ends
DRAINED_AFTER_S = 0.1  # quiet for so long, no further complaint is under way
ANSWER_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_BUSY_S = 5.0  # with keepalives every 2 s, longer silence means loss
LONG_COMMAND_TIMEOUT_S = 180.0  # times the probes: levelling may take a quarter of an hour
LONG_COMMAND_TIMEOUT_BUSY_S = 30.0
PROBES_MAX = 5  # with numbers they fill less than the 128 bytes of a UART's ring
SUSPICION_S = 0.02  # a complaint was taken for an old one, and nothing else follows
REPAIRS_ON_END_MAX = 3  # without a calm stretch between: go on slowly
CALM_LINES = 20
REFUSALS_MAX = 10  # of one line in a row: the cable is beyond repair
POLL_INTERVAL_S = 5.0
POLL_INTERVAL_HOT_S = 2.0
AUTOREPORT_LOST_AFTER_S = 7.0  # three intervals of M155 S2, and some
WAIT_MEANS_LOSS_S = 1.0  # a firmware that idles for so long has not got what is outstanding
AUTOREPORT = "M155 S2"
AUTOREPORT_CARD = "M27 S5"
CARD_INTERVAL_S = 5.0
CARD_AGAIN_S = 1.0  # where an answer contradicts what was believed
CARD_REPORT_LOST_AFTER_S = 16.0  # three intervals of M27 S5, and some
PACKING_ANSWER_S = 2.0
PACKING_TRIES_MAX = 3
PACKING_OFF_MAX = 8  # in a row; answers to earlier tries to switch it on may still be under way
WINDOW_BYTES_MAX = 110  # of the 128 in the receive ring of a UART board
TAIL_BYTES_MAX = 4096  # longer without a line end is noise, or the wrong speed


def is_long(command: str, dialect: Dialect) -> bool:
    """Whether a command may take minutes, in silence on a firmware without keepalive."""
    return command.partition(" ")[0] in dialect.long_commands


def patience_s(command: str, dialect: Dialect, *, keepalive: bool) -> float:
    """Return how long the answer to a command may take before its loss is suspected.

    Args:
        keepalive: the firmware says `busy` while it works.
    """
    if is_long(command, dialect):
        return LONG_COMMAND_TIMEOUT_BUSY_S if keepalive else LONG_COMMAND_TIMEOUT_S
    limit_s = ANSWER_TIMEOUT_BUSY_S if keepalive else ANSWER_TIMEOUT_S
    if command.startswith("G4"):
        dwell = parse(command)
        if dwell is not None and dwell.name == "G4":
            limit_s += (dwell.value("S") or 0) + (dwell.value("P") or 0) / 1000
    return limit_s
