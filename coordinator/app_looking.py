"""Wiring of what is seen and measured: pictures that nobody asks for, measurements that last."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from coordinator.adapters.measurements_file import MeasurementsFile
from coordinator.adapters.ticker import Bell
from coordinator.chosen import ChosenSettings
from coordinator.settings import Settings
from coordinator.usecases.farm import Farm
from coordinator.usecases.measuring import KEEP_S, keep, take_up
from coordinator.usecases.photographing import LOOK_S, Photographer


@asynccontextmanager
async def looking_bells(chosen: ChosenSettings, farm: Farm) -> AsyncIterator[Mapping[str, Bell]]:
    """Take up what was measured before, lend the work that goes on, and keep it in the end."""
    shelf = MeasurementsFile(chosen.now.state_dir / "measurements")
    photographer = Photographer(farm, every_s=chosen.now.pictures_every_s)

    def hear(settings: Settings) -> None:
        photographer.every_s = settings.pictures_every_s

    chosen.heard(hear)
    await take_up(farm, shelf)
    with farm.live.news.heard(photographer.hear):
        yield {
            "measurements": Bell(lambda: keep(farm, shelf), every_s=KEEP_S),
            # Two hands: what has just ended does not wait for a camera that does not answer.
            "pictures": Bell(photographer.look, every_s=LOOK_S, hands=2),
        }
    await keep(farm, shelf)
