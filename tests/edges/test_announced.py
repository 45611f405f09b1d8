"""Hosts that announce themselves, with a real responder; on loopback only.

PrusaLink's own announcements are listened to in edges/prusalink.
"""

import socket
import tomllib
from collections.abc import Iterator

import pytest
from zeroconf import ServiceInfo, Zeroconf

from agent.announced import on_network
from agent.discover import discover
from agent.found import Found, written
from agent.settings import AgentSettings
from tests.fakes.processes import run

LOOPBACK = ["127.0.0.1"]
HOSTS = 4  # that the network below announces and an agent can drive


class Responder:
    """What a network announces."""

    def __init__(self, network: Zeroconf) -> None:
        self._network = network

    def announce(
        self, kind: str, name: str, *, port: int, server: str, told: dict[str, str]
    ) -> None:
        service_type = f"_{kind}._tcp.local."
        info = ServiceInfo(
            service_type, f"{name}.{service_type}", port=port, properties=dict(told),
            server=f"{server}.local.", addresses=[socket.inet_aton("127.0.0.1")],
        )  # fmt: skip
        self._network.register_service(info, cooperating_responders=True)


@pytest.fixture(scope="module")
def network() -> Iterator[Responder]:
    network = Zeroconf(interfaces=LOOPBACK)
    here = Responder(network)
    told = {"path": "/", "version": "1.11.8", "api": "0.1"}
    here.announce("octoprint", 'OctoPrint instance "left"', port=5000, server="octopi", told=told)
    here.announce("http", 'OctoPrint instance "left"', port=5000, server="octopi", told=told)
    told = {"uuid": "c0ffee", "https_port": "", "version": "v0.11.0", "route_prefix": "/klipper/"}
    here.announce("moonraker", "Moonraker @ voron", port=7125, server="voron", told=told)
    # As PrusaLink 0.8 does it on a Pi; newer printers announce the first only.
    for kind in ("prusalink", "http", "octoprint"):
        here.announce(kind, "PrusaLink at mk3", port=80, server="mk3", told={"path": "/"})
    here.announce("http", "A scanner", port=8080, server="scanner", told={"path": "/"})
    # Anybody may announce anything.
    evil = {"version": '"\n[[printers]]\nid = "evil"', "path": '/" , x = "'}
    here.announce("moonraker", 'evil" ]', port=7126, server="e vil", told=evil)
    yield here
    network.close()


def found(*names_that_resolve: str) -> dict[str, Found]:
    here: list[Found] = []
    for listen_s in (1.5, 3.0, 6.0, 12.0):  # a machine with much to do answers late
        here = on_network(
            interfaces=LOOPBACK,
            listen_s=listen_s,
            leads_to=lambda host, _: host in names_that_resolve,
        )
        if len(here) >= HOSTS:
            break
    assert len({each.address for each in here}) == len(here)
    return {each.address: each for each in here}


def test_each_host_is_found_once_as_what_it_is(network: Responder) -> None:
    here = found("octopi.local")
    drivers = {address: each.driver for address, each in here.items()}
    assert drivers == {
        "http://octopi.local:5000": "octoprint",
        "http://127.0.0.1:7125/klipper": "moonraker",
        "http://127.0.0.1:7126": "moonraker",
        "http://127.0.0.1": "prusalink",
    }
    names = ("http://127.0.0.1:5000", "http://octopi.local:5000")
    assert here["http://octopi.local:5000"].names == names
    assert here["http://octopi.local:5000"].firmware == "OctoPrint 1.11.8"


def test_what_is_announced_can_be_pasted_and_says_nothing_that_it_should_not(
    network: Responder,
) -> None:
    lines = [
        line for number, each in enumerate(found().values(), 1) for line in written(each, number)
    ]
    text = "\n".join(lines)
    printers = AgentSettings.model_validate(tomllib.loads(text)).printers
    assert len(printers) == HOSTS
    assert not any(printer.id == "evil" for printer in printers)
    settings = {
        printer.driver: printer.settings for printer in printers if "e-vil" not in printer.id
    }
    assert settings["octoprint"] == {"url": "http://127.0.0.1:5000", "api_key": "?"}
    assert settings["prusalink"] == {
        "url": "http://127.0.0.1", "username": "maker", "api_key": "?"
    }  # fmt: skip
    assert "farmhand-agent octoprint-key http://127.0.0.1:5000" in text


def test_hosts_and_ports_are_listed_together_and_ports_that_are_named_alone(
    network: Responder, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    # Whoever runs the tests may have a printer there, which an opening resets.
    monkeypatch.setattr("agent.discover.find_ports", lambda: [("/dev/none", ())])
    assert discover([], lines.append, interfaces=LOOPBACK, boot_s=0.05) == 0
    assert 'driver = "moonraker"' in lines
    assert [line for line in lines if line.startswith("# /dev/none: ")]
    named = run("agent", "discover", "--interface", "127.0.0.1", "/dev/none")
    assert named.code == 1
    assert "moonraker" not in named.out


def test_a_network_that_is_not_there_is_said() -> None:
    [nothing] = on_network(interfaces=["192.0.2.77"], listen_s=0.1)
    assert nothing.trouble
