"""An agent that must not be: after its death it prints a run again instead of going on with it.

Only what asks the printer after a restart is exchanged. The proofs run it to see that they notice.
"""

import sys

from agent.__main__ import main
from agent.core.observation import RunSeen
from agent.errors import DriverUnavailable
from agent.printers.driver import PlateFile
from agent.printers.marlin_serial import MarlinSerial
from protocols.wire.vocabulary import RunId


async def begin_again(self: MarlinSerial, run_id: RunId, plate: PlateFile | None) -> RunSeen:
    """Give up what the printer has of the run, and start it from its first line."""
    streaming = self._streaming
    earlier = streaming.earlier
    if earlier is not None and earlier.ended is None:
        if streaming.found is not None:
            streaming.abandon("it is begun again")
        raise DriverUnavailable("it is begun again in a moment")
    assert plate is not None, "what was started is here"
    await self.start(plate, run_id)
    seen = self.observation.run
    assert seen is not None, "it was started"
    return seen


if __name__ == "__main__":
    MarlinSerial.recover = begin_again  # type: ignore[method-assign]
    sys.exit(main())
