"""What use cases ask of simulated printers that run beside the coordinator: see `ports.py`."""

from typing import Protocol

from protocols.wire.vocabulary import AgentId

# Told apart from all others by this name, which no machine is given.
SIMULATED = AgentId("simulated")
PRINTERS_MAX = 6


class SimulatedFarm(Protocol):
    """An agent with simulated printers, as a process of the coordinator's own."""

    @property
    def allowed(self) -> bool:
        """Whether the settings let people start it."""

    @property
    def running(self) -> bool:
        """Whether it is wanted, and there."""

    @property
    def trouble(self) -> str:
        """Its last words, where it ended by itself; else empty."""

    async def start(self, token: str, *, printers: int, speed: float) -> None:
        """Start it; it enrols with the token, and presents its printers soon.

        It comes back with the coordinator until it is stopped.

        Raises:
            Unavailable: it can't be started.
        """

    async def stop(self) -> None:
        """End it, and remove all that it kept."""


class NoSimulatedFarm:
    """Where nobody may start one."""

    allowed = False
    running = False
    trouble = ""

    async def start(self, token: str, *, printers: int, speed: float) -> None:
        """Never called, because it is not allowed."""
        raise AssertionError

    async def stop(self) -> None:
        """Nothing runs."""
