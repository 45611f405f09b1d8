"""amqtt as the embedded broker, in a process of its own: `python -m ... FILE`.

It costs forty times what mosquitto does and would take that from the coordinator's loop. The file
is JSON and says where it listens and who may enter.
"""

import asyncio
import json
import logging
import signal
import sys
from pathlib import Path
from typing import Any

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig

_DOOR = "coordinator.adapters.embedded_broker.amqtt_door.Door"
_ANYBODY = "amqtt.plugins.authentication.AnonymousAuthPlugin"


async def serve(told: dict[str, Any]) -> None:
    """Be a broker until SIGTERM.

    The library's default would listen on all interfaces, so nothing of it is used: our listeners,
    and the one plugin that says who may what.
    """
    door = told["door"]
    plugins = {_DOOR: door} if door is not None else {_ANYBODY: {"allow_anonymous": True}}
    # What the library calls default lends its TLS to all others that have none: so the plain one.
    *others, last = (_listener(each) for each in told["listeners"])
    named = {f"listener-{number}": each for number, each in enumerate(others, start=2)}
    broker = Broker(BrokerConfig(listeners={"default": last, **named}, plugins=plugins))
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    await broker.start()
    await asked.wait()
    await broker.shutdown()


def _listener(told: dict[str, Any]) -> ListenerConfig:
    host, port = told["host"], told["port"]
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if not told["tls"]:
        return ListenerConfig(bind=bind)
    certificate, key = told["tls"]
    return ListenerConfig(bind=bind, ssl=True, certfile=certificate, keyfile=key)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("transitions").setLevel(logging.ERROR)
    asyncio.run(serve(json.loads(Path(sys.argv[1]).read_text())))
