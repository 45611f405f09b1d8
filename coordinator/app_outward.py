"""The wiring of what the farm says to the outside: to endpoints, and to people."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from coordinator.adapters.outbound.guarded_http import guarded_http
from coordinator.adapters.outbound.reach import reach_of
from coordinator.adapters.people.mail import Mail, server_of
from coordinator.adapters.people.ntfy import Ntfy
from coordinator.adapters.ticker import Bell
from coordinator.chosen import ChosenSettings
from coordinator.domain.notices import Pace, quiet_hours
from coordinator.errors import SettingsInvalid
from coordinator.ports_outward import Outside, People
from coordinator.settings import Settings
from coordinator.usecases.delivering import Courier
from coordinator.usecases.farm import Farm
from coordinator.usecases.noticing import Herald, note_material_wanted

_NOTICES = "notices by "


@asynccontextmanager
async def outside_of(settings: Settings) -> AsyncIterator[Outside]:
    """Lend the way to the outside, as far as the settings let it reach.

    Raises:
        SettingsInvalid: they name what can't be reached.
    """
    try:
        reach = reach_of(settings.outbound_networks)
    except ValueError as error:
        raise _invalid("outbound_networks", error) from error
    async with guarded_http(reach) as outside:
        yield outside


def outward_bells(chosen: ChosenSettings, farm: Farm, courier: Courier) -> Mapping[str, Bell]:
    """Return the work that tells the outside.

    Raises:
        SettingsInvalid: a way to people is none.
    """
    bells = {
        "webhooks": Bell(courier.look, every_s=1.0),
        "material": Bell(lambda: note_material_wanted(farm), every_s=30.0),
    }
    heralds = [Herald(farm, people, Pace(), ()) for people in people_of(chosen.now, farm.outside)]

    def hear(settings: Settings) -> None:
        for herald in heralds:
            herald.keep_to(_pace(settings), _words(settings.notices))

    _pace(chosen.now)  # also where nobody is told yet
    chosen.heard(hear)
    return bells | {
        f"{_NOTICES}{herald.name}": Bell(herald.look, every_s=5.0) for herald in heralds
    }


def _pace(settings: Settings) -> Pace:
    try:
        return Pace(gather_s=settings.notices_gather_s, quiet=quiet_hours(settings.quiet_hours))
    except ValueError as error:
        raise _invalid("quiet_hours", error) from error


def ways_to_people(settings: Settings) -> list[str]:
    """Return the names of the bells that tell people."""
    named = {"email": settings.smtp_url, "ntfy": settings.ntfy_url}
    return [_NOTICES + name for name, url in named.items() if url.get_secret_value()]


def people_of(settings: Settings, outside: Outside) -> list[People]:
    """Return the ways to people that the settings name.

    Raises:
        SettingsInvalid: one of them is none.
    """
    ways: list[People] = []
    if url := settings.smtp_url.get_secret_value():
        try:
            server = server_of(url)
        except ValueError as error:
            raise _invalid("smtp_url", error) from error
        ways.append(Mail(server, sender=settings.mail_from, recipients=_words(settings.mail_to)))
    if url := settings.ntfy_url.get_secret_value():
        try:
            ways.append(Ntfy(outside, url=url, token=settings.ntfy_token.get_secret_value()))
        except ValueError as error:
            raise _invalid("ntfy_url", error) from error
    return ways


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _invalid(name: str, error: ValueError) -> SettingsInvalid:
    """Return what is wrong, without the value: it may be a secret."""
    return SettingsInvalid(f"the setting {name!r} can't be used: {error}")
