"""A whole `Farm` on fakes, and the shortest ways to give it something to do."""

from pathlib import Path

from coordinator.domain.jobs import Job
from coordinator.usecases import orders
from coordinator.usecases.farm import Farm
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.fake_slicer import FakeSlicer
from tests.fakes.manual_clock import CountingIds, ManualClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.recording_link import RecordingLink

GCODE = b"; made by hand\nG28\nG1 X10\n"
MODEL = b"solid cube\n"


def new_farm(folder: Path, **fields: object) -> Farm:
    """Return a farm on fakes; what is not given is fresh."""
    parts: dict[str, object] = {
        "store": MemoryStore(),
        "artifacts": FakeArtifacts(folder),
        "slicer": FakeSlicer(),
        "link": RecordingLink(),
        "clock": ManualClock(),
        "ids": CountingIds(),
    }
    return Farm(**{**parts, **fields})  # type: ignore[arg-type]


async def order_gcode(farm: Farm, **fields: object) -> Job:
    """Order a plate that is G-code already."""
    return await order_file(farm, GCODE, **{"file_name": "part.gcode", **fields})


async def order_model(farm: Farm, **fields: object) -> Job:
    """Order a model."""
    return await order_file(farm, MODEL, **{"file_name": "cube.stl", **fields})


async def order_file(farm: Farm, data: bytes, **fields: object) -> Job:
    """Order what these bytes are."""
    values: dict[str, object] = {"name": "part", "actor": "user:anna"}
    async with farm.artifacts.stage() as staged:
        await staged.write(data)
        return await orders.accept_order(farm, orders.Order(**{**values, **fields}), staged)  # type: ignore[arg-type]
