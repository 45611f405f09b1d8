"""What a screen shows, and what changes between two of them: pure, so that it can be replayed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Document: TypeAlias = Mapping[str, Any]
Delta: TypeAlias = dict[str, Any]

PRINTERS, JOBS, COUNTS, HISTORY = "printers", "jobs", "counts", "history"
GENERATIONS = "generations"
_GONE = "gone"

# Objects in a document of which only what differs is told: they change all the time, a little.
FIXED = frozenset({"live", "host"})  # these have the same fields always; of others null is gone
INNER = FIXED | {"temperatures"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All that is shown: documents by id, in order, and counts."""

    printers: Mapping[str, Document] = field(default_factory=dict)
    jobs: Mapping[str, Document] = field(default_factory=dict)
    generations: Mapping[str, Document] = field(default_factory=dict)
    counts: Document = field(default_factory=dict)


def between(before: Picture, after: Picture) -> Delta:
    """Return what makes one picture of the other: parts without a change are left out.

    Of a document that was there before only the fields that differ; fields never leave documents.
    So of the objects in `INNER`, but sensors may leave: null.
    """
    delta: Delta = {}
    gone = _none_gone()
    pairs = {
        PRINTERS: (before.printers, after.printers),
        JOBS: (before.jobs, after.jobs),
        GENERATIONS: (before.generations, after.generations),
    }
    for part, (old, new) in pairs.items():
        if changed := _changed(old, new):
            delta[part] = changed
        gone[part] = [its_id for its_id in old if its_id not in new]
    if any(gone.values()):
        delta[_GONE] = gone
    if after.counts != before.counts:
        delta[COUNTS] = after.counts
    return delta


def applied(picture: Picture, delta: Delta) -> Picture:
    """Return what somebody shows who showed this picture and hears of a delta."""
    gone = {**_none_gone(), **delta.get(_GONE, {})}
    return Picture(
        printers=_laid_on(picture.printers, delta.get(PRINTERS, {}), gone[PRINTERS]),
        jobs=_laid_on(picture.jobs, delta.get(JOBS, {}), gone[JOBS]),
        generations=_laid_on(picture.generations, delta.get(GENERATIONS, {}), gone[GENERATIONS]),
        counts=delta.get(COUNTS, picture.counts),
    )


def only(delta: Delta, parts: Collection[str]) -> Delta:
    """Return a delta as it is told to who may see these parts."""
    seen = {part: told for part, told in delta.items() if part in parts}
    if _GONE in delta:
        gone = {part: ids if part in parts else [] for part, ids in delta[_GONE].items()}
        if any(gone.values()):
            seen[_GONE] = gone
    return seen


def _none_gone() -> dict[str, list[str]]:
    return {PRINTERS: [], JOBS: [], GENERATIONS: []}


def _changed(old: Mapping[str, Document], new: Mapping[str, Document]) -> dict[str, Document]:
    found: dict[str, Document] = {}
    for its_id, document in new.items():
        before = old.get(its_id)
        if before is None:
            found[its_id] = document
        elif before is not document:
            fields = {
                name: _within(name, before[name], said)
                for name, said in document.items()
                if before[name] != said
            }
            if fields:
                found[its_id] = fields
    return found


def _within(name: str, before: Any, now: Any) -> Any:
    """Return what differs of a field; of one of `INNER`, only what differs in it."""
    if name not in INNER or not (isinstance(before, Mapping) and isinstance(now, Mapping)):
        return now
    told = {
        inner: _within(inner, before.get(inner), said)
        for inner, said in now.items()
        if inner not in before or before[inner] != said
    }
    return {**told, **{inner: None for inner in before if inner not in now}}


def _laid_within(name: str, before: Any, told: Any) -> Any:
    """Return a field after what `_within` told of it."""
    if name not in INNER or not (isinstance(before, Mapping) and isinstance(told, Mapping)):
        return told
    laid = {
        **before,
        **{inner: _laid_within(inner, before.get(inner), said) for inner, said in told.items()},
    }
    return {inner: said for inner, said in laid.items() if said is not None or name in FIXED}


def _laid_on(
    documents: Mapping[str, Document], changed: Mapping[str, Document], gone: Collection[str]
) -> Mapping[str, Document]:
    kept = {its_id: each for its_id, each in documents.items() if its_id not in gone}
    for its_id, fields in changed.items():
        known = kept.get(its_id, {})
        laid = {name: _laid_within(name, known.get(name), said) for name, said in fields.items()}
        kept[its_id] = {**known, **laid}
    return kept
