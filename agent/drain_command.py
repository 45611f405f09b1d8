"""The command `farmhand-agent --drain`: ask the agent of this state folder to drain, and wait.

Nothing new is begun from then on, and it ends once nothing prints. There is no way back: who does
not want to wait that long may leave, and the agent goes on draining.
"""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from agent.running import DRAINED, look

EXIT_DRAINED = 0
EXIT_STILL_PRINTING = 4
EXIT_NOT_RUNNING = 5
EXIT_ENDED_OTHERWISE = 6

LOOK_S = 0.25


def drain(
    state_dir: Path,
    *,
    timeout_s: float,
    say: Callable[[str], None],
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Drain the agent of a state folder; returns one of the exit codes above.

    Args:
        state_dir: the agent's.
        timeout_s: to wait at most so long; infinity for as long as it takes.
        say: takes lines for a person, one whenever there is news.
        now: monotonic seconds.
        sleep: waits for so many.
    """
    try:
        running, _ = look(state_dir)
        if running is None:
            say(f"no agent runs with {state_dir}")
            return EXIT_NOT_RUNNING
        os.kill(running.pid, signal.SIGUSR1)
    except OSError as error:
        say(f"the agent of {state_dir} can't be asked: {error.strerror}")
        return EXIT_NOT_RUNNING
    pid, told, until_s = running.pid, "", now() + timeout_s
    while True:
        running, noted = look(state_dir)
        if running is None or running.pid != pid:
            break
        if noted and noted != told:
            told = noted
            say(noted)
        if now() >= until_s:
            say("it still prints; it goes on draining, and ends when that is done")
            return EXIT_STILL_PRINTING
        sleep(LOOK_S)
    if running is None and noted == DRAINED:
        say("drained: the agent has ended, and nothing prints")
        return EXIT_DRAINED
    say("the agent ended before it was drained; prints wait for its next start")
    return EXIT_ENDED_OTHERWISE
