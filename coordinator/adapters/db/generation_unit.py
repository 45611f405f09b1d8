"""The part of a `Unit` that is about generations; the contracts stand in the port."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    String,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from coordinator.adapters.db import generation_mapping as mapping
from coordinator.adapters.db import generation_tables
from coordinator.adapters.db.saving import saving
from coordinator.adapters.db.tables import table
from coordinator.domain.generations import AT_PROVIDER, ENDED, Generation, GenerationState
from coordinator.domain.ledger import Entry
from coordinator.domain.library import Place
from coordinator.ports_generations import GenerationsWanted

_ALL = table(generation_tables.GenerationRow)
_ENTRIES = table(generation_tables.EntryRow)


def _written(states: Iterable[GenerationState]) -> list[ColumnElement[str]]:
    """Return states as they stand in a statement: given besides, it is written anew each time."""
    return [literal_column(f"'{state.value}'") for state in states]


# What a request says in words.
_WORDS = ("name", "prompt", "url")

_SAVE = saving(_ALL, "generation_id")
_SAVE_ENTRY = saving(_ENTRIES, "generation_id", "submit")
_ONE = select(_ALL).where(_ALL.c.generation_id == bindparam("id"))
_FREE = or_(_ALL.c.worker == "", _ALL.c.leased_until < bindparam("now"))
_WANTED = GenerationState.WANTED.value
_DUE = (
    select(_ALL)
    .where(_ALL.c.next_at <= bindparam("now"), _ALL.c.state != _WANTED, _FREE)
    .order_by(_ALL.c.next_at, _ALL.c.generation_id)
    .limit(bindparam("limit"))
)
_WAITING = (
    select(_ALL)
    .where(
        _ALL.c.provider == bindparam("provider"),
        _ALL.c.state == _WANTED,
        _ALL.c.next_at <= bindparam("now"),
        _FREE,
    )
    .order_by(_ALL.c.created_at, _ALL.c.generation_id)
    .limit(bindparam("limit"))
)
_OPEN = (
    select(func.count())
    .select_from(_ALL)
    .where(
        _ALL.c.owner == bindparam("owner"),
        # Those that have ended are many, and not even looked at.
        _ALL.c.state.in_(_written(state for state in GenerationState if state not in ENDED)),
    )
)
_TAKEN = (
    select(func.count())
    .select_from(_ALL)
    .where(
        _ALL.c.provider == bindparam("provider"),
        _ALL.c.state.in_(_written(AT_PROVIDER)),
    )
)
_NEWEST = (_ALL.c.created_at.desc(), _ALL.c.generation_id.desc())
_LIKE = (
    select(_ALL)
    .where(
        _ALL.c.fingerprint == bindparam("fingerprint"),
        _ALL.c.state == GenerationState.DONE.value,
        _ALL.c.model_id != "",
    )
    .order_by(*_NEWEST)
    .limit(1)
)
_OF_TASK = (
    select(_ALL)
    .where(_ALL.c.provider == bindparam("provider"), _ALL.c.task_id == bindparam("task_id"))
    .order_by(*_NEWEST)
    .limit(1)
)
_LET_GO = update(_ALL).where(_ALL.c.worker == bindparam("who")).values(worker="", leased_until=None)
_ENTRIES_OF = (
    select(_ENTRIES).where(_ENTRIES.c.generation_id == bindparam("id")).order_by(_ENTRIES.c.submit)
)
_SPENT = select(
    func.coalesce(func.sum(func.coalesce(_ENTRIES.c.charged, _ENTRIES.c.reserved)), 0)
).where(_ENTRIES.c.day == bindparam("day"), _ENTRIES.c.unit == bindparam("unit"))

_SPENDINGS = (
    select(
        _ENTRIES.c.provider,
        _ENTRIES.c.unit,
        func.sum(func.coalesce(_ENTRIES.c.charged, _ENTRIES.c.reserved)),
    )
    .where(_ENTRIES.c.day == bindparam("day"))
    .group_by(_ENTRIES.c.provider, _ENTRIES.c.unit)
)


class GenerationUnit:
    """Generations and the ledger, in one transaction."""

    _connection: Connection

    async def generation(self, generation_id: str) -> Generation | None:
        """Return one generation."""
        return self._found_one(_ONE, id=generation_id)

    async def generations_page(
        self, wanted: GenerationsWanted, *, after: Place | None, limit: int
    ) -> list[Generation]:
        """Return generations, the newest first."""
        page = select(_ALL).order_by(*_NEWEST).limit(limit)
        if wanted.owner is not None:
            page = page.where(_ALL.c.owner == wanted.owner)
        if wanted.provider:
            page = page.where(_ALL.c.provider == wanted.provider)
        if wanted.model_id:
            named = json.dumps(wanted.model_id)
            among = cast(_ALL.c.versions, String).contains(named, autoescape=True)
            page = page.where(_ALL.c.model_id != "", among)
        if wanted.text:
            lowered = (func.lower(_ALL.c.asked[each].as_string()) for each in _WORDS)
            text = wanted.text.lower()
            page = page.where(or_(*(each.contains(text, autoescape=True) for each in lowered)))
        if wanted.states:
            page = page.where(_ALL.c.state.in_([state.value for state in wanted.states]))
        if after is not None:
            place = tuple_(_ALL.c.created_at, _ALL.c.generation_id)
            page = page.where(place < (after.created_at, after.its_id))
        return self._found_all(page)

    async def generations_due(self, now: datetime, *, limit: int) -> list[Generation]:
        """Return those with something to do that nobody works on, longest due first."""
        return self._found_all(_DUE, now=now, limit=limit)

    async def generations_wanted(
        self, provider: str, now: datetime, *, limit: int
    ) -> list[Generation]:
        """Return those that wait for a paid call to a provider and are due."""
        return self._found_all(_WAITING, provider=provider, now=now, limit=limit)

    async def generations_open(self, owner: str) -> int:
        """Return how many of an owner's have not ended."""
        found: int = self._connection.execute(_OPEN, {"owner": owner}).scalar_one()
        return found

    async def generations_at(self, provider: str) -> int:
        """Return how many of a provider's places are taken."""
        taken: int = self._connection.execute(_TAKEN, {"provider": provider}).scalar_one()
        return taken

    async def generation_like(self, fingerprint: str) -> Generation | None:
        """Return the newest with this fingerprint that is done and has versions."""
        return self._found_one(_LIKE, fingerprint=fingerprint)

    async def generation_of_task(self, provider: str, task_id: str) -> Generation | None:
        """Return the newest generation that a task belongs to."""
        return self._found_one(_OF_TASK, provider=provider, task_id=task_id)

    async def save_generation(self, generation: Generation) -> None:
        """Insert or replace a generation."""
        self._put_row(_SAVE, mapping.row_of(generation))

    async def free_generations(self, worker: str) -> None:
        """Have nobody work on what this worker, which died, worked on."""
        self._connection.execute(_LET_GO, {"who": worker})

    async def entries(self, generation_id: str) -> list[Entry]:
        """Return what a generation's paid calls cost, in order."""
        rows = self._connection.execute(_ENTRIES_OF, {"id": generation_id}).mappings()
        return [mapping.entry_of(dict(row)) for row in rows]

    async def save_entry(self, entry: Entry) -> None:
        """Insert or replace what a paid call costs."""
        self._put_row(_SAVE_ENTRY, mapping.entry_row(entry))

    async def spent(
        self, day: date, *, unit: str, provider: str | None = None, owner: str | None = None
    ) -> Decimal:
        """Return what is spent in a day."""
        wanted = _SPENT
        if provider is not None:
            wanted = wanted.where(_ENTRIES.c.provider == provider)
        if owner is not None:
            wanted = wanted.where(_ENTRIES.c.owner == owner)
        found = self._connection.execute(wanted, {"day": day, "unit": unit}).scalar_one()
        return mapping.amount(int(found))

    async def spendings(self, day: date) -> Mapping[tuple[str, str], Decimal]:
        """Return what is spent in a day by provider and unit."""
        rows = self._connection.execute(_SPENDINGS, {"day": day}).all()
        return {(name, unit): mapping.amount(int(sum_)) for name, unit, sum_ in rows if sum_}

    def _put_row(self, statement: Mapping[str, Executable], row: Mapping[str, Any]) -> None:
        self._connection.execute(statement[self._connection.dialect.name], dict(row))

    def _found_all(self, wanted: Executable, **given: Any) -> list[Generation]:
        rows = self._connection.execute(wanted, given).mappings()
        return [mapping.generation_of(dict(row)) for row in rows]

    def _found_one(self, wanted: Executable, **given: Any) -> Generation | None:
        return next(iter(self._found_all(wanted, **given)), None)
