"""What Home Assistant is told of devices, and what it was told before."""

from collections.abc import Callable, Collection, Hashable, Mapping
from contextlib import suppress

from coordinator.domain.automation.documents import reachable, tuned_document
from coordinator.domain.automation.topics import Message
from coordinator.domain.homeassistant.discovery import (
    Device,
    Discovery,
    agent_name,
    printer_name,
)
from coordinator.domain.homeassistant.farm_entities import agent_entities, farm_entities
from coordinator.domain.homeassistant.printer_entities import TUNED, Abilities, printer_entities
from coordinator.domain.homeassistant.verbs import UPDATE, verbs_of
from coordinator.domain.messages import TYPES
from coordinator.domain.printers import Agent
from coordinator.errors import FarmError
from coordinator.usecases import stock
from coordinator.usecases.farm import Farm
from coordinator.usecases.reading import PrinterView
from protocols.wire.vocabulary import AgentId, PrinterId

_FARM = "farm"
_HEATER = "temperature_"


class Discovering:
    """The devices of one farm.

    What a printer can is known once its agent has come since the coordinator began; until then what
    was told of it earlier stays.
    """

    def __init__(self, farm: Farm, discovery: Discovery, armed: Collection[str]) -> None:
        """Take how the farm is discovered.

        Args:
            armed: what may be asked beside the harmless; see `verbs`.
        """
        self._farm, self._discovery, self._armed = farm, discovery, frozenset(armed)
        self._materials: tuple[str, ...] = ()
        # By device: of hundreds of them each is looked at alone, and made only where it changed.
        self._told: dict[str, dict[str, bytes]] = {}
        self._made_of: dict[str, Hashable] = {}
        self._abilities: dict[PrinterId, Abilities] = {}

    async def begin(self, kept: Mapping[str, bytes]) -> None:
        """Take what a broker retains of this farm's devices, at the beginning of a session."""
        if "material" in self._armed and not self._materials:
            with suppress(FarmError):  # without a slicer there is still what each printer holds
                supplies = await stock.materials(self._farm)
                self._materials = tuple(each.name for each in supplies)
        self._told.clear()
        self._made_of.clear()
        for topic, payload in kept.items():
            if payload and (name := self._discovery.name_in(topic)):
                self._told.setdefault(name, {})[topic] = payload

    def farm(self) -> list[Message]:
        """Return what is new of the farm itself."""
        discovery = self._discovery
        return self._news(
            _FARM,
            discovery,
            lambda: Device(
                name=_FARM,
                shown="Farmhand",
                model="Print farm",
                version=discovery.version,
                entities=farm_entities(discovery.topics, tuple(TYPES)),
            ),
        )

    def agent(self, agent: Agent) -> list[Message]:
        """Return what is new of an agent."""
        topics, name = self._discovery.topics, agent_name(agent.agent_id)
        return self._news(
            name,
            agent.build,
            lambda: Device(
                name=name,
                shown=f"Agent {agent.agent_id}",
                model="Agent",
                version=agent.build,
                via=_FARM,
                online=topics.agent_online(agent.agent_id),
                entities=agent_entities(
                    topics,
                    agent.agent_id,
                    armed=UPDATE in self._armed,
                    told=self._discovery.form == "device",
                ),
            ),
        )

    def learns(self, view: PrinterView) -> bool:
        """Whether a printer can something else than was told."""
        printer_id = view.printer.printer_id
        return self._is_known(view) and self._can(view) != self._abilities.get(printer_id)

    def printer(self, view: PrinterView) -> list[Message]:
        """Return what is new of a printer."""
        printer, topics = view.printer, self._discovery.topics
        name = printer_name(printer.printer_id)
        if not self._is_known(view) and (printer.online or self._keys_told(name) is not None):
            return []
        can = self._abilities[printer.printer_id] = self._can(view)
        maker = f"Farmhand ({printer.driver})" if printer.driver else "Farmhand"
        shown, via = printer.name or printer.printer_id, agent_name(printer.agent_id)
        model, place = printer.printer_class, printer.location
        return self._news(
            name,
            (shown, model, maker, place, via, can),
            lambda: Device(
                name=name,
                shown=shown,
                model=model,
                maker=maker,
                place=place,
                via=via,
                online=topics.online(printer.printer_id),
                entities=printer_entities(topics, printer.printer_id, can),
            ),
        )

    def removed(
        self, printers: Collection[PrinterId], agents: Collection[AgentId]
    ) -> list[Message]:
        """Return what removes every device but these, and the farm's own."""
        there = {_FARM, *map(printer_name, printers), *map(agent_name, agents)}
        said: list[Message] = []
        for name in sorted(self._told.keys() - there):
            said += self._discovery.gone(name, self._told.pop(name))
            self._made_of.pop(name, None)
        return said

    def all(self) -> list[Message]:
        """Return everything that was told, once more."""
        return [
            Message(topic, payload)
            for told in self._told.values()
            for topic, payload in told.items()
        ]

    def _news(self, name: str, made_of: Hashable, make: Callable[[], Device]) -> list[Message]:
        """Return what is new of a device; `made_of` is all that it hangs on beside the settings."""
        if self._made_of.get(name) == made_of:
            return []
        told = self._told.setdefault(name, {})
        said = self._discovery.messages(make(), told)
        self._made_of[name] = made_of
        for message in said:
            if message.payload:
                told[message.topic] = message.payload
            else:
                told.pop(message.topic, None)
        return said

    def _is_known(self, view: PrinterView) -> bool:
        """Whether its agent has told all that entities hang on.

        It is waited for: what follows a first message within a second Home Assistant may overlook.
        """
        if view.printer.printer_id not in self._farm.live.commands:
            return False
        return view.sample is not None or not reachable(view.printer)

    def _can(self, view: PrinterView) -> Abilities:
        printer, sample = view.printer, view.sample.printer if view.sample is not None else None
        # What is not told of for a while is nothing that was taken away.
        known = self._abilities.get(printer.printer_id) or self._told_of(printer.printer_id)
        heaters = sample.temperatures if sample is not None else ()
        tuned = tuned_document(sample.tuning) if sample is not None and sample.tuning else {}
        verbs = verbs_of(can_pause=printer.can_pause, commands=view.commands, armed=self._armed)
        # As its owner writes it, where that is one of those that are known.
        names = {each.casefold(): each for each in (*self._materials, printer.material) if each}
        materials = sorted(names.values(), key=str.casefold) if "material" in verbs else ()
        return Abilities(
            verbs=verbs,
            heaters=tuple(sorted({*heaters, *known.heaters})),
            tuned=known.tuned | {name for name, value in tuned.items() if value is not None},
            materials=tuple(materials),
            camera="picture" in view.commands,
        )

    def _told_of(self, printer_id: PrinterId) -> Abilities:
        """Return the heaters, fans and factors that a printer was told to have."""
        keys = self._keys_told(printer_name(printer_id)) or []
        return Abilities(
            heaters=tuple(key.removeprefix(_HEATER) for key in keys if key.startswith(_HEATER)),
            tuned=frozenset(TUNED).intersection(keys),
        )

    def _keys_told(self, name: str) -> list[str] | None:
        """Return the entities that a device was told to have, None where it was not told of."""
        return self._discovery.keys_in(name, self._told.get(name, {}))
