"""What effects mean to history: every change is one event, whether or not somebody noted it.

A note and the change that it names are one event: the note tells the nearest change of its subject
before it, or, where it comes first, the nearest after. A change that nobody noted tells itself,
as `job.changed`, and something new as `job.added`. A raised epoch belongs to the printer's change
that follows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from coordinator.domain.effects import Effects, Note, RaiseEpoch, Save
from coordinator.domain.history import FarmEvent, Plain, Row, Thing, plain, row_of, thing_of
from coordinator.domain.plates import Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who acts, through what, and when; alike for all that one transaction does.

    Attributes:
        origin: as in `FarmEvent`.
    """

    actor: str
    origin: str
    at: datetime


@dataclass(slots=True, eq=False)
class _Draft:
    """An event in the making: a change, a note, or both."""

    thing: Thing
    changes: dict[str, Plain] | None = None
    is_new: bool = False
    note: Note | None = None


def things_of(effects: Effects) -> list[Thing]:
    """Return what effects change, each once."""
    things = (_changed_by(effect) for effect in effects if isinstance(effect, Save | RaiseEpoch))
    return list(dict.fromkeys(things))


def _changed_by(effect: Save | RaiseEpoch) -> Thing:
    return (
        ("printer", effect.printer_id) if isinstance(effect, RaiseEpoch) else thing_of(effect.value)
    )


def told(
    effects: Effects, rows: Mapping[Thing, Row | None], act: Act
) -> tuple[list[FarmEvent], dict[Thing, Row | None]]:
    """Return the events that effects amount to, and the rows of what they change afterwards.

    Args:
        effects: as they were decided, in that order.
        rows: of all `things_of` them, as they are before; None for what is not there.
    """
    after, drafts = _changes(effects, rows)
    _join(drafts)
    return [_event(draft, act) for draft in drafts], after


def _changes(
    effects: Effects, rows: Mapping[Thing, Row | None]
) -> tuple[dict[Thing, Row | None], list[_Draft]]:
    after, drafts = dict(rows), list[_Draft]()
    raised: dict[Thing, int] = {}
    for effect in effects:
        match effect:
            case Note():
                drafts.append(_Draft((effect.subject, effect.subject_id), note=effect))
            case RaiseEpoch():
                raised[_changed_by(effect)] = effect.expected + 1
            case Save():
                thing = thing_of(effect.value)
                known = after[thing]
                row = _stored(effect, known, raised.pop(thing, None))
                changes = row if known is None else _difference(known, row)
                after[thing] = row
                if changes:
                    drafts.append(_Draft(thing, changes, is_new=known is None))
            case _:
                pass
    for thing, epoch in raised.items():
        known = after[thing]
        if known is not None:
            after[thing] = known | {"epoch": epoch}
            drafts.append(_Draft(thing, {"epoch": epoch}))
    return after, drafts


def _stored(effect: Save, known: Row | None, raised: int | None) -> Row:
    """Return the row that saving makes: an artifact that is known stays, so does an epoch."""
    if isinstance(effect.value, Artifact) and known is not None:
        return known
    row = row_of(effect.value)
    if thing_of(effect.value)[0] == "printer":
        unraised = known["epoch"] if known is not None else 0
        row["epoch"] = unraised if raised is None else raised
    return row


def _difference(before: Row, after: Row) -> Row:
    return {
        name: value for name, value in after.items() if name not in before or before[name] != value
    }


def _join(drafts: list[_Draft]) -> None:
    """Join notes with the changes that they name; each change is named once."""
    for step in (-1, 1):
        for lone in [draft for draft in drafts if draft.changes is None]:
            nearest = _neighbour(drafts, lone, step)
            if nearest is not None and nearest.note is None:
                nearest.note = lone.note
                drafts.remove(lone)


def _neighbour(drafts: list[_Draft], draft: _Draft, step: int) -> _Draft | None:
    """Return the nearest draft about the same thing, before (-1) or after (1) this one."""
    index = drafts.index(draft) + step
    while 0 <= index < len(drafts):
        if drafts[index].thing == draft.thing:
            return drafts[index]
        index += step
    return None


def _event(draft: _Draft, act: Act) -> FarmEvent:
    subject, subject_id = draft.thing
    note = draft.note or Note(
        subject=subject,
        subject_id=subject_id,
        name=f"{subject}.{'added' if draft.is_new else 'changed'}",
    )
    return FarmEvent(
        subject=subject,
        subject_id=subject_id,
        name=note.name,
        at=act.at,
        actor=act.actor,
        origin=act.origin,
        cause=note.cause,
        facts={name: plain(value) for name, value in note.facts.items()},
        changes=draft.changes or {},
    )
