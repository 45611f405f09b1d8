"""A fake OctoPrint as a process, whose printer prints and tells so once a second: `PORT`."""

import asyncio
import sys

from tests.fakes.fake_octoprint import FakeOctoPrint

TICK_S = 1.0  # what the driver asks for


async def main(port: int) -> None:
    """Serve until killed."""
    fake = FakeOctoPrint(port=port)
    await fake.start()
    await fake.print_foreign()
    while True:
        fake.heaters["tool0"] += 0.01
        # Hosts don't tell in step: each message wakes the agent.
        await asyncio.gather(fake.tick(TICK_S), asyncio.sleep(TICK_S))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
