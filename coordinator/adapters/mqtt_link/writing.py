"""A broker that goes while we write: the loop is asked to watch a socket only while that is open.

The library has the loop watch a socket one turn later, by its number. Where the connection is lost
in between, that number is nobody's, and the loop complains with a traceback; or somebody else's by
then, and the loop calls at each turn for good what has nothing to write any more.
"""

import asyncio
from typing import Any

import aiomqtt


def write_while_open(client: aiomqtt.Client) -> None:
    """Have a client write to its socket for as long as that is the one it has."""
    loop = asyncio.get_running_loop()
    paho: Any = client._client

    def write() -> None:
        try:
            paho.loop_write()
        except Exception as error:  # as the library does: the session ends of it
            if not client._disconnected.done():
                client._disconnected.set_exception(error)

    def watch(socket: Any) -> None:
        if paho.socket() is socket:
            loop.add_writer(socket, write)

    def register(_client: object, _data: object, socket: Any) -> None:
        # The first packet is written by another thread.
        loop.call_soon_threadsafe(watch, socket)

    paho.on_socket_register_write = register
