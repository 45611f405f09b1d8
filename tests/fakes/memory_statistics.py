"""The statistics of a store in memory."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from coordinator.domain.estimates import measured_s_of
from coordinator.domain.plates import Plate
from coordinator.domain.printers import PrinterStatus
from coordinator.domain.runs import Run, RunState
from coordinator.domain.standing import Changed, Spell, SpellSum, Standing
from coordinator.domain.statistics import COUNTED, By, RunEntry, Span, Tally
from coordinator.domain.stock import drawn_g
from protocols.wire.vocabulary import PrinterId, RunId

if TYPE_CHECKING:
    from tests.fakes.memory_store import Tables


@dataclass
class StatisticsTables:
    """What was played of the history."""

    standings: dict[PrinterId, Standing] = field(default_factory=dict)
    spells: list[Spell] = field(default_factory=list)
    upto: int = 0

    def copy(self) -> "StatisticsTables":
        return StatisticsTables(
            standings=dict(self.standings), spells=list(self.spells), upto=self.upto
        )


class MemoryStatistics:
    """Implements `StatisticsUnit` of the ports on tables."""

    tables: "Tables"
    changed: bool

    async def tallies(self, by: By, span: Span, *, offset_min: int = 0) -> list[Tally]:
        grouped: dict[tuple[str, RunState], list[RunEntry]] = {}
        told: dict[tuple[str, RunState], list[tuple[float, float]]] = {}
        for run, entry in self._ended(span):
            place = self._key(by, entry, offset_min), entry.state
            grouped.setdefault(place, []).append(entry)
            plate, measured_s = self._plate(run), measured_s_of(run.facts)
            if run.state is RunState.FINISHED and plate and plate.time_s and measured_s is not None:
                told.setdefault(place, []).append((plate.time_s, measured_s))
        return [
            Tally(
                key=key,
                state=state,
                runs=len(entries),
                copies=sum(each.copies for each in entries),
                printed_s=sum(each.printed_s for each in entries),
                filament_g=sum(each.filament_g for each in entries),
                cost=sum(each.cost for each in entries),
                foretold_s=sum(each[0] for each in told.get((key, state), ())),
                measured_s=sum(each[1] for each in told.get((key, state), ())),
            )
            for (key, state), entries in grouped.items()
        ]

    async def reasons(self, span: Span) -> list[tuple[str, int]]:
        bad = (RunState.FAILED, RunState.LOST, RunState.DISCARDED)
        counted = Counter(entry.reason for _, entry in self._ended(span) if entry.state in bad)
        return sorted(counted.items(), key=lambda each: (-each[1], each[0]))

    async def run_entries(
        self, span: Span, *, after: tuple[datetime, RunId] | None, limit: int
    ) -> list[RunEntry]:
        entries = sorted(
            (entry for _, entry in self._ended(span)), key=lambda each: (each.ended_at, each.run_id)
        )
        return [each for each in entries if not after or (each.ended_at, each.run_id) > after][
            :limit
        ]

    async def spell_sums(self, span: Span) -> list[SpellSum]:
        sums: dict[tuple[PrinterId, PrinterStatus], tuple[float, int]] = {}
        for spell in self.tables.statistics.spells:
            if spell.until <= span.since or spell.since >= span.until:
                continue
            place = spell.printer_id, spell.status
            seconds, clearings = sums.get(place, (0.0, 0))
            lasted = min(spell.until, span.until) - max(spell.since, span.since)
            cleared = spell.cleared and spell.until < span.until
            sums[place] = (seconds + lasted.total_seconds(), clearings + cleared)
        return [
            SpellSum(printer_id=printer_id, status=status, seconds=seconds, clearings=clearings)
            for (printer_id, status), (seconds, clearings) in sums.items()
        ]

    async def standings(self) -> Mapping[PrinterId, Standing]:
        return self.tables.statistics.standings

    async def played_upto(self) -> int:
        return self.tables.statistics.upto

    async def printer_lines(self, *, after: int, upto: int) -> list[Changed]:
        return [
            Changed(
                at=datetime.fromisoformat(line.at),
                printer_id=PrinterId(line.subject_id),
                changes=json.loads(line.changes),
            )
            for line in self.tables.lines
            if after < line.number <= upto and line.subject == "printer"
        ]

    async def save_played(
        self, standings: Sequence[Standing], spells: Sequence[Spell], *, before: int, upto: int
    ) -> bool:
        known = self.tables.statistics
        if known.upto != before:
            return False
        self.changed = True
        known.standings |= {each.printer_id: each for each in standings}
        known.spells += spells
        known.upto = upto
        return True

    def _ended(self, span: Span) -> Iterator[tuple[Run, RunEntry]]:
        for run in self.tables.runs.values():
            if run.ended_at is None or not span.since <= run.ended_at < span.until:
                continue
            begun = run.started_at is not None or run.state is not RunState.STOPPED
            if run.state in COUNTED and begun:
                yield run, self._entry(run, run.ended_at)

    def _entry(self, run: Run, ended_at: datetime) -> RunEntry:
        job, printer = self.tables.jobs[run.job_id], self.tables.printers[run.printer_id]
        plate, measured_s = self._plate(run), measured_s_of(run.facts)
        spent = ended_at - run.started_at if run.started_at else timedelta()
        grams = drawn_g(run, plate) if plate else 0.0
        took = drawn_g(run, _weighing_one(plate)) if plate else 0.0
        return RunEntry(
            run_id=run.run_id,
            job_id=job.job_id,
            job_name=job.name,
            owner=job.owner,
            model_id=job.model_id,
            printer_id=printer.printer_id,
            printer_group=printer.printer_group,
            printer_class=printer.printer_class,
            material=(plate.material if plate else "") or job.material,
            state=run.state,
            reason=run.reason,
            copies=run.copies,
            leased_at=run.leased_at,
            started_at=run.started_at,
            ended_at=ended_at,
            printed_s=spent.total_seconds() if measured_s is None else measured_s,
            filament_g=grams,
            cost=took * (plate.cost or 0.0) if plate else 0.0,
        )

    def _plate(self, run: Run) -> Plate | None:
        found = (
            plate
            for plate in self.tables.plates.values()
            if plate.job_id == run.job_id and plate.sha256 == run.plate_sha256
        )
        return min(found, key=lambda plate: plate.printer_class, default=None)

    def _key(self, by: By, entry: RunEntry, offset_min: int) -> str:
        day = (entry.ended_at + timedelta(minutes=offset_min)).strftime("%Y-%m-%d")
        match by:
            case By.PRINTER:
                return entry.printer_id
            case By.GROUP:
                return entry.printer_group
            case By.CLASS:
                return entry.printer_class
            case By.MATERIAL:
                return entry.material
            case By.USER:
                return entry.owner
            case By.MODEL:
                return entry.model_id
            case By.PROVIDER:
                job = self.tables.jobs[entry.job_id]
                made = self.tables.library.versions.get((job.model_id, job.model_version))
                return made.origin.provider if made else ""
            case By.DAY:
                return day
            case By.MONTH:
                return day[:7]


def _weighing_one(plate: Plate) -> Plate:
    return replace(plate, filament_g=1.0)
