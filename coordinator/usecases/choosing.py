"""Settings changed by people while the farm runs, and taken back to what it was started with."""

import json

from coordinator.domain.choices import Choice
from coordinator.domain.effects import Note
from coordinator.errors import NotFound, NotNow
from coordinator.ports_choices import Choices
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import Writing, writing


async def choose(
    farm: Farm, choices: Choices, name: str, value: object, actor: str, origin: str = ""
) -> None:
    """Change a setting; what does not need a restart is in force when this returns.

    Raises:
        NotFound: there is no such setting.
        NotNow: `setting_fixed`: it is changed elsewhere.
        Refused: `setting_invalid`.
    """
    _check_may(choices, name)
    chosen = choices.checked(name, value)
    async with writing(farm, actor, origin) as transaction:
        choice = Choice(name=name, value=chosen, chosen_by=actor, chosen_at=transaction.now)
        before = {each.name: each for each in await transaction.unit.choices()}
        if name in before and before[name].value == chosen:
            return
        await transaction.unit.save_choice(choice)
        facts = {"value": _said(chosen), "was": _said(choices.value_of(name))}
        note = Note(subject="setting", subject_id=name, name="setting.changed", facts=facts)
        await transaction.perform((note,))
        await _take(transaction, choices)


async def unchoose(farm: Farm, choices: Choices, name: str, actor: str, origin: str = "") -> None:
    """Go back to what the coordinator was started with; nothing happens where that is so.

    Raises:
        NotFound, NotNow: as `choose`.
    """
    _check_may(choices, name)
    async with writing(farm, actor, origin) as transaction:
        if name not in {each.name for each in await transaction.unit.choices()}:
            return
        was = _said(choices.value_of(name))
        await transaction.unit.drop_choice(name)
        note = Note(subject="setting", subject_id=name, name="setting.reset", facts={"was": was})
        await transaction.perform((note,))
        await _take(transaction, choices)


async def heed(farm: Farm, choices: Choices) -> None:
    """Put in force what people chose, here or at another coordinator of the farm."""
    async with farm.store.read() as unit:
        choices.take(await unit.choices())


async def _take(transaction: Writing, choices: Choices) -> None:
    choices.take(await transaction.unit.choices())


def _check_may(choices: Choices, name: str) -> None:
    change = choices.change_of(name)
    if change is None:
        raise NotFound("setting", name)
    if change.pinned:
        raise NotNow("setting_fixed", f"{name} is set by {change.pinned}: change it there")


def _said(value: object) -> str:
    return json.dumps(value, sort_keys=True)
