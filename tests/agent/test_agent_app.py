"""The whole agent: real broker, real file server, a scripted printer."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from agent.app import App
from agent.errors import NotPossible, SettingsInvalid
from agent.printers.driver import Capabilities, RunSeen, RunState
from agent.settings import AgentSettings
from protocols.wire.to_agent import (
    Assignment,
    StagedLease,
)
from protocols.wire.vocabulary import (
    BedPolicy,
    Epoch,
    Finding,
    JobId,
    Level,
    Mode,
    PrinterState,
    RunId,
)
from tests.fakes.granted_agent import PLATE, PRINTER, RUN, Coordinator, agent, farm
from tests.fakes.scripted_driver import ScriptedDriver


def clears_itself(settings: AgentSettings) -> AgentSettings:
    """The same agent, with a printer that pushes its prints off."""
    belt = settings.printers[0].model_copy(
        update={"bed_policy": BedPolicy.SELF_CLEARING, "ejection": ["M190 R30", "G1 Y200"]}
    )
    return settings.model_copy(update={"printers": [belt]})


NEXT = StagedLease(
    epoch=Epoch(2), assignment=Assignment(run_id=RunId("r2"), job_id=JobId("j1"), plate=PLATE)
)


async def hand_over(other: Coordinator) -> None:
    """Hand over the next lease while a run prints, and permit it in advance."""
    await other.want()
    await other.until(other.phase("printing"))
    await other.want(staged=(NEXT,))
    await other.until(lambda: bool(other.last and other.last.staged and other.last.staged[0].nonce))
    assert other.last is not None
    await other.want(staged=(replace(NEXT, permit=other.last.staged[0].nonce),))
    await other.until(lambda: bool(other.last and other.last.staged[0].permitted))


async def test_what_was_handed_over_starts_with_nobody_there(tmp_path: Path) -> None:
    async with farm(tmp_path) as (settings, other):
        driver = ScriptedDriver()
        async with agent(clears_itself(settings), driver):
            await hand_over(other)
            driver.took.clear()
            driver.proceed(RunState.FINISHED)
            async with asyncio.timeout(20):
                await driver.took.wait()
            assert driver.starts == ["r1", "r2"]
            assert driver.lines == ["M190 R30", "G1 Y200"]
            driver.proceed(RunState.FINISHED)
            await other.until(other.has("started", "finished", "started", "finished"))


async def test_an_ejection_that_breaks_off_starts_nothing(tmp_path: Path) -> None:
    async with farm(tmp_path) as (settings, other):
        driver = ScriptedDriver()
        async with agent(clears_itself(settings), driver):
            await hand_over(other)
            driver.fail["command"] = NotPossible("it hangs")
            driver.proceed(RunState.FINISHED)
            await other.until(lambda: bool(other.last and "broke off" in other.last.waits_for))
            assert driver.starts == ["r1"]
            assert other.last is not None
            assert (other.last.ejected, other.last.ejecting) == (0, False)


async def test_an_agent_that_began_anew_asks_again_for_what_it_was_handed(tmp_path: Path) -> None:
    async with farm(tmp_path) as (settings, other):
        driver = ScriptedDriver()
        async with agent(clears_itself(settings), driver):
            await hand_over(other)
        async with agent(clears_itself(settings), driver):
            await other.until(other.has("started", "released"))
            assert other.events[1].run_id == "r2"
            driver.proceed(RunState.FINISHED)
            await other.until(other.has("started", "released", "finished"))
            assert driver.starts == ["r1"]


def test_an_ejection_routine_needs_a_driver_that_takes_it(tmp_path: Path) -> None:
    settings = AgentSettings.model_validate(
        {
            "state_dir": tmp_path,
            "printers": [
                {
                    "id": PRINTER,
                    "printer_class": "test",
                    "bed_policy": "self_clearing",
                    "ejection": ["G1"],
                }
            ],
        }
    )

    class Mute(ScriptedDriver):
        capabilities = Capabilities(pause=True, recovers=True)

    with pytest.raises(SettingsInvalid, match="can't send the lines of `ejection`"):
        App(settings, lambda *_words, **_named: Mute())


async def test_a_run_goes_to_its_end_and_its_history_is_complete(tmp_path: Path) -> None:
    driver = ScriptedDriver()
    async with farm(tmp_path) as (settings, coordinator), agent(settings, driver):
        await coordinator.want()
        await coordinator.until(coordinator.phase("printing"))
        driver.proceed(RunState.FINISHED, line=100, lines_sent=103, resends=3)
        await coordinator.until(coordinator.has("started", "finished"))
        finished = coordinator.events[-1]
        assert finished.facts["resends"] == 3
        assert finished.occupation == 1
    assert driver.starts == ["r1"]


async def test_pause_resume_and_stop_are_obeyed(tmp_path: Path) -> None:
    driver = ScriptedDriver()
    async with farm(tmp_path) as (settings, coordinator), agent(settings, driver):
        await coordinator.want()
        await coordinator.until(coordinator.phase("printing"))
        await coordinator.want(mode=Mode.PAUSE)
        await coordinator.until(coordinator.phase("paused"))
        await coordinator.want(mode=Mode.RUN)
        await coordinator.until(coordinator.phase("printing"))
        await coordinator.want(mode=Mode.STOP)
        await coordinator.until(coordinator.has("started", "paused", "resumed", "stopped"))
    assert driver.starts == ["r1"]


async def test_a_stop_before_the_start_releases_the_run(tmp_path: Path) -> None:
    driver = ScriptedDriver()
    async with farm(tmp_path) as (settings, coordinator), agent(settings, driver):
        coordinator.grants = False
        await coordinator.want()
        await coordinator.until(lambda: bool(coordinator.last and coordinator.last.run
                                             and coordinator.last.run.nonce))  # fmt: skip
        await coordinator.want(mode=Mode.STOP)
        await coordinator.until(coordinator.has("released"))
    assert driver.starts == []


async def test_a_crash_between_commitment_and_start_is_lost_and_never_started_again(
    tmp_path: Path,
) -> None:
    driver = ScriptedDriver()
    driver.hang_after_start = True
    async with farm(tmp_path) as (settings, coordinator):
        async with agent(settings, driver):
            await coordinator.want()
            await coordinator.work_until(driver.took)
        after = ScriptedDriver()
        async with agent(settings, after):
            await coordinator.until(coordinator.has("lost"))
        assert (after.starts, after.calls) == ([], ["recover"])


async def test_a_crash_in_a_start_that_the_printer_took_goes_on_printing(tmp_path: Path) -> None:
    driver = ScriptedDriver()
    driver.hang_after_start = True
    async with farm(tmp_path) as (settings, coordinator):
        async with agent(settings, driver):
            await coordinator.want()
            await coordinator.work_until(driver.took)
        after = ScriptedDriver()
        after.see(state=PrinterState.PRINTING)
        after.recovered = RunSeen(run_id=RUN.run_id, state=RunState.PRINTING)
        async with agent(settings, after):
            await coordinator.until(coordinator.has("started"))
            after.proceed(RunState.FINISHED)
            await coordinator.until(coordinator.has("started", "finished"))
        assert after.starts == []


async def test_a_command_is_done_once_and_answered_each_time(tmp_path: Path) -> None:
    driver = ScriptedDriver()
    async with farm(tmp_path) as (settings, coordinator), agent(settings, driver):
        await coordinator.until(lambda: coordinator.last is not None)
        await coordinator.command("jog", "c1")
        await coordinator.command("jog", "c1")
        await coordinator.command("dance", "c2")
        await coordinator.until(lambda: len(coordinator.results) >= 2)
        assert coordinator.results[0].message == "jog done"
        await coordinator.until(lambda: any(r.id == "c2" for r in coordinator.results))
    assert driver.calls.count("command") == 1


async def test_what_is_wrong_with_printer_and_machine_is_said(tmp_path: Path) -> None:
    async with farm(tmp_path) as (settings, coordinator):
        driver = ScriptedDriver()
        async with agent(settings, driver):
            stalled = Finding(rule="heater_stalled.bed", level=Level.ALARM, words="it stays cold")
            driver.see(findings=(stalled,))
            await coordinator.until(
                lambda: coordinator.last is not None and coordinator.last.findings == (stalled,)
            )
            await coordinator.until(lambda: any(each.host for each in coordinator.samples))
            host = next(each.host for each in coordinator.samples if each.host)
            assert host.disk_free_bytes is not None


async def test_looking_and_stopping_wait_for_no_start_and_no_other_command(tmp_path: Path) -> None:
    driver = ScriptedDriver()
    driver.hang_after_start = True
    async with farm(tmp_path) as (settings, coordinator), agent(settings, driver):
        await coordinator.want()
        await coordinator.work_until(driver.took)
        for number, name in enumerate(("jog", "dialogue", "emergency_stop")):
            await coordinator.command(name, f"c{number}")
        await coordinator.until(lambda: len(coordinator.results) == 3)
        assert all(result.ok for result in coordinator.results)


async def test_a_run_that_fails_takes_its_dialogue_and_what_was_wrong_into_the_history(
    tmp_path: Path,
) -> None:
    driver = ScriptedDriver()
    async with farm(tmp_path) as (settings, coordinator), agent(settings, driver):
        await coordinator.want()
        await coordinator.until(coordinator.phase("printing"))
        loses = Finding(rule="resends", level=Level.ALARM, words="lines arrive broken")
        driver.see(findings=(loses,))
        driver.proceed(RunState.PAUSED)
        await coordinator.until(coordinator.has("started", "paused"))
        driver.proceed(RunState.FAILED, reason="it restarted", evidence=("> G1 X1", "< start"))
        await coordinator.until(coordinator.has("started", "paused", "failed"))
    started, paused, failed = coordinator.events
    assert not {"dialogue", "amiss"} & set(started.facts)
    assert str(paused.facts["amiss"]).startswith("lines arrive broken")
    assert failed.facts["dialogue"] == "> G1 X1\n< start"
    assert str(failed.facts["amiss"]).startswith("lines arrive broken")


async def test_a_drained_agent_prints_to_the_end_is_heard_and_takes_nothing_new(
    tmp_path: Path,
) -> None:
    driver = ScriptedDriver()
    async with farm(tmp_path) as (settings, coordinator), agent(settings, driver) as app:
        await coordinator.want()
        await coordinator.until(coordinator.phase("printing"))
        app.drain.ask()
        await coordinator.until(lambda: coordinator.draining)
        assert not app.drain.empty.is_set()
        driver.proceed(RunState.FINISHED)
        await coordinator.until(coordinator.has("started", "finished"))
        another = replace(RUN, run_id=RunId("r2"))
        await coordinator.want(epoch=Epoch(2), assignment=another, permit=None)
        await coordinator.until(lambda: coordinator.waits_for("drained"))
        await coordinator.work_until(app.drain.empty)
    assert driver.starts == ["r1"]
