"""The part of a `Unit` that is about statistics; the contracts stand in the port."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Float,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from coordinator.adapters.db import chain, library_tables, mapping, statistics_tables, tables
from coordinator.adapters.db.history_unit import HistoryUnit
from coordinator.adapters.db.saving import saving
from coordinator.adapters.db.threads import whole
from coordinator.domain.printers import PrinterStatus
from coordinator.domain.runs import RunState
from coordinator.domain.standing import Changed, Spell, SpellSum, Standing
from coordinator.domain.statistics import COUNTED, By, RunEntry, Span, Tally
from coordinator.domain.stock import TAKES
from protocols.wire.vocabulary import PrinterId, RunId

_JOBS = tables.table(tables.JobRow)
_RUNS = tables.table(tables.RunRow)
_PLATES = tables.table(tables.PlateRow)
_PRINTERS = tables.table(tables.PrinterRow)
_VERSIONS = tables.table(library_tables.ModelVersionRow)
_STANDINGS = tables.table(statistics_tables.StandingRow)
_SPELLS = tables.table(statistics_tables.SpellRow)
_PLAYED = tables.table(statistics_tables.PlayedRow)
_SAVE_STANDING = saving(_STANDINGS, "printer_id")
_REASONS_MAX = 20_000


class _SecondsBetween(FunctionElement[float]):
    """Seconds from one time to another."""

    type = Float()
    inherit_cache = True


class _DayOf(FunctionElement[str]):
    """The first so many characters of a time's date, so many minutes ahead of UTC."""

    type = String()
    inherit_cache = True


@compiles(_SecondsBetween, "sqlite")
def _seconds_in_sqlite(element: Any, compiler: SQLCompiler, **kwargs: Any) -> str:
    begun, ended = (compiler.process(each, **kwargs) for each in element.clauses)
    return f"((julianday({ended}) - julianday({begun})) * 86400.0)"


@compiles(_SecondsBetween, "postgresql")
def _seconds_in_postgresql(element: Any, compiler: SQLCompiler, **kwargs: Any) -> str:
    begun, ended = (compiler.process(each, **kwargs) for each in element.clauses)
    return f"CAST(extract(epoch FROM ({ended}) - ({begun})) AS double precision)"


@compiles(_DayOf, "sqlite")
def _day_in_sqlite(element: Any, compiler: SQLCompiler, **kwargs: Any) -> str:
    at, offset_min, characters = (compiler.process(each, **kwargs) for each in element.clauses)
    return f"substr(datetime({at}, {offset_min} || ' minutes'), 1, {characters})"


@compiles(_DayOf, "postgresql")
def _day_in_postgresql(element: Any, compiler: SQLCompiler, **kwargs: Any) -> str:
    at, offset_min, characters = (compiler.process(each, **kwargs) for each in element.clauses)
    ahead = f"make_interval(mins => CAST({offset_min} AS integer))"
    return f"substr(to_char({at} + {ahead}, 'YYYY-MM-DD'), 1, CAST({characters} AS integer))"


def _of(*states: RunState) -> ColumnElement[bool]:
    # Added to nothing, so that no index of states is used: that of ends leaves out far more.
    return (_RUNS.c.state + "").in_([state.value for state in states])


_IS_COUNTED = and_(_of(*COUNTED), or_(~_of(RunState.STOPPED), _RUNS.c.started_at.is_not(None)))
_SINCE = bindparam("since", type_=_RUNS.c.ended_at.type)
_UNTIL = bindparam("until", type_=_RUNS.c.ended_at.type)
_ENDED_THEN = and_(_RUNS.c.ended_at >= _SINCE, _RUNS.c.ended_at < _UNTIL, _IS_COUNTED)
_SPENT_S = func.coalesce(_SecondsBetween(_RUNS.c.started_at, _RUNS.c.ended_at), 0.0)
_DURATION_S = _RUNS.c.facts["duration_s"].as_float()
_PRINTED_S = func.coalesce(_DURATION_S, _SPENT_S)
_FORETELLS = and_(_of(RunState.FINISHED), _PLATES.c.time_s > 0, _DURATION_S.is_not(None))
# As `stock.drawn_g` has it.
_TOOK = case(
    (or_(~_of(*TAKES), _RUNS.c.started_at.is_(None)), 0.0),
    (_of(RunState.FINISHED), 1.0),
    (
        _PLATES.c.layer_count > 0,
        case(
            (_RUNS.c.layer >= _PLATES.c.layer_count, 1.0),
            else_=_RUNS.c.layer * 1.0 / _PLATES.c.layer_count,
        ),
    ),
    else_=0.0,
)
_FILAMENT_G = func.coalesce(_PLATES.c.filament_g * _TOOK, 0.0)
_COST = func.coalesce(_PLATES.c.cost * _TOOK, 0.0)
_MATERIAL = func.coalesce(func.nullif(_PLATES.c.material, ""), _JOBS.c.material)
_OFFSET_MIN: BindParameter[int] = bindparam("offset_min", type_=Integer())
_KEYS: Mapping[By, ColumnElement[str]] = {
    By.PRINTER: _RUNS.c.printer_id,
    By.GROUP: _PRINTERS.c.printer_group,
    By.CLASS: _PRINTERS.c.printer_class,
    By.MATERIAL: _MATERIAL,
    By.USER: _JOBS.c.owner,
    By.MODEL: _JOBS.c.model_id,
    By.PROVIDER: func.coalesce(_VERSIONS.c.origin_provider, ""),
    By.DAY: _DayOf(_RUNS.c.ended_at, _OFFSET_MIN, literal(10)),
    By.MONTH: _DayOf(_RUNS.c.ended_at, _OFFSET_MIN, literal(7)),
}
# One plate of each run: a file that is given may stand there for several classes.
_PLATE_CLASS = (
    select(func.min(_PLATES.c.printer_class))
    .where(_PLATES.c.job_id == _RUNS.c.job_id, _PLATES.c.sha256 == _RUNS.c.plate_sha256)
    .correlate(_RUNS)
    .scalar_subquery()
)
_WHOLE_RUNS = (
    _RUNS.join(_JOBS, _JOBS.c.job_id == _RUNS.c.job_id)
    .join(_PRINTERS, _PRINTERS.c.printer_id == _RUNS.c.printer_id)
    .outerjoin(
        _PLATES,
        and_(_PLATES.c.job_id == _RUNS.c.job_id, _PLATES.c.printer_class == _PLATE_CLASS),
    )
)
_WITH_VERSIONS = _WHOLE_RUNS.outerjoin(
    _VERSIONS,
    and_(_VERSIONS.c.model_id == _JOBS.c.model_id, _VERSIONS.c.number == _JOBS.c.model_version),
)


def _tallied(by: By) -> Select[Any]:
    key = _KEYS[by].label("key")
    return (
        select(
            key,
            _RUNS.c.state,
            func.count().label("runs"),
            func.sum(_RUNS.c.copies).label("copies"),
            func.sum(_PRINTED_S).label("printed_s"),
            func.sum(_FILAMENT_G).label("filament_g"),
            func.sum(_COST).label("cost"),
            func.sum(case((_FORETELLS, _PLATES.c.time_s), else_=0.0)).label("foretold_s"),
            func.sum(case((_FORETELLS, _DURATION_S), else_=0.0)).label("measured_s"),
        )
        .select_from(_WITH_VERSIONS if by is By.PROVIDER else _WHOLE_RUNS)
        .where(_ENDED_THEN)
        .group_by("key", _RUNS.c.state)
    )


_TALLIES = {by: _tallied(by) for by in By}
_COUNT = func.count()
_REASONS = (
    select(_RUNS.c.reason, _COUNT)
    .where(_ENDED_THEN, _of(RunState.FAILED, RunState.LOST, RunState.DISCARDED))
    .group_by(_RUNS.c.reason)
    .order_by(_COUNT.desc(), _RUNS.c.reason)
    .limit(_REASONS_MAX)
)
_PLACE = (_RUNS.c.ended_at, _RUNS.c.run_id)
_ENTRIES = (
    select(
        *(_RUNS.c[name] for name in ("run_id", "job_id", "printer_id", "state", "reason")),
        *(_RUNS.c[name] for name in ("copies", "leased_at", "started_at", "ended_at")),
        _JOBS.c.name.label("job_name"),
        _JOBS.c.owner,
        _JOBS.c.model_id,
        _PRINTERS.c.printer_group,
        _PRINTERS.c.printer_class,
        _MATERIAL.label("material"),
        _PRINTED_S.label("printed_s"),
        _FILAMENT_G.label("filament_g"),
        _COST.label("cost"),
    )
    .select_from(_WHOLE_RUNS)
    .where(_ENDED_THEN)
    .order_by(*_PLACE)
    .limit(bindparam("limit"))
)
_BEGUN = case((_SPELLS.c.since < _SINCE, _SINCE), else_=_SPELLS.c.since)
_STOPPED = case((_SPELLS.c.until > _UNTIL, _UNTIL), else_=_SPELLS.c.until)
_CLEARED = case((and_(_SPELLS.c.cleared, _SPELLS.c.until < _UNTIL), 1), else_=0)
_SPELL_SUMS = (
    select(
        _SPELLS.c.printer_id,
        _SPELLS.c.status,
        func.sum(_SecondsBetween(_BEGUN, _STOPPED)).label("seconds"),
        func.sum(_CLEARED).label("clearings"),
    )
    .where(_SPELLS.c.until > _SINCE, _SPELLS.c.since < _UNTIL)
    .group_by(_SPELLS.c.printer_id, _SPELLS.c.status)
)
_PRINTER_LINES = (
    select(chain.EVENTS.c.at, chain.EVENTS.c.subject_id, chain.EVENTS.c.changes)
    .where(
        chain.EVENTS.c.number > bindparam("after"),
        chain.EVENTS.c.number <= bindparam("upto"),
        chain.EVENTS.c.subject == "printer",
    )
    .order_by(chain.EVENTS.c.number)
)
_SAVE_SPELL = insert(_SPELLS)
_MOVE_ON = (
    update(_PLAYED).where(_PLAYED.c.number == bindparam("before")).values(number=bindparam("upto"))
)


class SqlStatisticsUnit(HistoryUnit):
    """Runs and spells, summed up in one transaction."""

    async def tallies(self, by: By, span: Span, *, offset_min: int = 0) -> list[Tally]:
        """Return what the runs that ended in a span amount to, by key and state."""
        given: dict[str, Any] = {"since": span.since, "until": span.until}
        if by in (By.DAY, By.MONTH):
            given["offset_min"] = offset_min
        rows = await self._summed(_TALLIES[by], given)
        return [Tally(**{**row, "state": RunState(row["state"])}) for row in rows]

    async def reasons(self, span: Span) -> list[tuple[str, int]]:
        """Return why runs failed or were lost that ended in a span, and how many of each."""
        rows = await self._summed(_REASONS, {"since": span.since, "until": span.until})
        return [tuple(row.values()) for row in rows]

    async def run_entries(
        self, span: Span, *, after: tuple[datetime, RunId] | None, limit: int
    ) -> list[RunEntry]:
        """Return a page of the runs that ended in a span, in the order of their ends."""
        wanted, since = _ENTRIES, span.since
        if after is not None:
            since = max(since, after[0])  # or each page would be looked for from the first on
            last = tuple_(bindparam(None, after[0], type_=_RUNS.c.ended_at.type), after[1])
            wanted = wanted.where(tuple_(*_PLACE) > last)
        given = {"since": since, "until": span.until, "limit": limit}
        rows = await self._summed(wanted, given)
        return [RunEntry(**{**row, "state": RunState(row["state"])}) for row in rows]

    async def spell_sums(self, span: Span) -> list[SpellSum]:
        """Return what the spells of each printer amount to within a span, by status."""
        rows = await self._summed(_SPELL_SUMS, {"since": span.since, "until": span.until})
        return [SpellSum(**{**row, "status": PrinterStatus(row["status"])}) for row in rows]

    async def standings(self) -> Mapping[PrinterId, Standing]:
        """Return how each printer stood when its lines were last played."""
        rows = self._connection.execute(select(_STANDINGS)).mappings()
        found = (
            Standing(**{**row, "status": PrinterStatus(row["status"]) if row["status"] else None})
            for row in rows
        )
        return {standing.printer_id: standing for standing in found}

    async def played_upto(self) -> int:
        """Return the number of the last line of history that was played; 0 for none."""
        return self._connection.execute(select(_PLAYED.c.number)).scalar() or 0

    async def printer_lines(self, *, after: int, upto: int) -> list[Changed]:
        """Return what some lines of history changed in printers."""
        rows = self._connection.execute(_PRINTER_LINES, {"after": after, "upto": upto})
        return [
            Changed(
                at=datetime.fromisoformat(at),
                printer_id=PrinterId(printer_id),
                changes=json.loads(changes),
            )
            for at, printer_id, changes in rows
        ]

    async def save_played(
        self, standings: Sequence[Standing], spells: Sequence[Spell], *, before: int, upto: int
    ) -> bool:
        """Keep what playing lines amounts to, unless somebody else did."""
        if not await self.played_upto() and not before:
            self._connection.execute(
                saving(_PLAYED, "id")[self._connection.dialect.name], {"id": 1, "number": 0}
            )
        moved = self._connection.execute(_MOVE_ON, {"before": before, "upto": upto})
        if not moved.rowcount:
            return False
        save = _SAVE_STANDING[self._connection.dialect.name]
        if standings:
            self._connection.execute(
                save, [{**mapping.to_row(each), "status": each.status or ""} for each in standings]
            )
        if spells:
            self._connection.execute(_SAVE_SPELL, [mapping.to_row(each) for each in spells])
        return True

    async def _summed(
        self, statement: Select[Any], given: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the rows of a statement that may take long."""
        return await whole(
            lambda: [
                dict(row) for row in self._connection.execute(statement, dict(given)).mappings()
            ]
        )
