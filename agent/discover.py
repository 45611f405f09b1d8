"""The command `farmhand-agent discover [PORT ...]`: what is here, ready for the configuration.

Serial ports are asked at all baud rates; hosts on the network announce themselves (announced.py).

A firmware is only asked for its name, in a line without number: that resets nothing, so that a
print which waits for its agent can still be gone on with. A port that an agent or another program
holds is left alone. The first opening of a port after it was plugged in resets most boards.
"""

import concurrent.futures
import functools
import json
import os
import select
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict

from agent.announced import on_network
from agent.errors import DriverUnavailable
from agent.found import Found, written
from agent.printers.baud_rates import BAUD_RATES
from agent.printers.serial_port import find_ports, open_port
from protocols.gcode import replies
from protocols.gcode.reply_parser import parse_reply

EXIT_FOUND = 0
EXIT_NOTHING_ANSWERS = 1

BOOT_S = 12.0  # at the first rate: a board that was reset by the opening boots for so long
ANSWER_S = 2.5
AGAIN_S = 1.0  # a boot loader, or noise of the rate before, eats a question
AT_ONCE_MAX = 8
NOISE_BYTES_MAX = 4096

_QUESTION = b"\nM115\n"
# Takes the ports that were named, and how long to wait for a first word.
Search = Callable[[Sequence[str], float], list[Found]]

_LIFE_SIGNS = (replies.Ok, replies.Temperatures, replies.Start, replies.Busy, replies.Wait)


def discover(
    ports: Sequence[str],
    say: Callable[[str], None],
    *,
    interfaces: Sequence[str] = (),
    skip: Sequence[str] = (),
    as_json: bool = False,
    boot_s: float = BOOT_S,
) -> int:
    """Look for printers and say what was found, as lines of TOML; returns one of the exit codes.

    Args:
        ports: ask only there; empty: everywhere.
        say: takes one line.
        interfaces: addresses of our own; hosts are looked for only there. Empty: everywhere.
        skip: ports that are not asked, by any of their names.
        as_json: say one line, a list of what was found.
        boot_s: to wait at most so long for a first word.
    """
    network = functools.partial(on_network, interfaces=interfaces) if interfaces else on_network
    serial = functools.partial(on_serial_ports, skip=skip)
    searches: tuple[Search, ...] = (serial, network)
    with concurrent.futures.ThreadPoolExecutor(len(searches)) as threads:
        found = [
            each
            for several in threads.map(lambda search: search(ports, boot_s), searches)
            for each in several
        ]
    answered = any(not each.trouble for each in found)
    if as_json:
        say(json.dumps([asdict(each) for each in found]))
        return EXIT_FOUND if answered else EXIT_NOTHING_ANSWERS
    if not found:
        say("# no serial port is here, and no host announces itself")
    for number, each in enumerate(found, start=1):
        for line in written(each, number):
            say(line)
    return EXIT_FOUND if answered else EXIT_NOTHING_ANSWERS


def on_serial_ports(
    ports: Sequence[str], boot_s: float, *, skip: Sequence[str] = ()
) -> list[Found]:
    """Ask on every serial port, or on those that are named; several at once."""
    left = {os.path.realpath(port) for port in skip}
    here = [(port, (port,)) for port in ports] or find_ports()
    here = [each for each in here if os.path.realpath(each[0]) not in left]
    if not here:
        return []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE_MAX) as threads:
        return list(threads.map(lambda each: ask(each[0], each[1], boot_s=boot_s), here))


def ask(
    device: str,
    names: tuple[str, ...],
    *,
    boot_s: float = BOOT_S,
    baud_rates: Iterable[int] = BAUD_RATES,
) -> Found:
    """Ask who is on a port, at one baud rate after the other. Blocks for half a minute at worst."""
    address, also = names[0] if names else device, (*names[1:], device)
    patience_s = boot_s
    for baud_rate in baud_rates:
        try:
            values = _answer(device, baud_rate, patience_s)
        except (DriverUnavailable, OSError) as error:
            return Found(address=address, names=also, trouble=str(error))
        if values is not None:
            return Found(
                address=address,
                names=also,
                firmware=values.get("FIRMWARE_NAME", ""),
                machine=values.get("MACHINE_TYPE", ""),
                baud_rate=baud_rate,
            )
        patience_s = min(ANSWER_S, boot_s)
    return Found(address=address, names=also, trouble="nobody answers at any baud rate")


def _answer(device: str, baud_rate: int, patience_s: float) -> dict[str, str] | None:
    """Return M115's values, empty if it only shows that it lives; None: nobody is understood."""
    port = open_port(device, baud_rate)
    try:
        now = time.monotonic()
        until_s, again_s, lives, tail = now + patience_s, now, False, b""
        while now < until_s:
            if now >= again_s:
                with suppress(BlockingIOError):
                    os.write(port.fileno(), _QUESTION)
                again_s = now + AGAIN_S
            if select.select([port.fileno()], [], [], min(again_s, until_s) - now)[0]:
                data = os.read(port.fileno(), NOISE_BYTES_MAX)
                if not data:
                    raise OSError("the port was closed at the other end")
                *lines, tail = (tail[-NOISE_BYTES_MAX:] + data).split(b"\n")
                for reply in map(parse_reply, lines):
                    if isinstance(reply, replies.FirmwareInfo):
                        return dict(reply.values)
                    if isinstance(reply, _LIFE_SIGNS) and not lives:
                        lives, until_s = True, max(until_s, now + ANSWER_S)
            now = time.monotonic()
        return {} if lives else None
    finally:
        port.close()
