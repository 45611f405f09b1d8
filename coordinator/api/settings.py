"""The routes of settings: all that are in force, and those that people change while it runs."""

from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from coordinator.api.asking import FARM, taken, who
from coordinator.api.documents import Items, Moment
from coordinator.api.operating import MACHINE
from coordinator.api.render import API_ROOT, moment_or_null
from coordinator.api.routes import Route
from coordinator.chosen import ChosenSettings
from coordinator.domain.access import Permission
from coordinator.domain.choices import Change
from coordinator.errors import NotFound
from coordinator.setting_origins import SettingTold
from coordinator.settings import PREFIX
from coordinator.usecases import choosing


class ChangeDocument(TypedDict):
    """How a setting may be changed while the coordinator runs.

    `kind` is `yes_no`, `whole`, `number`, `text` or `amounts` (by unit). Null: `minimum` and
    `maximum` where there is no such bound; with `above` the value is more than the minimum.
    `waits`: it was changed, and is heeded from the next start on. `pinned` is where it is set
    instead (a flag, a variable), empty where it can be changed.
    """

    kind: str
    minimum: float | None
    maximum: float | None
    above: bool
    needs_restart: bool
    waits: bool
    pinned: str


class SettingDocument(TypedDict):
    """One setting; secrets are masked.

    `origin` is where it comes from: `default`, a flag, a variable, a credential, a file, or `page`
    where somebody changed it meanwhile; `words` say what it is for, `variable` is how the
    environment calls it. Null: `change` where only who starts the coordinator changes it,
    `changed_by` and `changed_at` where nobody did.
    """

    name: str
    value: Any
    origin: str
    is_secret: bool
    words: str
    variable: str
    change: ChangeDocument | None
    changed_by: str | None
    changed_at: Moment | None


class SettingForm(BaseModel):
    """Another value: true or false, a number, a text, or amounts by unit."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    value: bool | int | float | str | dict[str, float] = Field(examples=["22:00-07:00"])


async def list_settings(request: web.Request) -> web.Response:
    """Return all settings as they are in force, in the manual's order."""
    machine = request.app[MACHINE]
    told = machine.choices.told() if machine.choices is not None else machine.settings
    return web.json_response({"items": [_document(each, machine.choices) for each in told]})


async def change_setting(request: web.Request) -> web.Response:
    """Change a setting; it is kept, goes before a file, and history tells who did it."""
    name, form, choices = request.match_info["name"], taken(request, SettingForm), _choices(request)
    await choosing.choose(request.app[FARM], choices, name, form.value, *who(request))
    return _answer(choices, name)


async def reset_setting(request: web.Request) -> web.Response:
    """Go back to what the coordinator was started with."""
    name, choices = request.match_info["name"], _choices(request)
    await choosing.unchoose(request.app[FARM], choices, name, *who(request))
    return _answer(choices, name)


def _choices(request: web.Request) -> ChosenSettings:
    choices = request.app[MACHINE].choices
    if choices is None:
        raise NotFound("setting", request.match_info["name"])
    return choices


def _answer(choices: ChosenSettings, name: str) -> web.Response:
    told = next(each for each in choices.told() if each.name == name)
    return web.json_response(_document(told, choices))


def _document(told: SettingTold, choices: ChosenSettings | None) -> SettingDocument:
    change = choices.change_of(told.name) if choices is not None else None
    choice = choices.choice_of(told.name) if choices is not None else None
    waits = choices.waits(told.name) if choices is not None else False
    return {
        "name": told.name,
        "value": told.value,
        "origin": told.origin,
        "is_secret": told.is_secret,
        "words": told.words,
        "variable": f"{PREFIX}{told.name.upper()}",
        "change": _change_document(change, waits=waits) if change is not None else None,
        "changed_by": choice.chosen_by if choice is not None else None,
        "changed_at": moment_or_null(choice.chosen_at if choice is not None else None),
    }


def _change_document(change: Change, *, waits: bool) -> ChangeDocument:
    return {
        "kind": change.kind.value,
        "minimum": change.minimum,
        "maximum": change.maximum,
        "above": change.above,
        "needs_restart": change.needs_restart,
        "waits": waits,
        "pinned": change.pinned,
    }


_SETTING = f"{API_ROOT}/settings/{{name}}"

ROUTES = (
    Route(
        method="GET",
        path=f"{API_ROOT}/settings",
        handler=list_settings,
        needs=Permission.FARM_ADMIN,
        gives=Items[SettingDocument],
    ),
    Route(
        method="PUT",
        path=_SETTING,
        handler=change_setting,
        needs=Permission.FARM_ADMIN,
        takes=SettingForm,
        gives=SettingDocument,
        problems=("unknown_setting", "setting_fixed", "setting_invalid"),
    ),
    Route(
        method="DELETE",
        path=_SETTING,
        handler=reset_setting,
        needs=Permission.FARM_ADMIN,
        gives=SettingDocument,
        problems=("unknown_setting", "setting_fixed"),
    ),
)
