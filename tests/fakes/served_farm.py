"""A farm behind its real HTTP API and use cases: only the ports are fakes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
from aiohttp.test_utils import TestServer

from coordinator.adapters.access_tokens import SignedTokens
from coordinator.adapters.passwords import Argon2Passwords
from coordinator.adapters.pictures_folder import FolderPictures
from coordinator.api.agents import LOCAL, Welcome
from coordinator.api.app import build_app
from coordinator.domain.policy import Policy
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.farm import Farm
from coordinator.usecases.gate import Gate
from coordinator.usecases.sources import Sources
from protocols.wire.from_agent import (
    HostSample,
    Presence,
    PrinterDescription,
    PrinterSample,
    Reported,
    Telemetry,
)
from protocols.wire.vocabulary import (
    NEVER_LEASED,
    AgentId,
    Finding,
    JournalId,
    Level,
    PrinterId,
    PrinterState,
    Temperature,
)
from tests.fakes.api_judge import judge
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.fake_outside import FakeOutside
from tests.fakes.fake_slicer import FakeSlicer
from tests.fakes.fake_workshop import FakeWorkshop
from tests.fakes.manual_clock import CountingIds, ManualClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.recording_door import RecordingDoor
from tests.fakes.recording_link import RecordingLink

TOKEN = "a-token-for-tests-only"
UPLOAD_BYTES_MAX = 1_000_000
AGENT, JOURNAL, BOOT = AgentId("pi-1"), JournalId("journal-1"), "boot-1"


@dataclass
class ServedFarm:
    """The farm, the fakes behind it, and a session that shows the token."""

    folder: Path
    store: MemoryStore = field(default_factory=MemoryStore)
    slicer: FakeSlicer = field(default_factory=FakeSlicer)
    clock: ManualClock = field(default_factory=ManualClock)
    link: RecordingLink = field(default_factory=RecordingLink)
    door: RecordingDoor = field(default_factory=RecordingDoor)
    welcome: Welcome = LOCAL
    outside: FakeOutside = field(default_factory=FakeOutside)
    sources: Sources = field(default_factory=Sources)
    workshop: FakeWorkshop = field(default_factory=FakeWorkshop)
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        self._sequence = 0
        self.artifacts = FakeArtifacts(self.folder)
        self.farm = Farm(
            store=self.store,
            artifacts=self.artifacts,
            slicer=self.slicer,
            link=self.link,
            door=self.door,
            clock=self.clock,
            ids=CountingIds(),
            outside=self.outside,
            sources=self.sources,
            workshop=self.workshop,
            policy=self.policy,
            pictures=FolderPictures(self.folder / "pictures"),
        )
        self.gate = Gate(
            farm=self.farm,
            root_token=TOKEN,
            passwords=Argon2Passwords(memory_kib=8, passes=1),
            tokens=SignedTokens(b"a key for tests only, 32 bytes..."),
        )
        self.app = build_app(
            self.gate,
            upload_bytes_max=UPLOAD_BYTES_MAX,
            version="1.2.3",
            welcome=self.welcome,
        )

    async def printers_arrive(self, *printer_ids: str) -> None:
        """An agent connects, and reports and measures its printers."""
        ids = [PrinterId(printer_id) for printer_id in printer_ids]
        self.presence = Presence(
            agent_id=AGENT,
            online=True,
            boot_id=BOOT,
            connection_id="connection-1",
            journal_id=JOURNAL,
            protocol_min=1,
            protocol_max=1,
            printers=tuple(
                PrinterDescription(
                    printer_id=printer_id,
                    name=printer_id.upper(),
                    printer_class="farmhand-220",
                    driver="marlin_serial",
                    material="PLA",
                    commands=("dialogue", "picture", "send"),
                )
                for printer_id in ids
            ),
        )
        await absorb(self.farm, self.presence)
        for printer_id in ids:
            await absorb(self.farm, self._report(printer_id))
        warm = {"tool0": Temperature(21.5, 0.0), "bed": Temperature(20.0)}
        samples = tuple(
            PrinterSample(printer_id=printer_id, state=PrinterState.IDLE, temperatures=warm)
            for printer_id in ids
        )
        await absorb(self.farm, Telemetry(agent_id=AGENT, at_unix_s=0.0, printers=samples))

    def _report(self, printer_id: str) -> Reported:
        self._sequence += 1
        return Reported(
            agent_id=AGENT,
            printer_id=PrinterId(printer_id),
            journal_id=JOURNAL,
            boot_id=BOOT,
            sequence=self._sequence,
            epoch=NEVER_LEASED,
            revision=0,
            state=PrinterState.IDLE,
        )

    async def agent_leaves(self) -> None:
        """The agent says goodbye."""
        await absorb(self.farm, replace(self.presence, online=False))

    async def something_is_wrong(self, printer_id: str) -> None:
        """The agent reports a cable that loses lines, and a supply that is too weak."""
        loses = Finding(
            rule="resends",
            level=Level.WARNING,
            words="2.0% of the lines arrive broken",
            evidence={"ratio": 0.02},
        )
        await absorb(self.farm, replace(self._report(printer_id), findings=(loses,)))
        sags = Finding(rule="under_voltage", level=Level.ALARM, words="the supply is too weak")
        host = HostSample(under_voltage=True, under_voltage_seen=True, findings=(sags,))
        await absorb(self.farm, Telemetry(agent_id=AGENT, at_unix_s=0.0, printers=(), host=host))


@asynccontextmanager
async def served(farm: ServedFarm) -> AsyncIterator[aiohttp.ClientSession]:
    """Serve a farm on a free port; lend a session with its address and its token.

    In the end no answer may have been other than the API's document says.
    """
    untold: list[str] = []
    farm.app.middlewares.insert(0, judge(untold))
    server = TestServer(farm.app)
    await server.start_server()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    try:
        async with aiohttp.ClientSession(base_url=server.make_url("/"), headers=headers) as session:
            yield session
    finally:
        await server.close()
    assert untold == [], untold
