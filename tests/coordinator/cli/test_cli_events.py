"""`farmhand events` against a served farm: who did what, when and why, and whether that is so."""

import json
from dataclasses import replace

import pytest

from coordinator.cli.events import LAST
from coordinator.cli.exits import Exit
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.fake_farm import order_gcode
from tests.fakes.served_farm import ServedFarm
from tests.fakes.story import lose_a_run


async def test_who_did_what_when_and_why_is_told(farm: ServedFarm, farmhand: Farmhand) -> None:
    run = await lose_a_run(farm.farm)
    ended = await farmhand("events", "--job", run.job_id)
    assert ended.code == Exit.OK
    lost = next(line for line in ended.out.splitlines() if "run.lost" in line)
    for said in (
        "agent:agent-a",
        run.run_id,
        "the agent's memory is new",
        "presence of",
        "state=lost",
    ):
        assert said in lost
    assert f"{farm.clock.now().astimezone():%Y-%m-%d %H:%M:%S}" in lost
    assert (await farmhand("events", "--job", "nobody")).code == Exit.FAILED


async def test_only_the_newest_are_shown_where_nothing_is_asked(
    farm: ServedFarm, farmhand: Farmhand
) -> None:
    for _ in range(LAST):
        await order_gcode(farm.farm)
    every = [line.number for line in farm.store.tables.lines]
    shown = (await farmhand("events", "--json")).out.splitlines()
    assert [json.loads(line)["number"] for line in shown] == every[-LAST:]
    shown = (await farmhand("events", "--last", "3", "--json")).out.splitlines()
    assert [json.loads(line)["number"] for line in shown] == every[-3:]


async def test_a_long_history_is_shown_whole_page_by_page(
    farm: ServedFarm, farmhand: Farmhand
) -> None:
    while len(farm.store.tables.lines) <= 500:
        await order_gcode(farm.farm)
    since = farm.clock.now().isoformat()
    shown = (await farmhand("events", "--since", since, "--json")).out.splitlines()
    assert len(shown) == len(farm.store.tables.lines)


async def test_since_is_a_time_or_how_long_ago(farm: ServedFarm, farmhand: Farmhand) -> None:
    await order_gcode(farm.farm)
    assert "job.received" in (await farmhand("events", "--since", "2000-01-01")).out
    assert "job.received" in (await farmhand("events", "--since", "90m")).out
    assert "nothing happened" in (await farmhand("events", "--since", "2100-01-01T12:00")).out
    assert (await farmhand("events", "--since", "noon")).code == Exit.USAGE


async def test_a_sound_history_is_proved_and_its_head_can_be_kept(
    farm: ServedFarm, farmhand: Farmhand
) -> None:
    await lose_a_run(farm.farm)
    ended = await farmhand("events", "verify")
    assert ended.code == Exit.OK
    [head] = [line[6:] for line in ended.out.splitlines() if line.startswith("head: ")]
    await order_gcode(farm.farm)
    assert (await farmhand("events", "verify", "--head", head)).code == Exit.OK
    other = await farmhand("events", "verify", "--head", f"{head[:-1]}{int(head[-1] != '1')}")
    assert other.code == Exit.FAILED
    assert "is not the one whose hash was kept" in other.err


@pytest.mark.parametrize("flags", [[], ["--json"]])
async def test_what_was_tampered_with_fails_and_is_named(
    farm: ServedFarm, farmhand: Farmhand, flags: list[str]
) -> None:
    await order_gcode(farm.farm)
    lines, jobs = farm.store.tables.lines, farm.store.tables.jobs
    lines[1] = replace(lines[1], actor="user:nobody")
    jobs.update({name: replace(job, priority=9) for name, job in jobs.items()})
    ended = await farmhand("events", "verify", *flags)
    assert ended.code == Exit.FAILED
    assert "event 2 is not what was written after event 1, and 1 more" in ended.err
    assert "priority is 9 in the table, but 0 by history" in ended.out
