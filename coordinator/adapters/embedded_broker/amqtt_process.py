"""amqtt as the embedded broker, in a process of its own: `python -m ... HOST PORT`.

It costs forty times what mosquitto does and would take that from the coordinator's loop.
"""

import asyncio
import logging
import signal
import sys

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig


async def serve(host: str, port: int) -> None:
    """Be a broker until SIGTERM.

    The library's default would listen on all interfaces, so nothing of it is used: one listener,
    and the one plugin that lets clients in.
    """
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    broker = Broker(
        BrokerConfig(
            listeners={"default": ListenerConfig(bind=where)},
            plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        )
    )
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    await broker.start()
    await asked.wait()
    await broker.shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("transitions").setLevel(logging.ERROR)
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
