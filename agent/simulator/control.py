"""The control channel: lines of text in, one line each out.

`fault SPEC` arms a fault, `faults` lists them, `clear` disarms all, `status` answers JSON, `reset`
restarts the board, `press` is the button at the printer, `print NAME` prints a file of its card
as its panel does, `note TEXT` writes what a person did there into the log, `help` lists these.
"""

import json

from agent.errors import SettingsInvalid
from agent.simulator.faults import FAULTS, parse_fault
from agent.simulator.firmware import Firmware

_HELP = "fault SPEC | faults | clear | status | reset | press | print NAME | note TEXT | help"


def obey(firmware: Firmware, line: str, now: float) -> str:
    """Do what one line asks for; return the answer, without a newline."""
    verb, _, rest = line.strip().partition(" ")
    match verb:
        case "fault":
            try:
                firmware.faults.arm(parse_fault(rest))
            except SettingsInvalid as error:
                return f"error: {error}"
            return "ok"
        case "faults":
            return json.dumps({name: kind.what for name, kind in FAULTS.items()})
        case "clear":
            firmware.faults.clear()
            return "ok"
        case "status":
            return json.dumps(firmware.status(now))
        case "reset":
            firmware.reset("control", now)
            return "ok"
        case "press":
            firmware.press(now)
            return "ok"
        case "print":
            return "ok" if firmware.print_from_card(rest, now) else f"error: no file {rest!r}"
        case "note":
            firmware.log.mark(f"note {rest}")
            return "ok"
        case "help":
            return _HELP
        case _:
            return f"error: no command {verb!r}; there are: {_HELP}"
