"""What every `Store` keeps to with settings that people changed."""

from dataclasses import replace

from coordinator.domain.choices import Choice
from coordinator.ports import Store
from tests.contracts.test_store_contract import NOW

QUIET = Choice(name="quiet_hours", value="22:00-07:00", chosen_by="user:anna", chosen_at=NOW)


async def test_choices_come_back_as_they_were_saved_last_until_they_are_dropped(
    store: Store,
) -> None:
    amounts = replace(QUIET, name="budget_per_day", value={"USD": 2.5})
    yes = replace(QUIET, name="approve_jobs", value=True)
    async with store.write() as unit:
        for choice in (QUIET, amounts, replace(yes, value=False), yes):
            await unit.save_choice(choice)
    async with store.read() as unit:
        assert await unit.choices() == [yes, amounts, QUIET]
    async with store.write() as unit:
        await unit.drop_choice("quiet_hours")
        await unit.drop_choice("never_chosen")
    async with store.read() as unit:
        assert await unit.choices() == [yes, amounts]
