"""What every `Store` keeps to with statistics."""

from dataclasses import replace
from datetime import timedelta

import pytest

from coordinator.domain.history import FarmEvent
from coordinator.domain.printers import PrinterStatus
from coordinator.domain.runs import Run, RunState
from coordinator.domain.standing import FIELDS, Changed, Spell, SpellSum, Standing
from coordinator.domain.statistics import By, Span, Tally
from coordinator.ports import Store, Unit
from protocols.wire.vocabulary import Epoch, PrinterId, RunId
from tests.contracts.test_store_contract import JOB, NOW, PLATE, PRINTER, RUN
from tests.fakes.library_values import MODEL, VERSION

HOUR = timedelta(hours=1)
SPAN = Span(since=NOW, until=NOW + 24 * HOUR)
P2 = PrinterId("p2")
FIELDS_TOLD = dict.fromkeys(FIELDS, "")


def run(number: int, state: RunState, **given: object) -> Run:
    """A run that ended `number` hours after `NOW`, and printed for one."""
    ended = NOW + number * HOUR
    made = replace(
        RUN,
        run_id=RunId(f"run-{number:02}"),
        epoch=Epoch(number + 1),
        state=state,
        copies=2,
        started_at=ended - HOUR,
        ended_at=ended,
        reason="",
        facts={},
        layer=0,
    )
    return replace(made, **given)  # type: ignore[arg-type]


async def save_farm(unit: Unit, *runs: Run) -> None:
    await unit.save_job(JOB)
    await unit.save_job(replace(JOB, job_id="job-2", material="", owner="user:bo", model_id=""))
    await unit.save_printer(PRINTER)
    await unit.save_printer(replace(PRINTER, printer_id=P2, printer_group="", run_id=None))
    plate = replace(PLATE, filament_g=10.0, cost=2.0, time_s=3000.0, layer_count=8)
    await unit.save_plate(plate)
    await unit.save_plate(replace(plate, printer_class="another"))  # the same file
    await unit.save_plate(replace(plate, job_id="job-2", material="PETG"))
    for each in runs:
        await unit.save_run(each)


def about(tallies: list[Tally]) -> dict[tuple[str, str], tuple[object, ...]]:
    return {
        (each.key, each.state.value): (
            each.runs,
            each.copies,
            round(each.printed_s, 3),
            round(each.filament_g, 3),
            round(each.cost, 3),
            round(each.foretold_s, 3),
            round(each.measured_s, 3),
        )
        for each in tallies
    }


async def test_runs_are_tallied_where_they_ended(store: Store) -> None:
    measured = {"duration_s": 3300.5}
    async with store.write() as unit:
        await save_farm(
            unit,
            run(-1, RunState.FINISHED),  # before
            run(0, RunState.FINISHED, facts=measured),
            run(1, RunState.FINISHED),
            run(2, RunState.FAILED, layer=4, reason="line 7: cold"),
            run(3, RunState.FAILED, layer=4, job_id="job-2", printer_id=P2, reason="cold"),
            run(4, RunState.STOPPED, layer=99),
            run(5, RunState.STOPPED, started_at=None, layer=0),
            run(6, RunState.REVOKED, started_at=None),
            run(7, RunState.LOST, reason="cold"),
            run(8, RunState.DISCARDED, layer=2, reason="cold"),
            run(24, RunState.FINISHED),  # after
            run(30, RunState.PRINTING, ended_at=None),
        )
    async with store.read() as unit:
        by_printer = await unit.tallies(By.PRINTER, SPAN)
        assert about(by_printer) == {
            ("p1", "finished"): (2, 4, 6900.5, 20.0, 4.0, 3000.0, 3300.5),
            ("p1", "failed"): (1, 2, 3600.0, 5.0, 1.0, 0.0, 0.0),
            ("p1", "stopped"): (1, 2, 3600.0, 10.0, 2.0, 0.0, 0.0),
            ("p1", "lost"): (1, 2, 3600.0, 0.0, 0.0, 0.0, 0.0),
            ("p1", "discarded"): (1, 2, 3600.0, 2.5, 0.5, 0.0, 0.0),
            ("p2", "failed"): (1, 2, 3600.0, 5.0, 1.0, 0.0, 0.0),
        }
        keys = {by: {each.key for each in await unit.tallies(by, SPAN)} for by in By}
        assert keys == {
            By.PRINTER: {"p1", "p2"},
            By.GROUP: {"lab", ""},
            By.CLASS: {"mk4"},
            By.MATERIAL: {"PLA", "PETG"},
            By.USER: {JOB.owner, "user:bo"},
            By.MODEL: {"model-1", ""},
            By.PROVIDER: {""},
            By.DAY: {"2030-01-01"},
            By.MONTH: {"2030-01"},
        }
        assert await unit.reasons(SPAN) == [("cold", 3), ("line 7: cold", 1)]


async def test_days_are_those_of_who_asks(store: Store) -> None:
    async with store.write() as unit:
        await save_farm(unit, run(0, RunState.FINISHED), run(11, RunState.FINISHED))
    async with store.read() as unit:
        for offset_min, days in ((0, {"2030-01-01"}), (60, {"2030-01-01", "2030-01-02"})):
            found = await unit.tallies(By.DAY, SPAN, offset_min=offset_min)
            assert {each.key for each in found} == days
        months = await unit.tallies(By.MONTH, SPAN, offset_min=-13 * 60)
        assert {each.key for each in months} == {"2029-12", "2030-01"}


async def test_a_provider_is_that_of_the_version_that_was_printed(store: Store) -> None:
    made = replace(VERSION, model_id=JOB.model_id, number=JOB.model_version, origin=VERSION.origin)
    made = replace(made, origin=replace(made.origin, provider="meshy"))
    async with store.write() as unit:
        await save_farm(unit, run(1, RunState.FINISHED))
        await unit.save_model(replace(MODEL, model_id=JOB.model_id))
        await unit.add_model_version(made)
    async with store.read() as unit:
        assert [each.key for each in await unit.tallies(By.PROVIDER, SPAN)] == ["meshy"]


async def test_entries_come_page_by_page_in_the_order_of_their_ends(store: Store) -> None:
    async with store.write() as unit:
        runs = [run(hour, RunState.FINISHED) for hour in (3, 1, 2, 5)]
        await save_farm(unit, *runs, run(4, RunState.FAILED, layer=4, ended_at=NOW + 5 * HOUR))
    async with store.read() as unit:
        first = await unit.run_entries(SPAN, after=None, limit=3)
        last = (first[-1].ended_at, first[-1].run_id)
        second = await unit.run_entries(SPAN, after=last, limit=3)
    assert [each.run_id for each in (*first, *second)] == [
        *("run-01", "run-02", "run-03", "run-04", "run-05")
    ]
    failed = second[0]
    assert (failed.job_name, failed.owner, failed.printer_group) == (JOB.name, JOB.owner, "lab")
    assert (failed.material, failed.filament_g, failed.cost) == ("PLA", 5.0, 1.0)
    assert failed.started_at == NOW + 3 * HOUR
    assert failed.printed_s == pytest.approx(7200.0)


async def test_spells_are_summed_up_as_far_as_they_lie_in_the_span(store: Store) -> None:
    def spell(since: float, until: float, status: PrinterStatus, *, cleared: bool = False) -> Spell:
        return Spell(
            printer_id=PRINTER.printer_id,
            status=status,
            since=NOW + since * HOUR,
            until=NOW + until * HOUR,
            cleared=cleared,
        )

    waits = PrinterStatus.NEEDS_CLEARING
    spells = [
        spell(-3, -1, PrinterStatus.BUSY),
        spell(-1, 2, PrinterStatus.BUSY),
        spell(2, 3, waits, cleared=True),
        spell(3, 3.5, waits),
        spell(4, 5.5, PrinterStatus.BUSY),
        spell(23, 25, waits, cleared=True),
        spell(25, 26, PrinterStatus.IDLE),
    ]
    standing = Standing(
        printer_id=PRINTER.printer_id, status=None, since=NOW, fields={"online": True}
    )
    async with store.write() as unit:
        assert await unit.save_played([standing], spells, before=0, upto=7)
    async with store.write() as unit:
        assert not await unit.save_played([], spells, before=0, upto=9)
        idle = replace(standing, status=PrinterStatus.IDLE, fields=FIELDS_TOLD)
        assert await unit.save_played([idle], [], before=7, upto=8)
    async with store.read() as unit:
        assert await unit.played_upto() == 8
        assert await unit.standings() == {PRINTER.printer_id: idle}
        found = {each.status: each for each in await unit.spell_sums(SPAN)}
    assert found.keys() == {PrinterStatus.BUSY, waits}
    assert found[PrinterStatus.BUSY].seconds == pytest.approx(3.5 * 3600, abs=0.01)
    assert found[waits] == SpellSum(
        printer_id=PRINTER.printer_id,
        status=waits,
        seconds=pytest.approx(2.5 * 3600, abs=0.01),
        clearings=1,
    )


async def test_lines_about_printers_are_read_from_one_number_to_another(store: Store) -> None:
    def event(subject: str, subject_id: str, **changes: object) -> FarmEvent:
        return FarmEvent(
            subject=subject,
            subject_id=subject_id,
            name=f"{subject}.changed",
            at=NOW,
            actor="farm",
            changes=changes,  # type: ignore[arg-type]
        )

    async with store.write() as unit:
        await unit.record(
            event("printer", "p1", online=True),
            event("job", "job-1", state="ready"),
            event("printer", "p2", bed_state="clear"),
            event("printer", "p1", online=False),
        )
    async with store.read() as unit:
        lines = await unit.printer_lines(after=1, upto=3)
        assert lines == [Changed(at=NOW, printer_id=P2, changes={"bed_state": "clear"})]
        assert len(await unit.printer_lines(after=0, upto=99)) == 3
